"""Tenants who share routers, addresses and connections (THREATS 1.3): a request reaches its own host's service."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from integration.router_kit import Router, entry, router, service_entries
from integration.test_router_tls import CA, request, secure

from narthex.contracts.names import RESERVED_LABELS, parse_hostname, service_host
from narthex.routing import Entry, Kind
from narthex.testing.backend import Backend, answer, backend
from narthex.testing.waiting import until


def said(name: str) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(name), name.encode())


@asynccontextmanager
async def two_services() -> AsyncIterator[tuple[Router, Backend, Backend]]:
    """A router with the services of two tenants, and an instance of each, which says whose it is."""
    async with backend(answer(said("svc"))) as one, backend(answer(said("other"))) as other:
        entries = service_entries([one.port]) + service_entries([other.port], service="other")
        async with router(entries) as under_test:
            yield under_test, one, other


async def test_each_request_of_a_connection_goes_by_its_own_host() -> None:
    async with two_services() as (under_test, one, other):
        client = await under_test.connect()
        for name in ("svc", "other", "other", "svc", "SVC", "other"):
            await client.send(f"GET /a HTTP/1.1\r\nHost: {name}.services.test\r\nX-A: b\r\n\r\n".encode())
            assert (await client.answer())[2] == name.lower().encode()
        assert {b"host: svc.services.test" in head.lower() for head in one.requests} == {True}
        assert {b"host: other.services.test" in head.lower() for head in other.requests} == {True}


@pytest.mark.parametrize(
    "head",
    [
        b"GET http://other.services.test/ HTTP/1.1\r\nHost: svc.services.test\r\n",
        b"GET http://svc.services.test@other.services.test/ HTTP/1.1\r\nHost: svc.services.test\r\n",
        b"GET http://other.services.test#svc.services.test/ HTTP/1.1\r\nHost: svc.services.test\r\n",
        b"GET http://svc.services.test\\@other.services.test/ HTTP/1.1\r\nHost: svc.services.test\r\n",
        b"GET / HTTP/1.1\r\nHost: svc.services.test\r\nHost: other.services.test\r\n",
        b"GET / HTTP/1.1\r\nHost: svc.services.test, other.services.test\r\n",
        b"GET / HTTP/1.1\r\nHost: svc.services.test@other.services.test\r\n",
        b"GET / HTTP/1.1\r\nHost: svc.services.test/other.services.test\r\n",
        b"GET / HTTP/1.1\r\nHost: svc.services.test\x00.other.services.test\r\n",
        b"GET / HTTP/1.1\r\nHost: svc.services.test:80:80\r\n",
        b"GET / HTTP/1.1\r\nHost: svc.services.test:0\r\n",
        b"GET / HTTP/1.1\r\nHost: svc.services.test:70000\r\n",
    ],
)
async def test_a_request_that_names_two_hosts_reaches_neither(head: bytes) -> None:
    async with two_services() as (under_test, one, other):
        client = await under_test.connect()
        await client.send(head + b"\r\n")
        status, _, _ = await client.answer()

        assert status == 400
        assert one.requests + other.requests == []


@pytest.mark.parametrize(
    "line",
    [
        b"X-Forwarded-Host: other.services.test", b"X-Host: other.services.test",
        b"Forwarded: host=other.services.test",
        b"X-Original-URL: http://other.services.test/", b"X-Rewrite-URL: http://other.services.test/",
        b"X-Forwarded-Server: other.services.test", b"X-HTTP-Method-Override: DELETE", b"X-Narthex-Service: other",
        b"Via: 1.1 other.services.test", b"X-Original-Host: other.services.test",
    ],
)  # fmt: skip
async def test_no_field_but_host_says_which_service_is_meant(line: bytes) -> None:
    async with two_services() as (under_test, one, other):
        client = await under_test.connect()
        await client.send(b"GET /a HTTP/1.1\r\nHost: svc.services.test\r\n" + line + b"\r\n\r\n")

        assert (await client.answer())[2] == b"svc"
        assert other.requests == []
        assert one.requests[0].startswith(b"GET /a HTTP/1.1\r\n")


async def test_another_service_under_a_name_that_was_deleted_has_nothing_of_the_one_before() -> None:
    async with (
        backend(answer(said("svc"))) as before,
        backend(answer(said("new"))) as after,
        router(service_entries([before.port])) as under_test,
    ):
        client = await under_test.connect()
        await client.send(request("svc.services.test"))
        assert (await client.answer())[2] == b"svc"
        gone = [Entry(Kind.SERVICE, "svc", 2, 2, None), Entry(Kind.INSTANCE, "svc-i0", 2, 2, None)]
        under_test.plane.table.apply([*gone, *service_entries([after.port], service="new")])
        await client.send(request("svc.services.test"))
        status, _, body = await client.answer()
        assert (status, json.loads(body)["code"]) == (404, "unknown_service")
        await client.send(request("new.services.test"))
        assert (await client.answer())[2] == b"new"
        assert len(before.requests) == 1


async def test_a_deleted_services_host_is_never_anothers() -> None:
    # The first label is the service's id, made new for each: no name that a tenant chooses is part of a host.
    async with router(service_entries([1])) as under_test:
        under_test.plane.table.apply([Entry(Kind.SERVICE, "svc", 5, 5, None)])
        under_test.plane.table.apply([entry(Kind.SERVICE, "svc", 4, project_id="q", deployment_id="dep-svc", port=1)])
        assert under_test.plane.table.route(b"svc.services.test") is None


@pytest.mark.parametrize(
    "label", ["www", "api", "admin", "_acme-challenge", "autodiscover", "wpad", "localhost", "mail"]
)
def test_labels_that_shadow_the_platform_are_reserved(label: str) -> None:
    assert label in RESERVED_LABELS


@pytest.mark.parametrize(
    "host",
    [
        "", ".", "a..b", "-a.test", "a-.test", "a" * 64 + ".test", "a." * 127 + "test", "a_b.test", "a b", "a\x00.test",
        "\u212a.test", "\u0430pple.test", "a.test\n", "*.test", "a.test/", "a.test:1", "a@b", "[::1]", "a\uff0eb",
    ],
)  # fmt: skip
def test_a_text_that_is_no_dns_name_is_nobodys_host(host: str) -> None:
    with pytest.raises(ValueError, match="must be a DNS name"):
        parse_hostname(host)


def test_the_longest_host_of_a_service_is_a_dns_name() -> None:
    assert parse_hostname(service_host("0" * 36, "a" * 60 + ".test"))


NAMES = [
    b"svc.services.test\x00.evil",
    b"svc.services\x00test",
    b"\x00" * 17,
    b"svc.services.test\n",
    b"svc services.test",
]


@pytest.mark.parametrize("name", NAMES)
async def test_a_name_in_a_handshake_that_is_none_ends_it_and_nothing_else(name: bytes) -> None:
    plain = b"x" * (len(name) - 5) + b".test"
    outgoing = ssl.MemoryBIO()
    client = ssl.create_default_context().wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname=plain.decode())
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    hello = outgoing.read().replace(plain, name)
    assert name in hello
    async with (
        backend(answer(said("svc"))) as instance,
        router(service_entries([instance.port])) as under_test,
        secure(under_test, CA.issue("*.services.test")) as listening,
    ):
        reader, writer = await asyncio.open_connection("127.0.0.1", listening.port)
        writer.write(hello)
        async with asyncio.timeout(20):
            got = await reader.read()
        writer.close()
        assert got[:1] in (b"", b"\x15")  # nothing, or an alert
        good = await listening.connect("svc.services.test")
        await good.send(request("svc.services.test"))
        assert (await good.answer())[2] == b"svc"
        good.close()
        await until(lambda: not under_test.plane.connections)


async def test_a_flood_of_names_that_nobody_has_makes_no_certificate_and_no_route() -> None:
    async with (
        router(service_entries([1])) as under_test,
        secure(under_test, CA.issue("*.services.test")) as listening,
    ):
        held = len(under_test.plane.table.routes)
        for number in range(100):
            with pytest.raises(ssl.SSLError, match=r"(?i)unrecognized.name"):
                await listening.connect(f"random-{number}.example")
        await until(lambda: not under_test.plane.connections)
        assert len(under_test.plane.table.routes) == held
