"""What instances do to a router: die, hang, lie, vanish without a word, close what is being used."""

import asyncio
import random
import socket
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pytest
from faults.conftest import Measured
from faults.numbers import held_s, number
from faults.site import installation

from narthex.runtime.tasks import background
from narthex.testing.backend import Conversation, backend
from narthex.testing.installation import Installation, P, Service
from narthex.testing.load import Request, listed, load
from narthex.testing.waiting import eventually, until

AWAY_S = held_s()
POSTS = number(500, 10_000)
CUTS = number(50, 1000)
RACES = number(500, 10_000)
ABORTS = number(1000, 100_000)
REUSES = number(2, 20, 200)


@asynccontextmanager
async def dying_at_random(service: Service, every_s: float) -> AsyncIterator[Counter[str]]:
    """Instances are killed and started again, one after the other."""
    kills: Counter[str] = Counter()

    async def go_on() -> None:
        while True:
            await asyncio.sleep(random.uniform(0.5, 1.5) * every_s)
            victim = random.choice(service.instances)
            victim.process.kill()
            kills[victim.name] += 1
            await asyncio.sleep(random.uniform(0.1, 0.5) * every_s)
            await victim.process.start()

    async with background() as tasks:
        tasks.start(go_on(), "kill")
        yield kills


@pytest.mark.fault(
    "instances die at random under POSTs", "none is delivered twice; each is answered or its failure named", quick=True
)
async def test_no_post_is_delivered_twice(tmp_path: Path, measured: Measured) -> None:
    async with installation(tmp_path, routers=2) as here:
        service = await here.service("hello", instances=4)
        post = Request(service.host, method="POST", path="/slow/5/{nonce}", body=b"x" * 200)
        async with dying_at_random(service, 0.7) as kills, load(here.http_ports, post, rate=250) as so_far:
            await until(lambda: so_far.sent >= POSTS, 120.0)
        heard = Counter(service.requests())
        twice = {line: count for line, count in heard.items() if count > 1}
        measured(f"{kills.total()} kills; {so_far.said()}; {len(twice)} delivered twice")
        assert kills.total() > 0
        assert twice == {}
        assert so_far.wrong == []
        assert so_far.failed == 0
        assert set(so_far.refused) <= {"upstream_closed", "connect_failed", "no_healthy_instances"}


@pytest.mark.fault("instances die at random under GETs", "no request fails: another instance answers")
async def test_a_get_is_answered_by_another_instance(tmp_path: Path, measured: Measured) -> None:
    async with installation(tmp_path, routers=2) as here:
        service = await here.service("hello", instances=4)
        async with (
            dying_at_random(service, 1.5) as kills,
            load(here.http_ports, Request(service.host), rate=250) as so_far,
        ):
            await asyncio.sleep(max(AWAY_S, 4.0))
        measured(f"{kills.total()} kills; {so_far.said()}")
        assert kills.total() > 0
        assert so_far.lost == 0


async def registered(here: Installation, name: str, ports: list[int], **policy: object) -> str:
    """A service on ports of this process, health by TCP; the host."""
    await here.api.made(f"{P}/deployments", {"name": name, "supports_request_format": False})
    await here.api.made(f"{P}/deployments/{name}/versions", {"version": "v1"})
    wish = {"name": name, "deployment": name, "port": 8080, "authentication_required": False, **policy}
    made = await here.api.made(f"{P}/services", wish)
    for port in ports:
        path = f"{P}/deployments/{name}/versions/v1/instances"
        await here.api.made(path, {"address": "127.0.0.1", "port": port})
    service = Service(name, made["id"], f"{made['id']}.services.localhost", 8080)
    await here.healthy(service, len(ports))
    return service.host


