"""What happens to a router: replaced, killed, stopped, starved of descriptors or memory, out of disk, out of time."""

import asyncio
import os
import re
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from faults.canary import CLOSED, OPEN, canary
from faults.conftest import Measured
from faults.machine import full, shifted, small_disk
from faults.numbers import ALL, held_s, number
from faults.site import installation

from narthex.testing.load import Request, listed, load, status
from narthex.testing.processes import Process, workers_of
from narthex.testing.sockets import talks
from narthex.testing.waiting import eventually, until
from narthex_router.workers import STEADY_S

GROUPS = Path("/sys/fs/cgroup")


def memory_groups() -> Path | None:
    """Where control groups for memory can be made, of version 2 or 1."""
    for root, file in ((GROUPS, "cgroup.subtree_control"), (GROUPS / "memory", "memory.limit_in_bytes")):
        made = os.access(root, os.W_OK) and (root / file).exists()
        if made and (root != GROUPS or "memory" in (root / file).read_text().split()):
            return root
    return None


@contextmanager
def memory_group(megabytes: int) -> Iterator[Path]:
    """A control group that kills who takes more."""
    root = memory_groups()
    assert root is not None
    group = root / f"narthex-test-{os.getpid()}"
    group.mkdir()
    limit = "memory.max" if (group / "memory.max").exists() else "memory.limit_in_bytes"
    (group / limit).write_text(str(megabytes << 20))
    try:
        yield group
    finally:
        group.rmdir()


AWAY_S = held_s()
RESTARTS = number(2, 20, 100)
DRAIN_S = 3
KILLS = number(1, 5)
STUCK = 5000  # clients that read nothing, at most: up to 500 KB each


@pytest.mark.fault(
    "two routers replaced in turn, again and again, under load and with WebSockets open",
    "no request fails, no connection is refused; a WebSocket goes on for the drain time, then ends with 1001",
    long=True,
)
async def test_routers_that_replace_one_another_lose_nothing(tmp_path: Path, measured: Measured) -> None:
    settings = {"NARTHEX_ROUTER_DRAIN_TIMEOUT_S": str(DRAIN_S)}
    async with installation(tmp_path, routers=2, workers=2, settings=settings) as here:
        service = await here.service("hello", instances=2)
        asked = Request(service.host)
        async with (
            load(here.http_ports, asked, rate=200, kept=0.5) as so_far,
            load(here.https_ports, asked, rate=50, kept=0.5, trust=here.trust) as secure,
            talks(here.http_ports, service.host, sockets=20) as talked,
        ):
            for turn in range(RESTARTS):
                await here[here.routers[turn % 2]].replace()
        measured(f"{RESTARTS} replacements; {so_far.said()}; TLS: {secure.said()}; {talked.said()}")
        assert so_far.lost == secure.lost == 0
        assert talked.wrong == []
        assert set(talked.ends) == {"1001"}
        assert talked.shortest_s > DRAIN_S - 0.5


@pytest.mark.fault("a worker killed (SIGKILL)", "only what it had under way fails; it is back within a second")
async def test_a_dead_worker_is_replaced_at_once(tmp_path: Path, measured: Measured) -> None:
    async with installation(tmp_path, workers=2) as here:
        service = await here.service("hello", instances=2)
        router = here["router"].pid
        slow = Request(service.host, path="/slow/20/{nonce}")
        async with load(here.http_ports, slow, rate=200, clients=8, kept=0.5) as so_far:
            longest = 0.0
            for _ in range(KILLS):
                await until(lambda: len(workers_of(router)) == 2)
                victim = workers_of(router)[0]
                began = asyncio.get_running_loop().time()
                os.kill(victim, signal.SIGKILL)
                await until(lambda gone=victim: gone not in workers_of(router) and len(workers_of(router)) == 2)
                longest = max(longest, asyncio.get_running_loop().time() - began)
                if ALL:
                    await asyncio.sleep(STEADY_S + 1)  # sooner, it would be a crash loop, which is slowed down
        measured(f"{KILLS} kills; another one after {longest:.2f} s at most; {so_far.said()}")
        assert so_far.refused.total() == 0
        assert so_far.wrong == []
        assert so_far.failed <= KILLS * 8  # no client had more than one under way


