"""Fields that clients write and only the router may say (THREATS 1.4, T30, T35), and what comes back of a request."""

import asyncio
import re

import pytest
from attacks.harness import firing_range
from attacks.origin import Seen
from integration.router_kit import router, service_entries

from narthex.testing.backend import answer, backend

FORGED = b"forged-6f1c"
OURS_TO_SAY = [
    b"X-Forwarded-For", b"X-Forwarded-Host", b"X-Forwarded-Proto", b"X-Forwarded-Port", b"X-Forwarded-Server",
    b"X-Forwarded-Ssl", b"X-Forwarded-Scheme", b"X-Forwarded-Prefix", b"X-Real-IP", b"X-Client-IP", b"Forwarded",
    b"True-Client-IP", b"CF-Connecting-IP", b"X-Client-Cert", b"X-Forwarded-Client-Cert", b"Client-Cert",
    b"Client-Cert-Chain", b"X-Original-URL", b"X-Rewrite-URL", b"X-Request-Id", b"X-Narthex-User",
    b"X-Narthex-Project", b"X-Narthex-Service", b"X-Narthex-Roles", b"X-Narthex-Error", b"X-Narthex-Instance",
]  # fmt: skip
NAMED_BY_CONNECTION = [
    b"host", b"content-length", b"transfer-encoding", b"content-type", b"cookie", b"x-request-id",
    b"x-forwarded-for", b"x-forwarded-host", b"x-forwarded-proto", b"x-forwarded-port",
]  # fmt: skip
HELLO = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"


async def seen_by_the_instance(*lines: bytes, body: bytes = b"") -> Seen:
    head = b"".join(line + b"\r\n" for line in (b"POST /a HTTP/1.1", b"Host: svc.test", *lines))
    async with firing_range() as range_:
        outcome = await range_.shoot(head + b"\r\n" + body)
    assert outcome.breaches == []
    [seen] = outcome.requests
    return seen


@pytest.mark.parametrize("change", [bytes.upper, bytes.lower, bytes.title], ids=lambda change: change.__name__)
async def test_what_only_the_router_may_say_is_never_a_clients_word(change) -> None:  # type: ignore[no-untyped-def]
    seen = await seen_by_the_instance(*(change(name) + b": " + FORGED for name in OURS_TO_SAY for _ in range(2)))

    assert [(name, value) for name, value in seen.headers if FORGED in value] == []
    headers = dict(seen.headers)
    assert headers[b"x-forwarded-for"] == b"127.0.0.1"
    assert headers[b"x-forwarded-host"] == b"svc.test"


@pytest.mark.parametrize("name", [name.replace(b"-", b"_") for name in OURS_TO_SAY if b"-" in name])
async def test_an_underscore_is_no_way_to_say_it(name: bytes) -> None:
    async with firing_range() as range_:
        outcome = await range_.shoot(b"GET / HTTP/1.1\r\nHost: a\r\n" + name + b": x\r\n\r\n")

    assert [answer.status for answer in outcome.answers] == [400]
    assert outcome.requests == []


async def test_a_hundred_hops_are_one_client() -> None:
    hops = b", ".join(b"203.0.113.%d" % number for number in range(100))
    seen = await seen_by_the_instance(b"X-Forwarded-For: " + hops, b"Forwarded: for=" + hops)

    assert [value for name, value in seen.headers if name == b"x-forwarded-for"] == [b"127.0.0.1"]


@pytest.mark.parametrize("name", NAMED_BY_CONNECTION)
async def test_connection_takes_nothing_away_that_matters(name: bytes) -> None:
    seen = await seen_by_the_instance(
        b"Connection: " + name, b"Connection: x, " + name.upper(), b"Content-Type: a/b", b"Cookie: c=d",
        b"Content-Length: 5", body=b"hello",
    )  # fmt: skip

    headers = dict(seen.headers)
    assert name == b"transfer-encoding" or headers[name] != b""
    assert headers[b"content-type"] == b"a/b"
    assert headers[b"cookie"] == b"c=d"
    assert seen.body == b"hello"


@pytest.mark.parametrize("connection", [b"authorization", b"close, Authorization"])
async def test_connection_does_not_hide_a_credential_from_the_router(connection: bytes) -> None:
    async with backend(answer(HELLO)) as instance, router(service_entries([instance.port], public=False)) as under_test:
        client = await under_test.connect()
        lines = b"Host: svc.services.test\r\nConnection: " + connection + b"\r\nAuthorization: Token nx_x\r\n"
        await client.send(b"GET / HTTP/1.1\r\n" + lines + b"\r\n")
        _, head, _ = await client.answer()

    assert b"x-narthex-error: token_invalid" in head
    assert instance.requests == []


