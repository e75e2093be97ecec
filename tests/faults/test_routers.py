"""What happens to a router: replaced, killed, stopped, starved of descriptors or memory, out of disk, out of time."""

import asyncio
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from faults.canary import CLOSED, OPEN, canary
from faults.conftest import ALL, Measured, held_s

from narthex.testing.installation import Installation, installation
from narthex.testing.load import Request, load, status
from narthex.testing.processes import workers_of
from narthex.testing.waiting import eventually, until
from narthex_router.workers import STEADY_S

AWAY_S = held_s()
RESTARTS = 20 if ALL else 2
KILLS = 5 if ALL else 1


async def in_place_of(here: Installation, router: str) -> None:
    """Start a router on the ports of one that runs; returns when the first has gone."""
    old = here[router].child
    assert old is not None
    here[router].child = None
    here[router].begin()
    await until(lambda: old.poll() is not None, 40.0)
    await here[router].ready()


@pytest.mark.fault("router replaced again and again under load", "no request fails, no connection is refused")
async def test_routers_that_replace_one_another_lose_nothing(tmp_path: Path, measured: Measured) -> None:
    async with installation(tmp_path, workers=2) as here:
        service = await here.service("hello", instances=2)
        async with load(here.http_ports, Request(service.host), rate=300, kept=0.5) as so_far:
            for _ in range(RESTARTS):
                await in_place_of(here, "router")
        measured(f"{RESTARTS} replacements; {so_far.said()}")
        assert so_far.lost == 0


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


@contextmanager
def small_disk(where: Path, megabytes: int) -> Iterator[None]:
    """A file system of a few MB at a directory, whose contents it takes over."""
    kept = where.with_name(where.name + ".kept")
    where.rename(kept)
    where.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "narthex-test", str(where)], check=True)
    try:
        for each in kept.iterdir():
            if each.is_file():
                (where / each.name).write_bytes(each.read_bytes())
        yield
    finally:
        subprocess.run(["umount", "-l", str(where)], check=True)


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
                filler = home / "filler"
                with pytest.raises(OSError, match="No space left"):
                    filler.write_bytes(b"x" * (2 << 20))
                for to in (CLOSED, OPEN) * 3:
                    await bird.in_force_s(to)
                    await asyncio.sleep(1)
                await asyncio.sleep(6)  # the copy is tried
                assert await here.copied("router", service)
                filler.unlink()
                await bird.in_force_s(CLOSED)
            measured(so_far.said())
            assert so_far.lost == 0
            here["router"].kill()


@pytest.mark.fault(
    "the clock jumps by an hour, forth and back", "no route is dropped, no request fails, no certificate is thrown away"
)
async def test_a_clock_that_jumps_drops_nothing(tmp_path: Path, measured: Measured) -> None:
    shift = tmp_path / "shift"
    shift.write_text("+0")
    library = faketime()
    environment = {
        "LD_PRELOAD": library,
        "FAKETIME_TIMESTAMP_FILE": str(shift),
        "FAKETIME_NO_CACHE": "1",
        "DONT_FAKE_MONOTONIC": "1",
    }
    async with installation(tmp_path / "site", routers=2, environment=environment) as here:
        service, bird = await here.service("hello", instances=2), await canary(here)
        async with load(here.http_ports, Request(service.host), rate=200) as so_far:
            for to in ("+3600", "-3600", "+0"):
                shift.write_text(to)
                await asyncio.sleep(max(3.0, AWAY_S / 3))
                assert await bird.says(here.http_ports) == {OPEN}
            back_s = await bird.in_force_s(CLOSED)
        measured(f"{so_far.said()}; the next change in force after {back_s:.1f} s")
        assert so_far.lost == 0


def faketime() -> str:
    found = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
    if not found:
        subprocess.run(["apt-get", "install", "-y", "-qq", "libfaketime"], check=True, stdout=subprocess.DEVNULL)
        found = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
    return str(found[0])