@pytest.mark.fault(
    "the event loop of a worker stands still (SIGSTOP)",
    "its stack is written down, it is replaced in 5 s; others go on",
)
async def test_a_worker_that_hangs_is_replaced(tmp_path: Path, measured: Measured) -> None:
    async with installation(tmp_path, workers=2) as here:
        service = await here.service("hello", instances=2)
        router = here["router"].pid
        await until(lambda: len(workers_of(router)) == 2)
        async with load(here.http_ports, Request(service.host), rate=200, within_s=20) as so_far:
            victim = workers_of(router)[0]
            began = asyncio.get_running_loop().time()
            os.kill(victim, signal.SIGSTOP)
            await until(lambda: victim not in workers_of(router) and len(workers_of(router)) == 2, 30.0)
            replaced_s = asyncio.get_running_loop().time() - began
            await asyncio.sleep(1)
        measured(f"replaced after {replaced_s:.1f} s; {so_far.said()}")
        assert replaced_s < 10
        assert so_far.refused.total() == 0
        assert so_far.wrong == []


@pytest.mark.fault(
    "a router out of descriptors (ulimit -n)", "it does not spin, what it serves it serves on, and it recovers"
)
async def test_a_router_without_descriptors_recovers(tmp_path: Path, measured: Measured) -> None:
    async with installation(tmp_path) as here:
        service = await here.service("hello", instances=2)
        here["router"].descriptors = 256
        await here["router"].restart()
        async with load(here.http_ports, Request(service.host), rate=100, clients=4, kept=1.0) as so_far:
            await until(lambda: so_far.answered > 50)
            held = [await _connected(here.http_ports[0]) for _ in range(400)]
            before = _cpu_s(workers_of(here["router"].pid))
            await asyncio.sleep(3)
            busy_s = _cpu_s(workers_of(here["router"].pid)) - before
            for writer in held:
                if writer is not None:
                    writer.transport.abort()
            await asyncio.sleep(1)
            after = await status(here.http_ports[0], service.host)
        measured(f"{busy_s:.2f} s of CPU in 3 s; a new connection afterwards: {after}; {so_far.said()}")
        assert after == OPEN
        assert busy_s < 2
        assert so_far.lost == 0


async def _connected(port: int) -> asyncio.StreamWriter | None:
    try:
        async with asyncio.timeout(1):
            return (await asyncio.open_connection("127.0.0.1", port))[1]
    except (OSError, TimeoutError):
        return None


def _cpu_s(pids: list[int]) -> float:
    ticks = os.sysconf("SC_CLK_TCK")
    fields = [Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split() for pid in pids]
    return sum(int(each[11]) + int(each[12]) for each in fields) / ticks


