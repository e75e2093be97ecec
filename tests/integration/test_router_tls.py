"""TLS at the router: the name chooses the certificate, a swap touches no connection, mismatches are refused."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from integration.router_kit import Client, Router, router, service_entries

from narthex.testing.backend import answer, backend
from narthex.testing.ca import Issued, ThrowAwayCA
from narthex_router.downstream import Downstream
from narthex_router.tls import Certificates, new_context

HELLO = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
CA = ThrowAwayCA()


def entry_of(issued: Issued) -> dict[str, object]:
    return {"hosts": list(issued.hosts), "chain": issued.chain, "sealed_key": issued.key.decode()}


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
    certificates.load({each.hosts[0]: entry_of(each) for each in issued})
    server = await asyncio.get_running_loop().create_server(
        lambda: Downstream(under_test.plane, secure=True), "127.0.0.1", 0, ssl=context
    )
    try:
        yield Secure(under_test, server.sockets[0].getsockname()[1], certificates)
    finally:
        server.close()


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
        # uvloop resets the connection before the alert `unrecognized_name` has gone out.
        with pytest.raises((ssl.SSLError, ConnectionResetError)):
            await listening.connect(name)


async def test_a_swapped_certificate_is_for_new_connections_and_touches_no_other() -> None:
    async with (
        backend(answer(HELLO)) as instance,
        router(service_entries([instance.port])) as under_test,
        secure(under_test, CA.issue("*.services.test")) as listening,
    ):
        old = await listening.connect("svc.services.test")
        renewed = CA.issue("*.services.test")
        listening.certificates.load({"*.services.test": entry_of(renewed)})
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
        damaged = entry_of(CA.issue("*.services.test")) | {"sealed_key": CA.issue("x.test").key.decode()}
        listening.certificates.load({"*.services.test": damaged})
        assert "mismatch" in listening.certificates.failures["*.services.test"].lower()
        await listening.connect("svc.services.test")


async def test_old_versions_of_tls_are_refused() -> None:
    async with (
        router(service_entries([])) as under_test,
        secure(under_test, CA.issue("*.services.test")) as listening,
    ):
        with pytest.raises(ssl.SSLError), pytest.warns(DeprecationWarning, match="TLSv1_1"):
            await listening.connect("svc.services.test", maximum_version=ssl.TLSVersion.TLSv1_1)


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
