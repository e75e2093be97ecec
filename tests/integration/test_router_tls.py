"""TLS at the router: the name chooses the certificate, a swap touches no connection, mismatches are refused."""

import asyncio
import contextlib
import json
import os
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from integration.router_kit import Client, Router, router, service_entries

from narthex.testing.backend import Conversation, answer, backend
from narthex.testing.ca import Issued, ThrowAwayCA
from narthex.testing.waiting import until
from narthex_router.acceptor import Acceptor, Listeners
from narthex_router.facts import Certificate
from narthex_router.openssl import set_groups
from narthex_router.tls import AT_ONCE, Certificates, new_context

HELLO = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
CA = ThrowAwayCA()


def fact_of(issued: Issued) -> Certificate:
    return Certificate(hosts=tuple(issued.hosts), chain=issued.chain, sealed_key=issued.key.decode())


class Secure:
    """A router that listens with TLS, and its certificates."""

    def __init__(self, under_test: Router, port: int, certificates: Certificates) -> None:
        self.router = under_test
        self.port = port
        self.certificates = certificates

    async def connect(self, name: str, **more: object) -> Client:
        trust = ssl.create_default_context(cadata=CA.root_pem)
        for option, value in more.items():
            setattr(trust, option, value)
        client = Client(*await asyncio.open_connection("127.0.0.1", self.port, ssl=trust, server_hostname=name))
        self.router.clients.append(client)
        return client


@asynccontextmanager
async def secure(under_test: Router, *issued: Issued) -> AsyncIterator[Secure]:
    context = new_context()
    certificates = Certificates(context, lambda sealed, about: sealed.encode())
    certificates.load({each.hosts[0]: fact_of(each) for each in issued})
    listener = socket.create_server(("127.0.0.1", 0))
    listener.setblocking(False)
    acceptor = Acceptor(under_test.plane, Listeners((listener,), (), context))
    await acceptor.begin()
    try:
        yield Secure(under_test, listener.getsockname()[1], certificates)
    finally:
        acceptor.end()
        listener.close()


def request(host: str) -> bytes:
    return f"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()


async def test_the_name_a_client_asks_for_chooses_the_certificate() -> None:
    async with (
        backend(answer(HELLO)) as instance,
        router(service_entries([instance.port])) as under_test,
        secure(under_test, CA.issue("*.services.test"), CA.issue("own.example")) as listening,
    ):
        for name in ("svc.services.test", "own.example"):
            client = await listening.connect(name)
            names = client.writer.get_extra_info("peercert")["subjectAltName"]
            assert names == (("DNS", name.replace("svc", "*")),)


async def test_a_host_that_the_connections_certificate_does_not_cover_is_misdirected() -> None:
    async with (
        backend(answer(HELLO)) as instance,
        router(service_entries([instance.port]) + service_entries([instance.port], service="other")) as under_test,
        secure(under_test, CA.issue("svc.services.test"), CA.issue("other.services.test")) as listening,
    ):
        client = await listening.connect("svc.services.test")
        await client.send(request("svc.services.test"))
        assert (await client.answer())[0] == 200
        await client.send(request("other.services.test"))
        status, _, body = await client.answer()
        assert (status, json.loads(body)["code"]) == (421, "misdirected")


@pytest.mark.parametrize("name", ["unknown.example", "a.b.services.test", "services.test"])
async def test_a_name_without_a_certificate_ends_the_handshake(name: str) -> None:
    async with (
        router(service_entries([])) as under_test,
        secure(under_test, CA.issue("*.services.test")) as listening,
    ):
        with pytest.raises(ssl.SSLError, match=r"(?i)unrecognized.name"):
            await listening.connect(name)
        await until(lambda: not under_test.plane.connections)


async def test_a_swapped_certificate_is_for_new_connections_and_touches_no_other() -> None:
    async with (
        backend(answer(HELLO)) as instance,
        router(service_entries([instance.port])) as under_test,
        secure(under_test, CA.issue("*.services.test")) as listening,
    ):
        old = await listening.connect("svc.services.test")
        renewed = CA.issue("*.services.test")
        listening.certificates.load({"*.services.test": fact_of(renewed)})
        new = await listening.connect("svc.services.test")

        def serial(client: Client) -> str:
            found: str = client.writer.get_extra_info("peercert")["serialNumber"]
            return found

        assert serial(old) != serial(new)
        for client in (old, new):
            await client.send(request("svc.services.test"))
            assert (await client.answer())[0] == 200


async def test_a_certificate_that_cannot_be_loaded_leaves_the_one_that_is_held() -> None:
    async with (
        router(service_entries([])) as under_test,
        secure(under_test, CA.issue("*.services.test")) as listening,
    ):
        damaged = fact_of(CA.issue("*.services.test"))
        damaged.sealed_key = CA.issue("x.test").key.decode()
        listening.certificates.load({"*.services.test": damaged})
        assert "mismatch" in listening.certificates.failures["*.services.test"].lower()
        await listening.connect("svc.services.test")