@pytest.mark.fault("an instance cuts its answer off at a random byte", "the client never sees a clean end")
async def test_an_answer_that_was_cut_off_never_ends_cleanly(tmp_path: Path, measured: Measured) -> None:
    async def cut(conversation: Conversation) -> None:
        while head := await conversation.head():
            body = random.randbytes(random.randrange(1, 20_000)).hex().encode()
            if b"/chunked" in head:
                whole = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n" % (
                    len(body),
                    body,
                )
            else:
                whole = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body)
            await conversation.send(whole[: random.randrange(whole.index(b"\r\n\r\n") + 4, len(whole))])
            return

    async with installation(tmp_path) as here, backend(cut) as instance:
        host = await registered(here, "liar", [instance.port])
        ends: Counter[str] = Counter()
        for number in range(CUTS):
            reader, writer = await asyncio.open_connection("127.0.0.1", here.http_ports[0])
            path = ("/chunked", "/length")[number % 2]
            writer.write(f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
            ends[await how_it_ended(reader)] += 1
            writer.transport.abort()
        measured(f"{listed(ends)} of {CUTS:,}")
        assert ends["clean"] == 0


async def how_it_ended(reader: asyncio.StreamReader) -> str:
    """Whether a strict client takes what it got for a whole answer."""
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        if not head.startswith(b"http/1.1 200"):
            return head[9:12].decode()
        if b"chunked" in head:
            while size := int(await reader.readuntil(b"\r\n"), 16):
                await reader.readexactly(size + 2)
            await reader.readexactly(2)
        else:
            length = next(line for line in head.split(b"\r\n") if line.startswith(b"content-length"))
            await reader.readexactly(int(length.split(b":")[1]))
    except (EOFError, OSError):
        return "cut off"
    return "clean"


@pytest.mark.fault(
    "an instance closes idle connections at random moments", "no error for requests that may be repeated"
)
async def test_connections_that_close_while_they_are_used_cost_nothing(tmp_path: Path, measured: Measured) -> None:
    async def closing(conversation: Conversation) -> None:
        while head := await conversation.head():
            nonce = head.split(b" ", 2)[1]
            await conversation.send(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s" % (len(nonce), nonce))
            try:
                async with asyncio.timeout(random.uniform(0.0, 0.02)):
                    await conversation.reader.read(0) if conversation.reader.at_eof() else await asyncio.sleep(1)
            except TimeoutError:
                if random.random() < 0.3:
                    return

    async with installation(tmp_path) as here, backend(closing) as first, backend(closing) as second:
        host = await registered(here, "closing", [first.port, second.port])
        async with load(here.http_ports, Request(host), rate=300, clients=16, kept=1.0) as so_far:
            await until(lambda: so_far.sent >= RACES, 120.0)
        measured(f"{first.connections + second.connections} connections for {so_far.said()}")
        assert so_far.lost == 0


@pytest.mark.fault(
    "an instance in a black hole (packets vanish, no reset)",
    "after the connect timeout another one answers; no request fails",
)
async def test_an_instance_that_swallows_packets_costs_time_only(tmp_path: Path, measured: Measured) -> None:
    async with installation(tmp_path, settings={"NARTHEX_ROUTER_CONNECT_TIMEOUT_S": "1"}) as here:
        service = await here.service("hello", instances=2)
        async with load(here.http_ports, Request(service.host), rate=200, clients=32) as so_far:
            await until(lambda: so_far.answered > 100)
            hole = service.instances[0]
            hole.process.kill()
            with swallowing("127.0.0.10", service.port):
                await asyncio.sleep(max(5.0, AWAY_S / 3))
        measured(so_far.said())
        assert so_far.lost == 0


class swallowing:  # noqa: N801 - used as a block
    """A port that takes connections nobody accepts, until its queue is full; from then on it drops SYNs in silence."""

    def __init__(self, address: str, port: int) -> None:
        self._where = address, port
        self._sockets: list[socket.socket] = []

    def __enter__(self) -> None:
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(self._where)
        listener.listen(0)
        self._sockets.append(listener)
        for _ in range(4):
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex(self._where)
            self._sockets.append(filler)

    def __exit__(self, *_: object) -> None:
        for each in self._sockets:
            each.close()


@pytest.mark.fault(
    "an instance's address becomes another tenant's, with NATS and the health service down",
    "no request is answered by the wrong tenant, none even reaches it",
    long=True,
)
async def test_an_address_that_became_another_tenants_gets_no_request(tmp_path: Path, measured: Measured) -> None:
    async with installation(tmp_path, routers=2) as here:
        service = await here.service("mine", instances=0)
        mine = await here.instance(service, identity="the-identity-of-mine")
        await here.healthy(service, 1)
        heard = tmp_path / "stranger.heard"
        *echo, _, _, _ = mine.process.spec.command
        spec = replace(mine.process.spec, command=(*echo, "stranger", str(heard), "the-identity-of-a-stranger"))
        stranger = replace(mine.process, spec=spec, child=None)
        for name in ("nats", "healthcheck"):
            here[name].kill()
        async with load(here.http_ports, Request(service.host), rate=100) as so_far:
            for _ in range(REUSES):
                answered = so_far.answered
                await until(lambda least=answered + 5: so_far.answered >= least)
                mine.process.kill()
                await stranger.start()
                refused = so_far.refused.total()
                await until(lambda least=refused + 5: so_far.refused.total() >= least)
                stranger.kill()
                await mine.process.start()
        measured(f"{REUSES} rounds; {so_far.said()}; answered by {listed(so_far.by_instance)}")
        assert heard.read_text() == ""  # what asks who it is does not count
        assert so_far.by_instance.keys() == {mine.name}
        assert so_far.wrong == []
        assert so_far.failed == 0


@pytest.mark.fault("all instances of a service are down", "503 at once with Retry-After; other services do not notice")
async def test_a_service_without_instances_says_so_at_once(tmp_path: Path, measured: Measured) -> None:
    async with installation(tmp_path, routers=2) as here:
        dead, alive = await here.service("dead", instances=2), await here.service("alive", instances=2)
        for instance in dead.instances:
            instance.process.kill()
        await here.healthy(dead, 0)
        async with (
            load(here.http_ports, Request(dead.host), rate=200) as refused,
            load(here.http_ports, Request(alive.host), rate=200) as so_far,
        ):
            await asyncio.sleep(max(2.0, AWAY_S / 3))
        measured(f"dead: {refused.said()}; alive: {so_far.said()}")
        assert set(refused.refused) == {"no_healthy_instances"}
        assert refused.refused.total() == refused.sent
        assert so_far.lost == 0


@pytest.mark.fault(
    "a slow service is overloaded", "its callers wait a bounded time or are told; other services do not notice"
)
async def test_an_overloaded_service_disturbs_nobody_else(tmp_path: Path, measured: Measured) -> None:
    async with installation(tmp_path) as here:
        slow = await here.service("slow", instances=1, instance_concurrency_limit=4)
        good = await here.service("good", instances=2)
        async with load(here.http_ports, Request(good.host), rate=200) as quiet:
            await asyncio.sleep(max(2.0, AWAY_S / 6))
        async with (
            load(here.http_ports, Request(slow.host, path="/slow/1000/{nonce}"), rate=100, clients=50) as waiting,
            load(here.http_ports, Request(good.host), rate=200) as so_far,
        ):
            await asyncio.sleep(max(4.0, AWAY_S / 3))
        measured(f"slow: {waiting.said()}; good: {so_far.said()}, p99 {quiet.p99_s() * 1000:.0f} ms before")
        assert so_far.lost == 0
        assert set(waiting.refused) == {"instances_full"}
        assert waiting.failed == 0


@pytest.mark.fault(
    "clients go away in the middle of requests",
    "no answer goes to the wrong one, no connection is left over",
)
async def test_clients_that_go_away_confuse_nobody(tmp_path: Path, measured: Measured) -> None:
    async with installation(tmp_path) as here:
        service = await here.service("hello", instances=2)
        gone = 0

        async def abort() -> None:
            nonlocal gone
            while gone < ABORTS:
                gone += 1
                _, writer = await asyncio.open_connection("127.0.0.1", here.http_ports[0])
                whole = Request(service.host, path="/slow/3/{nonce}").wire(f"gone-{gone}", last=False)
                writer.write(whole[: random.randrange(1, len(whole) + 1)])
                await asyncio.sleep(random.choice((0.0, 0.001, 0.004)))
                writer.transport.abort()

        async with load(here.http_ports, Request(service.host), rate=100) as so_far:
            await asyncio.gather(*(abort() for _ in range(20)))
            await until(lambda: so_far.answered > 50)

        async def left_over() -> dict[str, float]:
            metrics = await here["router"].metrics()
            held = ("narthex_router_worker_connections{", "narthex_router_worker_in_flight{")
            return {name: value for name, value in metrics.items() if name.startswith(held) and value}

        async def nothing_left() -> bool:
            return not await left_over()

        with suppress(AssertionError):
            await eventually(nothing_left)
        left = await left_over()
        measured(f"{gone:,} went away; left over afterwards: {left or 'nothing'}; {so_far.said()}")
        assert so_far.lost == 0
        assert left == {}
