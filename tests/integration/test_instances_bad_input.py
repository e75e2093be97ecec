"""What instances and their names can do to those who connect to them: bounded, one reason, and never to where the
installation lives.

    python -m pytest -s tests/integration/test_instances_bad_input.py
"""

import asyncio
import itertools
import socket
import time
import tracemalloc
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
from integration.router_kit import entry, router, service_entries

from narthex.contracts.reach import Reach, parse_reach
from narthex.routing import Kind
from narthex.testing.backend import Backend, Conversation, Script, answer, backend
from narthex_healthcheck.probe import Probe
from narthex_healthcheck.target import Question, Target
from narthex_healthcheck.verdict import ANSWERED, Outcome, Thresholds
from narthex_router.evidence import Place
from narthex_router.suspects import accepts

GIGABYTE = 1024**3
PIECE = b"x" * 65_536
HI = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
NAME = "models.example.org"


def target(port: int, address: str = "127.0.0.1", timeout_s: float = 1.0) -> Target:
    return Target(address, port, Question("/"), 5.0, timeout_s, Thresholds())


class Pouring:
    """Answers with a head and then with as many bytes as are taken."""

    def __init__(self, head: bytes, most: int = GIGABYTE) -> None:
        self._head = head
        self._most = most
        self.sent = 0

    async def serve(self, conversation: Conversation) -> None:
        await conversation.head()
        await conversation.send(self._head)
        while self.sent < self._most:
            await conversation.send(PIECE)
            self.sent += len(PIECE)


@pytest.mark.parametrize(
    ("head", "outcome"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % GIGABYTE, Outcome(ANSWERED, "probe: HTTP 200")),
        (b"HTTP/1.1 503 No\r\nTransfer-Encoding: chunked\r\n\r\n", Outcome("http_5xx", "probe: HTTP 503")),
        (b"HTTP/1.1 200 OK\r\nX-Endless: ", Outcome("bad_answer", "probe: the answer is not HTTP")),
    ],
)
async def test_a_gigabyte_of_an_answer_is_read_only_so_far(head: bytes, outcome: Outcome) -> None:
    pouring = Pouring(head)
    async with backend(pouring.serve) as there:
        tracemalloc.start()
        began = time.monotonic()
        found = await Probe(Reach())(target(there.port, timeout_s=5.0))
        took, held = time.monotonic() - began, tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert found == outcome
    assert pouring.sent < 16 * 1024 * 1024  # what the kernel's buffers took along
    assert held < 4 * 1024 * 1024
    print(f"\n{found.sentence}: {pouring.sent:,} bytes of a gigabyte sent, {held:,} bytes held, {took * 1000:.0f} ms")


async def test_a_redirect_into_the_installation_is_an_answer_and_nothing_else() -> None:
    async with secret() as inside:
        moved = b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:%d/\r\nContent-Length: 0\r\n\r\n" % inside.port
        async with backend(answer(moved)) as there:
            assert await Probe(Reach())(target(there.port)) == Outcome(ANSWERED, "probe: HTTP 302")
    assert inside.connections == 0


# -- names that lead elsewhere each time --------------------------------------------------------------------


@asynccontextmanager
async def secret() -> AsyncIterator[Backend]:
    """A server of the installation's own."""
    async with backend(answer(HI)) as inside:
        yield inside


@asynccontextmanager
async def instance_at(host: str, port: int, script: Script) -> AsyncIterator[Backend]:
    seen = Backend(port)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.connections += 1
        try:
            await script(Conversation(reader, writer, seen))
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, host, port)
    async with server:
        yield seen


def rebinding(monkeypatch: pytest.MonkeyPatch, addresses: Sequence[str]) -> Iterator[str]:
    """A name whose owner's DNS server answers with one address after the other; the last one stays."""
    answers = itertools.chain(addresses, itertools.repeat(addresses[-1]))
    loop = asyncio.get_running_loop()
    usual = loop.getaddrinfo

    async def getaddrinfo(host: Any, port: Any, **more: Any) -> Any:
        if host != NAME:
            return await usual(host, port, **more)
        return [(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (next(answers), port))]

    monkeypatch.setattr(loop, "getaddrinfo", getaddrinfo)
    return answers


async def test_a_probe_does_not_follow_a_name_into_the_installation(monkeypatch: pytest.MonkeyPatch) -> None:
    async with secret() as inside, instance_at("127.0.0.2", inside.port, answer(HI)) as outside:
        probe = Probe(parse_reach("", f"127.0.0.1:{inside.port}"))
        rebinding(monkeypatch, ["127.0.0.2", "127.0.0.1", "169.254.169.254"])
        found = [await probe(target(inside.port, NAME)) for _ in range(3)]
    assert [each.cause for each in found] == [ANSWERED, "not_allowed", "not_allowed"]
    assert (outside.connections, inside.connections) == (1, 0)
    print(f"\n{found[1].sentence}\n{found[2].sentence}")


def test_a_router_sends_nothing_where_a_name_leads_into_the_installation(monkeypatch: pytest.MonkeyPatch) -> None:
    # On asyncio's own loop: uvloop asks the resolver in C, where no test comes in between.
    with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
        runner.run(ask_a_name_that_leads_elsewhere(monkeypatch))


async def ask_a_name_that_leads_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    async with secret() as inside, instance_at("127.0.0.2", inside.port, answer(HI)) as outside:
        reach = parse_reach("", f"127.0.0.1:{inside.port}")
        named = entry(
            Kind.INSTANCE, "svc-i0", 2, deployment_id="dep-svc", version_id="v1", address=NAME, port=inside.port
        )
        async with router([*service_entries([inside.port]), named], reach=reach, upstream_idle_s=0.0) as under_test:
            rebinding(monkeypatch, ["127.0.0.2", "127.0.0.1"])
            statuses = []
            for _ in range(3):
                client = await under_test.connect()
                await client.send(b"POST / HTTP/1.1\r\nHost: svc.services.test\r\nContent-Length: 2\r\n\r\nhi")
                statuses.append((await client.answer())[0])
                for endpoint in under_test.plane.endpoints.of(under_test.plane.table.routes[b"svc.services.test"]):
                    endpoint.sweep(float("inf"))  # no kept connection: each request looks the name up
        assert statuses == [200, 502, 502]
        assert (len(outside.requests), len(inside.requests)) == (1, 0)
        assert not await accepts(Place("svc-i0", NAME, inside.port), reach)
    print(f"\nstatuses {statuses}, {len(inside.requests)} requests inside")
