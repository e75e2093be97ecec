"""Client certificates as a way into one service: who is asked, who gets in, and what opens nothing elsewhere."""

import asyncio
import contextlib
import os
import socket
import ssl
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import pytest
from integration.doors_kit import PASS_KEY, PEOPLE, ask, code, session
from integration.router_kit import Client, Router, router, service_entries

from narthex.routing import Entry
from narthex.testing.backend import Backend, answer, backend
from narthex.testing.ca import Issued, ThrowAwayCA
from narthex.testing.waiting import until
from narthex_router.acceptor import Acceptor, Listeners
from narthex_router.doors.certificate import authorities
from narthex_router.facts import Certificate
from narthex_router.tickets import TicketKey, use_ticket_key
from narthex_router.tls import Certificates, new_context

HELLO = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
HOST, SIBLING, OPEN = "svc.services.test", "sib.services.test", "open.services.test"
SERVERS, CLIENTS, STRANGERS = ThrowAwayCA(), ThrowAwayCA(), ThrowAwayCA()
ANN = CLIENTS.issue_to("ann", email="ann@corp.test", uri="spiffe://corp.test/ann")
DOOR = {"authorities": CLIENTS.root_pem}


def trust(shown: Issued | None = None) -> ssl.SSLContext:
    """A client's context, with the certificate it shows when it is asked."""
    context = ssl.create_default_context(cadata=SERVERS.root_pem)
    if shown is not None:
        with tempfile.NamedTemporaryFile() as file:
            file.write(shown.chain.encode() + shown.key)
            file.flush()
            context.load_cert_chain(file.name)
    return context


def fact_of(issued: Issued) -> Certificate:
    return Certificate(hosts=tuple(issued.hosts), chain=issued.chain, sealed_key=issued.key.decode())


class Doors:
    """A router with three services: `svc` asks for certificates, `sib` for those of strangers, `open` for none."""

    def __init__(self, under_test: Router, instance: Backend, certificates: Certificates, port: int) -> None:
        self.under_test = under_test
        self.instance = instance
        self.certificates = certificates
        self.port = port

    async def connect(
        self, shown: Issued | None = None, name: str = HOST, context: ssl.SSLContext | None = None
    ) -> Client:
        streams = await asyncio.open_connection(
            "127.0.0.1", self.port, ssl=context or trust(shown), server_hostname=name
        )
        self.under_test.clients.append(client := Client(*streams))
        return client

    async def code(self, shown: Issued | None, fields: str = "", **more: Any) -> str:
        """What becomes of a request over a connection of its own; empty: it was served."""
        status, _, body = await ask(await self.connect(shown), fields, **more)
        return code(body) if status != 200 else ""

    def change(self, revision: int = 2, **doors: Any) -> None:
        self.under_test.plane.table.apply([entries(self.instance.port, doors)[1]._replace(revision=revision)])


def entries(port: int, doors: dict[str, Any], **more: Any) -> list[Entry]:
    return service_entries([port], public=False, doors=doors, **more)


@asynccontextmanager
async def asking(door: dict[str, Any] | None = None, **more: Any) -> AsyncIterator[Doors]:
    async with backend(answer(HELLO)) as instance:
        all_entries = [
            *entries(instance.port, {"client_certificates": door or DOOR}, **more),
            *entries(instance.port, {"client_certificates": {"authorities": STRANGERS.root_pem}}, service="sib"),
            *service_entries([instance.port], public=False, service="open"),
            *PEOPLE,
        ]
        async with router(all_entries) as under_test:
            table = under_test.plane.table

            def asks(host: bytes) -> str:
                route = table.route(host)
                return authorities(route) if route is not None else ""

            under_test.plane.porter.pass_key = PASS_KEY
            context = new_context()
            use_ticket_key(context, TicketKey.new().secret)
            certificates = Certificates(context, lambda sealed, about: sealed.encode(), asks)
            certificates.load({"w": fact_of(SERVERS.issue("*.services.test"))})
            listener = socket.create_server(("127.0.0.1", 0))
            listener.setblocking(False)
            acceptor = Acceptor(under_test.plane, Listeners((listener,), (), context))
            await acceptor.begin()
            try:
                yield Doors(under_test, instance, certificates, listener.getsockname()[1])
            finally:
                acceptor.end()
                listener.close()


async def test_who_shows_a_certificate_of_the_authority_gets_in_under_the_name_in_it() -> None:
    async with asking() as doors:
        client = await doors.connect(ANN)
        for _ in range(2):
            assert (await ask(client, "X-Narthex-User: root\r\nClient-Cert: :AAAA:\r\n"))[0] == 200
        for seen in doors.instance.requests:
            assert b"x-narthex-user: ann\r\n" in seen
            assert b"root" not in seen
            assert b"lient-" not in seen
        records = doors.under_test.journal()
        assert {record["subject_id"][:5] for record in records} == {"cert-"}
        assert len({record["token_id"] for record in records}) == 1


