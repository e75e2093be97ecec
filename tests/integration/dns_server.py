"""A DNS server that takes signed updates (RFC 2136, RFC 8945). Every name has an address there."""

import asyncio
import base64
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset
import dns.tsig
import dns.update


@dataclass
class DnsServer:
    """A zone on loopback."""

    key: dns.tsig.Key
    secret_file: Path
    port: int = 0
    records: dict[str, set[str]] = field(default_factory=dict)  # name -> TXT values
    updates: list[str] = field(default_factory=list)

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def answer(self, wire: bytes) -> bytes:
        message = dns.message.from_wire(wire, keyring={self.key.name: self.key})
        answer = dns.message.make_response(message)
        if isinstance(message, dns.update.UpdateMessage):
            self._update(message, answer)
        else:
            self._look_up(message, answer)
        return answer.to_wire()

    def _update(self, message: dns.update.UpdateMessage, answer: dns.message.Message) -> None:
        if not message.had_tsig:
            answer.set_rcode(dns.rcode.REFUSED)
            return
        for change in message.update:
            name = change.name.to_text().rstrip(".").lower()
            values = {item.strings[0].decode() for item in change}
            removed = change.deleting is not None
            held = self.records.get(name, set())
            self.records[name] = held - values if removed else held | values
            if not self.records[name]:
                del self.records[name]
            self.updates.append(f"{'delete' if removed else 'add'} {name}")

    def _look_up(self, message: dns.message.Message, answer: dns.message.Message) -> None:
        question = message.question[0]
        answer.flags |= dns.flags.AA
        name = question.name.to_text().rstrip(".").lower()
        if question.rdtype == dns.rdatatype.A:
            answer.answer.append(dns.rrset.from_text(question.name, 1, "IN", "A", "127.0.0.1"))
        if question.rdtype == dns.rdatatype.TXT and self.records.get(name):
            texts = [f'"{value}"' for value in self.records[name]]
            answer.answer.append(dns.rrset.from_text(question.name, 1, "IN", "TXT", *texts))


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, server: DnsServer) -> None:
        self._server = server

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, address: tuple[str, int]) -> None:
        self._transport.sendto(self._server.answer(data), address)  # type: ignore[attr-defined]


@asynccontextmanager
async def dns_server(zone: str, directory: Path) -> AsyncIterator[DnsServer]:
    """A server for a zone, on one port over UDP and TCP; updates are signed with the key in `secret_file`."""
    secret = base64.b64encode(os.urandom(32)).decode()
    file = directory / "tsig.secret"
    file.write_text(secret + "\n")
    here = DnsServer(dns.tsig.Key("key.", secret, dns.tsig.HMAC_SHA256), file)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        length = int.from_bytes(await reader.readexactly(2), "big")
        wire = here.answer(await reader.readexactly(length))
        writer.write(len(wire).to_bytes(2, "big") + wire)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    here.port = server.sockets[0].getsockname()[1]
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(lambda: _Datagrams(here), local_addr=("127.0.0.1", here.port))
    try:
        yield here
    finally:
        transport.close()
        server.close()