async def test_of_many_certificates_most_are_made_ready_when_a_client_first_asks() -> None:
    issued = CA.issue("*.services.test")
    many = {f"h{number}.example": fact_of(issued) for number in range(AT_ONCE + 20)}
    for name, fact in many.items():
        fact.hosts = (name,)
    certificates = Certificates(new_context(), lambda sealed, about: sealed.encode())
    certificates.load(many)
    assert len(certificates._contexts) == AT_ONCE
    last = certificates.find(list(many)[-1].encode())
    assert last is not None
    assert last.hosts == (list(many)[-1].encode(),)
    assert certificates.find(list(many)[-1].encode()) is last
    del many["h0.example"]
    certificates.load(many)
    assert certificates.find(b"h0.example") is None


async def test_a_certificate_that_fails_when_a_client_asks_is_not_tried_at_each_handshake() -> None:
    tried: list[str] = []

    def unseal(sealed: str, about: str) -> bytes:
        tried.append(about)
        raise ValueError("sealed under another key")

    certificates = Certificates(new_context(), unseal)
    certificates.load({"a": fact_of(CA.issue("a.example"))})
    assert [certificates.find(b"a.example"), certificates.find(b"a.example")] == [None, None]
    assert tried == ["certificate:a"]
    assert not certificates.ready()


async def test_a_client_that_does_not_finish_its_handshake_is_cut_off_in_time() -> None:
    async with (
        router(service_entries([]), head_s=0.2) as under_test,
        secure(under_test, CA.issue("*.services.test")) as listening,
    ):
        reader, writer = await asyncio.open_connection("127.0.0.1", listening.port)
        await until(lambda: len(under_test.plane.connections) == 1)
        with contextlib.suppress(ConnectionError):
            assert await reader.read() == b""
        await until(lambda: not under_test.plane.connections)
        writer.close()


@pytest.mark.parametrize(
    ("sent", "alert"),
    [(b"\x16\x03\x01\x00\x05hello", b"\x15"), (request("svc.services.test"), b"")],
    ids=["a damaged handshake gets an alert", "plain HTTP gets nothing"],
)
async def test_what_is_no_tls_ends_the_connection(sent: bytes, alert: bytes) -> None:
    async with (
        router(service_entries([])) as under_test,
        secure(under_test, CA.issue("*.services.test")) as listening,
    ):
        reader, writer = await asyncio.open_connection("127.0.0.1", listening.port)
        writer.write(sent)
        assert (await reader.read())[:1] == alert  # RFC 8446 section 5.1
        await until(lambda: not under_test.plane.connections)
        writer.close()


async def test_a_body_of_megabytes_goes_both_ways_through_tls() -> None:
    body = os.urandom(3 << 20)

    async def echo(conversation: Conversation) -> None:
        await conversation.head()
        came = await conversation.reader.readexactly(len(body))
        await conversation.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(came) + came)

    async with (
        backend(echo) as instance,
        router(service_entries([instance.port])) as under_test,
        secure(under_test, CA.issue("*.services.test")) as listening,
    ):
        client = await listening.connect("svc.services.test")
        await client.send(
            b"POST / HTTP/1.1\r\nHost: svc.services.test\r\nContent-Length: %d\r\n\r\n" % len(body) + body
        )
        assert (await client.answer())[2] == body


async def test_the_end_of_a_connection_is_said_in_tls() -> None:
    async with (
        backend(answer(HELLO)) as instance,
        router(service_entries([instance.port])) as under_test,
        secure(under_test, CA.issue("*.services.test")) as listening,
    ):
        client = await listening.connect("svc.services.test")
        await client.send(b"GET / HTTP/1.1\r\nHost: svc.services.test\r\nConnection: close\r\n\r\n")
        assert (await client.reader.read()).endswith(b"hello")  # a cut would raise: no close_notify, no end


async def test_old_versions_of_tls_are_refused() -> None:
    async with (
        router(service_entries([])) as under_test,
        secure(under_test, CA.issue("*.services.test")) as listening,
    ):
        with pytest.raises(ssl.SSLError), pytest.warns(DeprecationWarning, match="TLSv1_1"):
            await listening.connect("svc.services.test", maximum_version=ssl.TLSVersion.TLSv1_1)


@pytest.mark.parametrize(
    ("group", "agreed"),
    [("X25519", True), ("prime256v1", True), ("secp384r1", True), ("secp521r1", False), ("X448", False)],
)
async def test_keys_are_agreed_on_in_the_groups_of_the_intermediate_profile_only(group: str, agreed: bool) -> None:
    trust = ssl.create_default_context(cadata=CA.root_pem)
    assert set_groups(trust, group)
    async with router(service_entries([1])) as under_test, secure(under_test, CA.issue("svc.services.test")) as here:
        try:
            _, writer = await asyncio.open_connection(
                "127.0.0.1", here.port, ssl=trust, server_hostname="svc.services.test"
            )
            writer.close()
            done = True
        except ssl.SSLError:
            done = False
        assert done is agreed


async def test_plain_http_is_sent_to_https_and_goes_nowhere_else() -> None:
    async with backend(answer(HELLO)) as instance, router(service_entries([instance.port])) as under_test:
        under_test.plane.serve_plain = False
        client = await under_test.connect()
        await client.send(b"GET /a?b=c HTTP/1.1\r\nHost: SVC.services.test:8080\r\n\r\n" + request("svc.services.test"))
        status, head, _ = await client.answer()
        assert status == 308
        assert b"location: https://svc.services.test:8443/a?b=c\r\n" in head
        assert (await client.answer())[0] == 308
        assert instance.requests == []