@pytest.mark.parametrize(
    ("user", "said"),
    [("email", b"ann@corp.test"), ("uri", b"spiffe://corp.test/ann"), ("common_name", b"ann")],
)
async def test_what_the_caller_is_called_is_the_services_choice(user: str, said: bytes) -> None:
    async with asking({**DOOR, "user": user}) as doors:
        assert await doors.code(ANN) == ""
        assert b"x-narthex-user: %b\r\n" % said in doors.instance.requests[0]


async def test_who_shows_none_may_have_another_way_in_and_is_told_of_this_one() -> None:
    async with asking() as doors:
        assert await doors.code(None, "Authorization: Token good\r\n") == ""
        assert await doors.code(None, session()) == ""
        status, _, body = await ask(await doors.connect(), "")
        assert (status, code(body)) == (401, "token_missing")
        assert b"client certificate" in body


@pytest.mark.parametrize(
    "shown",
    [
        STRANGERS.issue_to("ann"),
        CLIENTS.issue_to("ann", days=-1),
        CLIENTS.issue_to("ann", for_clients=False),
    ],
    ids=["of another authority", "expired", "for servers"],
)
async def test_a_certificate_that_is_not_good_ends_the_handshake(shown: Issued) -> None:
    async with asking() as doors:
        client = await doors.connect(shown)  # in TLS 1.3 the client hears of it when it reads
        with contextlib.suppress(ConnectionError):
            await client.send(b"GET / HTTP/1.1\r\nHost: svc.services.test\r\n\r\n")
        with pytest.raises((ssl.SSLError, ConnectionError, asyncio.IncompleteReadError)):
            await client.head()
        assert doors.instance.requests == []
        await until(lambda: not doors.under_test.plane.connections)


async def test_a_certificate_opens_the_service_that_trusts_its_authority_and_no_other() -> None:
    async with asking() as doors:
        client = await doors.connect(ANN)  # the server's certificate is good for all three hosts
        assert (await ask(client, host=HOST))[0] == 200
        status, _, body = await ask(client, host=SIBLING)
        assert (status, code(body)) == (421, "misdirected")
        assert code((await ask(client, host=OPEN))[2]) == "token_missing"
        assert (await ask(client, "Authorization: Token good\r\n", host=HOST))[0] == 200
        from_elsewhere = await doors.connect(ANN, name=OPEN)
        status, _, body = await ask(from_elsewhere, host=HOST)
        assert (status, code(body)) == (421, "misdirected")  # that connection was not asked
        assert (await ask(from_elsewhere, "Authorization: Token good\r\n", host=HOST))[0] == 200


async def test_names_say_who_of_the_authority_may_come_and_a_name_that_goes_is_refused_at_once() -> None:
    async with asking({**DOOR, "names": ["bob", "ann"]}) as doors:
        client = await doors.connect(ANN)
        assert (await ask(client))[0] == 200
        assert await doors.code(CLIENTS.issue_to("eve")) == "permission_denied"
        doors.change(client_certificates={**DOOR, "names": ["bob"]})
        assert code((await ask(client))[2]) == "permission_denied"


async def test_a_certificate_that_is_anybodys_or_nobodys_is_no_name() -> None:
    async with asking() as doors:
        assert await doors.code(CLIENTS.issue_to("ann", "root")) == "token_invalid"
        assert await doors.code(CLIENTS.issue_to(email="ann@corp.test")) == "token_invalid"


async def test_other_authorities_make_connections_that_were_verified_by_the_ones_before_worthless() -> None:
    async with asking() as doors:
        client = await doors.connect(ANN)
        assert (await ask(client))[0] == 200
        doors.change(client_certificates={"authorities": STRANGERS.root_pem})
        assert code((await ask(client))[2]) == "misdirected"
        assert await doors.code(STRANGERS.issue_to("eve")) == ""
        doors.change(3)
        assert code((await ask(client))[2]) == "token_missing"  # the door is shut


async def test_authorities_that_cannot_be_read_open_nothing_and_shut_no_other_door() -> None:
    async with asking({"authorities": "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"}) as doors:
        assert await doors.code(ANN) == "misdirected"
        assert await doors.code(ANN, "Authorization: Token good\r\n") == ""


async def test_authorization_counts_where_it_is_a_way_in_and_is_the_applications_where_it_is_not() -> None:
    async with asking() as doors:
        assert await doors.code(ANN, "Authorization: Token wrong\r\n") == "token_invalid"
    more = {"authentication_method_token_enabled": False, "authentication_header_pass_through": True}
    async with asking(**more) as doors:
        assert await doors.code(ANN, "Authorization: Token the-applications\r\n") == ""
        assert b"Token the-applications" in doors.instance.requests[0]
        assert await doors.code(None, "Authorization: Token good\r\n") == "token_invalid"