async def test_a_token_that_was_checked_goes_no_further_and_is_in_no_record() -> None:
    token = b"nx_forged0123456789forged0123456789"
    async with backend(answer(HELLO)) as instance, router(service_entries([instance.port], public=False)) as under_test:
        client = await under_test.connect()
        for scheme in (b"Token ", b"Bearer "):
            await client.send(
                b"GET /?q=1 HTTP/1.1\r\nHost: svc.services.test\r\nAuthorization: " + scheme + token + b"\r\n\r\n"
            )
            status, head, body = await client.answer()
            assert status == 401
            assert token not in head + body
        assert instance.requests == []
        assert token.decode() not in str(under_test.journal())


MARK = b"reflected-91ab"


@pytest.mark.parametrize(
    "message",
    [
        b"GET /%b HTTP/1.1\r\nHost: svc.services.test\r\nX-Request-Id: %b\r\nX_Y: %b\r\n\r\n",
        b"GET /<script>%b HTTP/1.1\r\nHost: nowhere.test\r\nUser-Agent: %b\r\nReferer: %b\r\n\r\n",
        b"GET /%b HTTP/1.1\r\nHost: a b %b\r\nX: %b\r\n\r\n",
        b"%b /%b HTTP/1.1\r\nHost : %b\r\n\r\n",
        b"GET /%b HTTP/1.1\r\nHost: svc.services.test\r\n%b\r\nCookie: %b\r\n\r\n",
        b"GET /%b HTTP/9.9\r\nHost: %b\r\nX: %b\r\n\r\n",
        b"POST /%b HTTP/1.1\r\nHost: svc.services.test\r\nContent-Length: %b\r\nX: %b\r\n\r\n",
    ],
)
async def test_an_error_of_the_routers_own_repeats_nothing_of_the_request(message: bytes) -> None:
    async with router(service_entries([])) as under_test:
        client = await under_test.connect()
        await client.send(message % (MARK, MARK, MARK))
        status, head, body = await client.answer()

    assert 400 <= status < 600
    assert MARK not in head.lower()
    assert MARK not in body.lower()
    assert b"content-type: application/problem+json" in head


@pytest.mark.parametrize(
    "target",
    [
        b"/%0d%0aSet-Cookie:%20a=b",
        b"//evil.test/",
        b"/\\evil.test",
        b"/?next=//evil.test",
        b"/a\rSet-Cookie: a=b",
        b"/\xe2",
    ],
)
async def test_a_redirect_has_one_location_at_the_same_host(target: bytes) -> None:
    async with router(service_entries([])) as under_test:
        under_test.plane.serve_plain = False
        client = await under_test.connect()
        await client.send(b"GET " + target + b" HTTP/1.1\r\nHost: svc.services.test\r\n\r\n")
        async with asyncio.timeout(20):
            head = await client.head()

    lines = head[:-4].split(b"\r\n")
    assert all(re.fullmatch(rb"[!-~ ]*", line) for line in lines)
    assert not any(line.lower().startswith(b"set-cookie") for line in lines)
    if head.startswith(b"HTTP/1.1 308 "):
        [location] = [line for line in lines if line.startswith(b"location: ")]
        assert location.startswith(b"location: https://svc.services.test:8443/")
    else:
        assert head.startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize("path", [b"/metrics", b"/healthz", b"/readyz", b"/.narthex/metrics", b"/debug", b"/admin"])
@pytest.mark.parametrize("host", [b"svc.services.test", b"localhost", b"127.0.0.1", b"admin.services.test"])
async def test_nothing_of_the_routers_operations_is_on_its_public_port(host: bytes, path: bytes) -> None:
    async with backend(answer(HELLO)) as instance, router(service_entries([instance.port])) as under_test:
        client = await under_test.connect()
        await client.send(b"GET " + path + b" HTTP/1.1\r\nHost: " + host + b"\r\n\r\n")
        status, head, body = await client.answer()

    if host == b"svc.services.test":
        assert body == b"hello"  # the instance's own page
    else:
        assert status == 404
        assert b"x-narthex-error: unknown_service" in head
