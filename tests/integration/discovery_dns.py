"""A DNS server for one zone, over UDP and TCP, that does what a test tells it: answers, fails, or says nothing."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
from dns.rdatatype import RdataType

from narthex.testing.servers import free_port


class Zone:
    """Records by name and type, each as its text."""

    def __init__(self) -> None:
        self.records: dict[tuple[str, str], list[str]] = {}
        self.ttl = 1
        self.failing: str | None = None  # an rcode for every answer
        self.silent = False
        self.asked = 0

    def put(self, name: str, kind: str, *values: str) -> None:
        self.records[name, kind] = list(values)

    def answer(self, wire: bytes, *, over_udp: bool) -> bytes | None:
        self.asked += 1
        query = dns.message.from_wire(wire)
        response = dns.message.make_response(query)
        question = query.question[0]
        name, kind = question.name.to_text(omit_final_dot=True), RdataType(question.rdtype).name
        if self.silent:
            return None
        if self.failing is not None:
            response.set_rcode(dns.rcode.from_text(self.failing))
        elif values := self.records.get((name, kind)):
            response.answer.append(dns.rrset.from_text(question.name, self.ttl, "IN", kind, *values))
        elif not any(there == name for there, _ in self.records):
            response.set_rcode(dns.rcode.NXDOMAIN)
        whole = response.to_wire()
        if over_udp and len(whole) > 512:
            response.answer.clear()
            response.flags |= dns.flags.TC
            return response.to_wire()
        return whole


class _Udp(asyncio.DatagramProtocol):
    def __init__(self, zone: Zone) -> None:
        self._zone = zone

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)  # uvloop's is none by inheritance

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if (answer := self._zone.answer(data, over_udp=True)) is not None:
            self._transport.sendto(answer, addr)


@asynccontextmanager
async def dns_server(zone: Zone) -> AsyncIterator[str]:
    """Serves a zone; yields `address:port`."""

    async def over_tcp(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        length = int.from_bytes(await reader.readexactly(2), "big")
        if (answer := zone.answer(await reader.readexactly(length), over_udp=False)) is not None:
            writer.write(len(answer).to_bytes(2, "big") + answer)
            await writer.drain()
        writer.close()

    port = free_port()
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: _Udp(zone), local_addr=("127.0.0.1", port)
    )
    server = await asyncio.start_server(over_tcp, "127.0.0.1", port)
    try:
        yield f"127.0.0.1:{port}"
    finally:
        transport.close()
        server.close()