@pytest.mark.fault(
    "a router short of memory (cgroup of 192 MiB, clients that ask for 2 MB each and read nothing)",
    "who reads nothing is cut off, new requests get 503 if need be, nobody is killed; what is under way goes on",
)
@pytest.mark.skipif(memory_groups() is None, reason="control groups for memory cannot be made here")
async def test_a_router_short_of_memory_sheds_and_recovers(tmp_path: Path, measured: Measured) -> None:
    with memory_group(192) as group:
        before = {"router": f"sh -c 'echo $$ > {group}/cgroup.procs && exec \"$@\"' router"}
        async with installation(tmp_path, workers=2, before=before) as here:
            service, large = await here.service("hello", instances=2), await here.service("large")
            router, port = here["router"], here.http_ports[0]
            await until(lambda: len(workers_of(router.pid)) == 2)
            workers, most = workers_of(router.pid), 0
            async with (
                load([port], Request(service.host), rate=50) as so_far,
                talks([port], service.host, sockets=8) as talked,
            ):
                await until(lambda: so_far.answered > 50 and talked.answered > 50)
                stuck: list[socket.socket] = []
                while len(stuck) < STUCK and not await _shed(router):
                    for number in range(len(stuck), len(stuck) + 100):
                        stuck.append(await _asks_and_reads_nothing(port, large.host, number))
                        most = max(most, _used_mb(group))
                for each in stuck:
                    each.close()
                answered = so_far.answered
                await until(lambda: so_far.answered > answered + 50)
                shed = await _shed(router)
            async with load([port], Request(service.host), rate=50) as after:
                await until(lambda: after.answered > 100)
            measured(f"{len(stuck)} clients; {most} MiB at most; shed: {listed(shed)}")
            measured(f"{so_far.said()}; {talked.said()}")
            assert workers_of(router.pid) == workers
            assert sum(shed.values()) > 0
            assert set(so_far.refused) <= {"router_overloaded"}
            assert so_far.failed == after.lost == 0
            assert so_far.wrong == talked.wrong == []
            assert (talked.opened, talked.ends.total()) == (8, 0)


async def _shed(router: Process) -> dict[str, int]:
    """What a router gave up for want of memory."""
    found = re.compile(r'narthex_router_shed_total\{what="([a-z_]+)"\}')
    return {match[1]: int(n) for name, n in (await router.metrics()).items() if (match := found.fullmatch(name))}


async def _asks_and_reads_nothing(port: int, host: str, number: int) -> socket.socket:
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.setblocking(False)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(client, ("127.0.0.1", port))
    await loop.sock_sendall(client, Request(host, path="/big/2000000/{nonce}").wire(f"stuck{number}", last=False))
    return client


def _used_mb(group: Path) -> int:
    """What the processes of a control group have, without copies of files."""
    name = "memory.usage_in_bytes" if (group / "memory.usage_in_bytes").exists() else "memory.current"
    stat = dict(line.split() for line in (group / "memory.stat").read_text().splitlines())
    files = int(stat.get("total_inactive_file") or stat["inactive_file"])
    return (int((group / name).read_text()) - files) >> 20


@pytest.mark.fault(
    "the router's disk is full", "traffic goes on; the copy that is there stays whole; it recovers by itself"
)
@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount")
async def test_a_full_disk_stops_no_traffic(tmp_path: Path, measured: Measured) -> None:
    async with installation(tmp_path) as here:
        service, bird = await here.service("hello", instances=2), await canary(here)
        await eventually(lambda: here.copied("router", service))
        await here["router"].end()
        home = here.directory.home("router")
        with small_disk(home, 1):
            await here["router"].start()
            async with load(here.http_ports, Request(service.host), rate=200) as so_far:
                with full(home):
                    for to in (CLOSED, OPEN) * 3:
                        await bird.in_force_s(to)
                        await asyncio.sleep(1)
                    await asyncio.sleep(6)  # the copy is tried
                    assert await here.copied("router", service)
                await bird.in_force_s(CLOSED)
            measured(so_far.said())
            assert so_far.lost == 0
            here["router"].kill()


@pytest.mark.fault(
    "the clock jumps by an hour, forth and back", "no route is dropped, no request fails, no certificate is thrown away"
)
async def test_a_clock_that_jumps_drops_nothing(tmp_path: Path, measured: Measured) -> None:
    shift = tmp_path / "shift"
    async with installation(tmp_path / "site", routers=2, environment=shifted(shift)) as here:
        service, bird = await here.service("hello", instances=2), await canary(here)
        async with load(here.http_ports, Request(service.host), rate=200) as so_far:
            for to in ("+3600", "-3600", "+0"):
                shift.write_text(to)
                await asyncio.sleep(max(3.0, AWAY_S / 3))
                assert await bird.says(here.http_ports) == {OPEN}
            back_s = await bird.in_force_s(CLOSED)
        measured(f"{so_far.said()}; the next change in force after {back_s:.1f} s")
        assert so_far.lost == 0