async def test_pages_of_other_origins_do_nothing_in_the_name_of_a_browsers_certificate() -> None:
    async with asking() as doors:
        post = {"method": "POST"}
        assert await doors.code(ANN, "Content-Length: 0\r\n", **post) == ""  # no browser
        assert await doors.code(ANN, f"Content-Length: 0\r\nOrigin: https://{HOST}\r\n", **post) == ""
        assert await doors.code(ANN, f"Content-Length: 0\r\nOrigin: https://{SIBLING}\r\n", **post) == "cross_origin"
        assert await doors.code(ANN, "Content-Length: 0\r\nSec-Fetch-Site: cross-site\r\n", **post) == "cross_origin"


async def test_a_renewed_certificate_of_the_routers_is_shown_where_clients_are_asked_for_theirs() -> None:
    async with asking() as doors:
        first = await doors.connect(ANN)
        ours = SERVERS.issue("*.services.test")
        doors.certificates.load({"w": fact_of(ours)})
        second = await doors.connect(ANN)
        shown = [each.writer.get_extra_info("peercert")["serialNumber"] for each in (first, second)]
        assert shown[0] != shown[1]
        for client in (first, second):
            assert (await ask(client))[0] == 200


# -- the handshake --------------------------------------------------------------------------------------------------


class Answered(NamedTuple):
    status: int
    resumed: bool
    session: ssl.SSLSession | None  # to resume later


class Dialled:
    """A client that keeps TLS sessions, which asyncio's does not."""

    def __init__(self, doors: Doors, context: ssl.SSLContext) -> None:
        self.doors = doors
        self.context = context

    async def call(self, name: str, host: str, resume: ssl.SSLSession | None = None) -> Answered:
        return await asyncio.to_thread(self._call, name, host, resume)

    def _call(self, name: str, host: str, resume: ssl.SSLSession | None) -> Answered:
        with (
            socket.create_connection(("127.0.0.1", self.doors.port), timeout=10) as plain,
            self.context.wrap_socket(plain, server_hostname=name, session=resume) as secure,
        ):
            secure.sendall(f"GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
            received = b""
            while data := secure.recv(4096):
                received += data
            return Answered(int(received.split(b" ")[1]), bool(secure.session_reused), secure.session)


async def test_no_resumed_session_stands_in_for_a_certificate() -> None:
    async with asking() as doors:
        client = Dialled(doors, trust(ANN))
        elsewhere = await client.call(OPEN, OPEN)
        assert elsewhere.status == 401
        assert (await client.call(OPEN, OPEN, elsewhere.session)).resumed  # which is there, and used
        ours = await client.call(HOST, HOST, elsewhere.session)
        assert (ours.status, ours.resumed) == (200, False)  # the certificate was asked for all the same
        assert ours.session is None or not ours.session.has_ticket
        assert not (await client.call(HOST, HOST, ours.session)).resumed
        with pytest.raises(ssl.SSLError):
            await client.call(SIBLING, SIBLING, ours.session or elsewhere.session)
        back = await client.call(OPEN, HOST, elsewhere.session)
        assert (back.status, back.resumed) == (421, True)


async def test_only_tls_1_3_is_spoken_where_certificates_are_asked_for() -> None:
    async with asking() as doors:
        old = trust(ANN)
        old.maximum_version = ssl.TLSVersion.TLSv1_2
        with pytest.raises((ssl.SSLError, ConnectionError)):
            await doors.connect(context=old)
        assert (await ask(await doors.connect(context=old, name=OPEN), host=OPEN))[0] == 401


async def test_a_first_message_that_comes_byte_by_byte_is_asked_for_a_certificate_too() -> None:
    async with asking() as doors:
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = trust(ANN).wrap_bio(incoming, outgoing, server_hostname=HOST)
        plain = Client(*await asyncio.open_connection("127.0.0.1", doors.port))
        doors.under_test.clients.append(plain)
        done = False
        while not done:
            try:
                tls.do_handshake()
                done = True
            except ssl.SSLWantReadError:
                pass
            for byte in outgoing.read():
                await plain.send(bytes((byte,)))
                await asyncio.sleep(0)
            if not done:
                incoming.write(await plain.reader.read(65536))
        tls.write(f"GET / HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode())
        await plain.send(outgoing.read())
        received = b""
        while b"hello" not in received:
            with contextlib.suppress(ssl.SSLWantReadError):
                received += tls.read(65536)
                continue
            incoming.write(await plain.reader.read(65536))
        assert received.startswith(b"HTTP/1.1 200 ")
        assert b"x-narthex-user: ann\r\n" in doors.instance.requests[0]


async def test_a_first_message_that_never_ends_is_not_kept() -> None:
    async with asking() as doors:
        plain = Client(*await asyncio.open_connection("127.0.0.1", doors.port))
        doors.under_test.clients.append(plain)
        record = b"\x16\x03\x01\x40\x00" + b"\x01\x01\xff\xff" + os.urandom(16380)
        with contextlib.suppress(ConnectionError):
            for _ in range(50):
                await plain.send(record)
        assert len(await plain.rest()) < 100  # an alert at most
        await until(lambda: not doors.under_test.plane.connections)
