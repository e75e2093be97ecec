"""Clients behind a TCP load balancer that speaks the PROXY protocol, at the plain port and over TLS."""

import asyncio
import socket
import ssl
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from integration.router_kit import HOST, Client, Router, router, service_entries
from integration.router_process import get, says, site

from narthex.testing.backend import Backend, answer, backend
from narthex.testing.ca import ThrowAwayCA
from narthex.testing.waiting import eventually, until
from narthex_router.acceptor import Acceptor, Listeners
from narthex_router.doors.policy import networks
from narthex_router.facts import Certificate
from narthex_router.tls import Certificates, new_context

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
CA = ThrowAwayCA()
REQUEST = f"GET / HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode()
LINE = b"PROXY TCP4 192.0.2.7 198.51.100.1 40000 443\r\n"
BINARY = (
    b"\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c" + bytes([192, 0, 2, 7, 198, 51, 100, 1]) + struct.pack("!HH", 40000, 443)
)
LOCAL = b"\r\n\r\n\x00\r\nQUIT\n\x20\x00\x00\x00"


@dataclass
class Behind:
    """A router behind load balancers, its two ports, and the instance behind it."""

    router: Router
    instance: Backend
    plain: int
    secure: int

    async def comes(self, first: bytes, *, secure: bool = False) -> Client:
        """A connection that begins with these bytes; then TLS, where it is asked for."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.secure if secure else self.plain)
        writer.write(first)
        if secure:
            await writer.start_tls(ssl.create_default_context(cadata=CA.root_pem), server_hostname=HOST)
        client = Client(reader, writer)
        self.router.clients.append(client)
        return client


@asynccontextmanager
async def behind(*introducers: str, head_s: float = 10.0, **doors: object) -> AsyncIterator[Behind]:
    """Connections from the networks that are named have to begin with a header."""
    context = new_context()
    certificates = Certificates(context, lambda sealed, about: sealed.encode())
    issued = CA.issue("*.services.test")
    certificates.load({HOST: Certificate(tuple(issued.hosts), issued.chain, issued.key.decode())})
    with socket.create_server(("127.0.0.1", 0)) as plain, socket.create_server(("127.0.0.1", 0)) as secure:
        plain.setblocking(False)
        secure.setblocking(False)
        async with (
            backend(answer(OK)) as instance,
            router(service_entries([instance.port], doors=doors), head_s=head_s) as under_test,
        ):
            under_test.plane.introducers = networks(introducers)
            acceptor = Acceptor(under_test.plane, Listeners((secure,), (plain,), context))
            await acceptor.begin()
            try:
                yield Behind(under_test, instance, plain.getsockname()[1], secure.getsockname()[1])
            finally:
                acceptor.end()


@pytest.mark.parametrize("secure", [False, True], ids=["plain", "tls"])
@pytest.mark.parametrize("header", [LINE, BINARY], ids=["v1", "v2"])
async def test_the_instance_and_the_record_know_the_client_and_the_port_it_came_to(header: bytes, secure: bool) -> None:
    async with behind("127.0.0.0/8") as there:
        client = await there.comes(header, secure=secure)
        for _ in range(2):  # the second on the same connection
            await client.send(REQUEST)
            assert (await client.answer())[0] == 200
        for sent in there.instance.requests:
            assert b"x-forwarded-for: 192.0.2.7\r\n" in sent
            assert b"x-forwarded-port: 443\r\n" in sent
        await until(lambda: len(there.router.journal()) == 2)
        assert {record["client"] for record in there.router.journal()} == {"192.0.2.7"}


async def test_lists_of_addresses_are_about_the_client_and_not_the_load_balancer() -> None:
    async with behind("127.0.0.0/8", ip_allow=["192.0.2.0/24"]) as there:
        for source, status in ((b"192.0.2.7", 200), (b"198.51.100.7", 403)):
            client = await there.comes(LINE.replace(b"192.0.2.7", source))
            await client.send(REQUEST)
            assert (await client.answer())[0] == status


@pytest.mark.parametrize("header", [LINE, BINARY], ids=["v1", "v2"])
async def test_a_header_may_come_in_pieces_and_with_the_request_behind_it(header: bytes) -> None:
    whole = header + REQUEST
    async with behind("127.0.0.0/8") as there:
        for at in range(1, len(header) + 2):
            client = await there.comes(whole[:at])
            client.writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            await asyncio.sleep(0)
            await client.send(whole[at:])
            assert (await client.answer())[0] == 200
        assert there.router.plane.headers_refused == 0


@pytest.mark.parametrize("first", [REQUEST, b"PROXY TCP4 nobody\r\n" + REQUEST], ids=["none", "malformed"])
async def test_a_load_balancer_that_sends_no_header_gets_nothing(first: bytes) -> None:
    async with behind("127.0.0.0/8") as there:
        assert await (await there.comes(first)).rest() == b""
        assert there.router.plane.headers_refused == 1
        assert there.instance.requests == []


@pytest.mark.parametrize("secure", [False, True], ids=["plain", "tls"])
@pytest.mark.parametrize("header", [LINE, BINARY], ids=["v1", "v2"])
async def test_a_header_from_anywhere_else_is_no_request(header: bytes, secure: bool) -> None:
    async with behind("10.0.0.0/8") as there:
        reader, writer = await asyncio.open_connection("127.0.0.1", there.secure if secure else there.plain)
        client = Client(reader, writer)
        there.router.clients.append(client)
        await client.send(header + REQUEST)
        said = await client.rest()  # empty, an alert, or an answer
        assert b"200 OK" not in said
        assert secure or said.startswith(b"HTTP/1.1 400 ")
        assert there.instance.requests == []


async def test_who_is_no_load_balancer_is_served_as_ever() -> None:
    async with behind("10.0.0.0/8") as there:
        for secure in (False, True):
            client = await there.comes(b"", secure=secure)
            await client.send(REQUEST)
            assert (await client.answer())[0] == 200
        assert all(b"x-forwarded-for: 127.0.0.1\r\n" in sent for sent in there.instance.requests)


async def test_a_load_balancer_that_speaks_for_itself_is_the_client() -> None:
    async with behind("127.0.0.0/8") as there:
        client = await there.comes(LOCAL)
        await client.send(REQUEST)
        assert (await client.answer())[0] == 200
        assert b"x-forwarded-for: 127.0.0.1\r\n" in there.instance.requests[0]


@pytest.mark.parametrize("second", [LINE, BINARY], ids=["v1", "v2"])
async def test_a_second_header_is_no_request(second: bytes) -> None:
    async with behind("127.0.0.0/8") as there:
        client = await there.comes(LINE + second + REQUEST)
        assert (await client.rest()).startswith(b"HTTP/1.1 400 ")
        assert there.instance.requests == []


async def test_a_header_that_does_not_come_in_time_ends_the_connection() -> None:
    async with behind("127.0.0.0/8", head_s=0.3) as there:
        client = await there.comes(LINE[:10])
        await until(lambda: len(there.router.plane.connections) == 1)
        assert await client.rest() == b""
        await until(lambda: not there.router.plane.connections)


async def test_a_router_process_takes_the_header_and_counts_what_has_none(tmp_path: Path) -> None:
    async with backend(answer(OK)) as instance, site(tmp_path, service_entries([instance.port])) as here:
        await here.start(router_proxy_protocol_from="127.0.0.0/8")
        for header in (LINE, BINARY):
            reader, writer = await asyncio.open_connection("127.0.0.1", here.https_port)
            writer.write(header)
            await writer.start_tls(here.trust, server_hostname=HOST)
            writer.write(REQUEST)
            assert b"200 OK" in await reader.readuntil(b"hello")
            writer.close()
        reader, writer = await asyncio.open_connection("127.0.0.1", here.http_port)
        writer.write(REQUEST)
        assert await reader.read() == b""
        writer.close()
        assert all(b"x-forwarded-for: 192.0.2.7\r\n" in sent for sent in instance.requests)

        async def counted() -> bool:
            return any(
                line.startswith("narthex_router_worker_proxy_headers_refused") and line.endswith(" 1")
                for line in (await get(here.admin_port, "/metrics"))[1].decode().splitlines()
            )

        await eventually(counted)


async def test_a_network_that_is_none_is_a_sentence(tmp_path: Path) -> None:
    async with backend(answer(OK)) as instance, site(tmp_path, service_entries([instance.port])) as here:
        child = here.begin(router_proxy_protocol_from="10.0.0.1/8")
        await says(child, "PROXY_PROTOCOL_FROM.*10.0.0.1/8 has host bits set")
