"""Probes of real sockets: what each way of failing is called."""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from narthex.contracts.reach import Reach, parse_reach
from narthex.testing.ca import ThrowAwayCA
from narthex_healthcheck.answer import BODY_BYTES
from narthex_healthcheck.probe import Probe
from narthex_healthcheck.target import NO_IDENTITY, OTHER_INSTANCE, Question, Target
from narthex_healthcheck.verdict import ANSWERED, Outcome, Thresholds

Serving = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def target(port: int, path: str | None = "/", address: str = "127.0.0.1", timeout_s: float = 5.0) -> Target:
    return Target(address, port, Question(path) if path is not None else None, 5.0, timeout_s, Thresholds())


def asking(port: int, question: Question) -> Target:
    return Target("127.0.0.1", port, question, 5.0, 5.0, Thresholds())


async def probe(target: Target) -> Outcome:
    return await Probe(Reach())(target)


@asynccontextmanager
async def application(handler: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> AsyncIterator[int]:
    """An aiohttp server; yields its port."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handler)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


@asynccontextmanager
async def bytes_server(answer: bytes, then_hang: bool = False) -> AsyncIterator[int]:
    """A server that sends `answer` to whoever connects and asks; yields its port."""
    over = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        if then_hang:
            await over.wait()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        over.set()
        server.close()


def closed_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


@pytest.mark.parametrize(
    ("status", "cause"),
    [(200, ANSWERED), (204, ANSWERED), (302, ANSWERED), (399, ANSWERED), (401, "http_4xx"), (503, "http_5xx")],
)
async def test_a_status_from_200_to_399_is_expected(status, cause):
    async def answer(request: web.Request) -> web.Response:
        return web.Response(status=status, headers={"Location": "http://127.0.0.1:1/never-followed"})

    async with application(answer) as port:
        assert await probe(target(port)) == Outcome(cause, f"probe: HTTP {status}")


async def test_it_says_who_it_is_and_asks_for_exactly_the_path():
    seen: list[web.Request] = []

    async def answer(request: web.Request) -> web.Response:
        seen.append(request)
        response = web.Response()
        response.set_cookie("session", "1")
        return response

    async with application(answer) as port:
        for _ in range(2):
            await probe(target(port, "/health%20check?deep=1"))
    for request in seen:
        assert request.raw_path == "/health%20check?deep=1"
        assert request.headers["Host"] == f"127.0.0.1:{port}"
        assert request.headers["User-Agent"] == "narthex-healthcheck"
        assert "Cookie" not in request.headers


@pytest.mark.parametrize(("status", "cause"), [(204, ANSWERED), (401, ANSWERED), (200, "http_2xx"), (302, "http_3xx")])
async def test_other_statuses_can_be_expected(status, cause):
    async def answer(request: web.Request) -> web.Response:
        return web.Response(status=status)

    async with application(answer) as port:
        question = Question("/", expected=((204, 204), (400, 499)))
        assert await probe(asking(port, question)) == Outcome(cause, f"probe: HTTP {status}")


async def test_it_sends_the_method_and_headers_of_the_check():
    seen: list[web.Request] = []

    async def answer(request: web.Request) -> web.Response:
        seen.append(request)
        return web.Response(text="a body that HEAD does not get")

    headers = (("Host", "app.example.org"), ("X-Probe", "yes"), ("User-Agent", "mine"))
    async with application(answer) as port:
        assert (await probe(asking(port, Question("/up", "HEAD", headers)))).good
    [request] = seen
    assert (request.method, request.path) == ("HEAD", "/up")
    assert [request.headers[name] for name, _ in headers] == [value for _, value in headers]


async def test_a_body_without_end_is_read_only_so_far():
    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        try:
            while True:
                await response.write(b"x" * BODY_BYTES)
        except ConnectionResetError:
            return response

    async with application(answer) as port:
        assert (await probe(target(port))).good


async def test_a_body_that_stalls_times_out():
    async with bytes_server(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", then_hang=True) as port:
        outcome = await probe(target(port, timeout_s=0.2))
    assert outcome == Outcome("timeout", "probe: timed out after 0.2 s")


async def test_a_silent_application_times_out():
    async with bytes_server(b"", then_hang=True) as port:
        assert (await probe(target(port, timeout_s=0.2))).cause == "timeout"


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        (b"", "closed"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "bad_answer"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", "bad_answer"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000 + b"\r\n\r\n", "bad_answer"),
    ],
)
async def test_what_is_no_whole_http_answer_is_named(answer, cause):
    async with bytes_server(answer) as port:
        assert (await probe(target(port))).cause == cause


@pytest.mark.parametrize("path", ["/", None])
async def test_nobody_listening_is_a_refused_connection(path):
    assert await probe(target(closed_port(), path)) == Outcome("refused", "probe: connection refused")


@pytest.mark.parametrize("path", ["/", None])
async def test_a_name_that_does_not_resolve_is_named(path):
    outcome = await probe(target(9000, path, address="no-such-host.invalid"))
    assert outcome == Outcome("unresolved", "probe: address no-such-host.invalid does not resolve")


async def test_without_a_path_an_accepted_connection_counts():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        assert await probe(target(listening.getsockname()[1], path=None)) == Outcome(
            ANSWERED, "probe: connection accepted"
        )


async def test_a_connect_that_hangs_times_out():
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listening, contextlib.ExitStack() as waiting:
        for _ in range(2):  # more than the queue holds: the kernel answers no further connect
            client = waiting.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex(listening.getsockname())
        port = listening.getsockname()[1]
        for path in (None, "/"):
            assert (await probe(target(port, path, timeout_s=0.2))).cause == "timeout"


async def test_a_name_with_several_addresses_is_tried_address_by_address():
    with socket.create_server(("127.0.0.1", 0)) as listening:  # localhost may be ::1 first
        assert (await probe(target(listening.getsockname()[1], None, address="localhost"))).good


async def test_a_redirect_is_an_answer_and_is_not_followed():
    async def answer(request: web.Request) -> web.Response:
        raise web.HTTPFound("http://169.254.169.254/latest/meta-data")

    async with application(answer) as port:
        assert await probe(target(port)) == Outcome(ANSWERED, "probe: HTTP 302")


async def test_a_head_that_comes_for_ever_times_out():
    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nX: y")
        while not reader.at_eof():
            writer.write(b"y")
            with contextlib.suppress(TimeoutError, ConnectionError):
                await asyncio.wait_for(reader.read(1000), 0.01)
        writer.close()
        closed.set()

    closed = asyncio.Event()
    server = await asyncio.start_server(drip, "127.0.0.1", 0)
    async with server:
        outcome = await probe(target(server.sockets[0].getsockname()[1], timeout_s=0.2))
        await closed.wait()
    assert outcome == Outcome("timeout", "probe: timed out after 0.2 s")


async def test_a_port_that_wants_tls_has_one_reason(tmp_path):
    issued = ThrowAwayCA().issue("app.example.org")
    (tmp_path / "pem").write_bytes(issued.key + issued.chain.encode())
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(tmp_path / "pem")
    server = await asyncio.start_server(lambda reader, writer: writer.close(), "127.0.0.1", 0, ssl=context)
    async with server:
        assert (await probe(target(server.sockets[0].getsockname()[1]))).cause in ("closed", "bad_answer")


async def test_interim_answers_are_passed_over():
    async with bytes_server(b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n") as port:
        assert (await probe(target(port))).sentence == "probe: HTTP 503"


@pytest.mark.parametrize("path", ["/", None])
async def test_an_address_that_the_installation_does_not_allow_is_not_connected_to(path):
    outcome = await probe(target(80, path, address="169.254.169.254"))
    assert outcome.cause == "not_allowed"
    assert "169.254.169.254 is a link-local address" in outcome.sentence


async def test_a_name_is_judged_by_what_it_resolves_to():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        ours = parse_reach("", f"127.0.0.1:{port}, [::1]:{port}")
        assert (await Probe(ours)(target(port, None, address="localhost"))).cause == "not_allowed"


@pytest.mark.parametrize(
    ("field", "outcome"),
    [
        ("X-Narthex-Instance: mine\r\n", Outcome(ANSWERED, "probe: HTTP 200")),
        ("X-Narthex-Instance: theirs\r\n", OTHER_INSTANCE),
        ("X-Narthex-Instance: mine, theirs\r\n", NO_IDENTITY),
        ("", NO_IDENTITY),
    ],
)
async def test_an_instance_with_an_identity_has_to_be_the_one_that_answers(field, outcome):
    async with bytes_server(f"HTTP/1.1 200 OK\r\n{field}Content-Length: 0\r\n\r\n".encode()) as port:
        assert await probe(asking(port, Question("/", identity="mine"))) == outcome


async def test_a_bad_status_is_said_before_who_answers():
    async with bytes_server(b"HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n") as port:
        assert (await probe(asking(port, Question("/", identity="mine")))).sentence == "probe: HTTP 503"
