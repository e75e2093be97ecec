"""Worker processes: forked by the nursery, started again when they die or are stuck, drained in order."""

import asyncio
import os
import resource
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from integration.router_kit import entry, service_entries

from narthex.contracts.errors import Misconfigured
from narthex.routing import Kind, open_table_store
from narthex.runtime.key_file import read_sealing_keys, write_sealing_key
from narthex.runtime.sealing import Sealer
from narthex.runtime.tasks import background
from narthex.testing.backend import answer, backend
from narthex.testing.ca import ThrowAwayCA
from narthex.testing.processes import children
from narthex.testing.servers import free_port, valkey_server
from narthex.testing.waiting import eventually, until
from narthex_router.diskcopy import write_copy
from narthex_router.ports import open_ports
from narthex_router.worker import WorkerConfig
from narthex_router.workers import Status, Workers

SILENT_S = 1.5  # a worker is replaced after that


def config(tmp_path: Path, redis_url: str, **more: object) -> WorkerConfig:
    usual: dict[str, object] = {
        "name": "r",
        "router": "r",
        "domain": "test",
        "bind": "127.0.0.1",
        "http_port": free_port(),
        "https_port": free_port(),
        "public_https_port": 443,
        "serve_plain": True,
        "allow_shrink": False,
        "redis_url": redis_url,
        "redis_timeout_s": 2.0,
        "sealing_key_file": str(tmp_path / "sealing.key"),
        "copy_path": str(tmp_path / "table.copy"),
        "log_level": "info",
        "bounds": {"drain_s": 2.0},
    }
    write_sealing_key(tmp_path / "sealing.key")
    return WorkerConfig(**{**usual, **more})  # type: ignore[arg-type]


@asynccontextmanager
async def workers(
    made: WorkerConfig, count: int = 2, *, heard_first: bool = True
) -> AsyncIterator[tuple[Workers, dict[str, int]]]:
    """Running workers, and how often each has said how it is."""
    heard: dict[str, int] = {}

    async def hear(name: str, status: Status) -> None:
        heard[name] = heard.get(name, 0) + 1

    ports = open_ports(made.bind, made.https_port, made.http_port, count)
    under_test = Workers(made, ports, count, 2.0, hear, lambda records, dropped: None, silent_s=SILENT_S)
    async with background() as tasks:
        running = tasks.start(under_test.run(), "workers")
        try:
            await until(lambda: len(heard) == count or not heard_first)
            yield under_test, heard
        finally:
            if not running.done():
                await under_test.drain()
                await running


def nursery_of(under_test: Workers) -> int:
    assert under_test._nursery is not None
    return under_test._nursery.pid


def pids(under_test: Workers) -> list[int]:
    """The worker processes: children of the nursery, which is a child of ours."""
    return children(nursery_of(under_test))


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "stuck"])
async def test_a_worker_that_is_gone_or_stuck_is_replaced(how: signal.Signals, tmp_path: Path) -> None:
    with valkey_server(tmp_path) as valkey:
        async with workers(config(tmp_path, valkey.url)) as (under_test, heard):
            [victim, other] = pids(under_test)
            os.kill(victim, how)
            await until(lambda: len(pids(under_test)) == 2 and victim not in pids(under_test), within_s=15)
            assert other in pids(under_test)
            assert under_test.restarts == 1
            count = dict(heard)
            await until(lambda: all(heard[name] > count[name] for name in heard))


@pytest.mark.parametrize("times", [1.05, 2.0])
async def test_where_everything_stands_still_for_a_while_nobody_is_replaced(tmp_path: Path, times: float) -> None:
    """As in a machine that is paused: workers that have said nothing had no time to."""
    with valkey_server(tmp_path) as valkey:
        async with workers(config(tmp_path, valkey.url)) as (under_test, heard):
            before = pids(under_test)
            for pid in before:
                os.kill(pid, signal.SIGSTOP)
            time.sleep(times * SILENT_S)  # noqa: ASYNC251 - our own event loop stands still too
            for pid in before:
                os.kill(pid, signal.SIGCONT)
            count = dict(heard)
            await until(lambda: all(heard[name] > count[name] for name in heard))
            assert pids(under_test) == before
            assert under_test.stalls == 0


async def test_a_port_that_is_taken_is_a_sentence() -> None:
    taken = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0)
    port = taken.sockets[0].getsockname()[1]
    try:
        with pytest.raises(Misconfigured, match="Address already in use"):
            open_ports("127.0.0.1", port, free_port(), 1)
    finally:
        taken.close()


async def test_a_worker_waits_for_a_sealing_key_that_another_part_has_not_made_yet(tmp_path: Path) -> None:
    made = config(tmp_path, "redis://127.0.0.1:1/0")
    (tmp_path / "sealing.key").unlink()
    write_copy(tmp_path / "table.copy", service_entries([1]))
    async with workers(made, 1) as (under_test, _):
        await until(lambda: "cannot read the sealing key" in under_test.waiting_for())
        write_sealing_key(tmp_path / "sealing.key")
        await until(lambda: under_test.waiting_for().endswith("a certificate"))
        assert under_test.restarts == 0


async def test_workers_follow_the_shared_table_and_say_what_they_have_applied(tmp_path: Path) -> None:
    with valkey_server(tmp_path) as valkey:
        async with (
            open_table_store(valkey.url, 2.0) as store,
            workers(config(tmp_path, valkey.url)) as (under_test, _),
        ):
            await store.mark_filled()
            await store.apply(service_entries([1, 2]))
            await until(lambda: {status.applied_sequence for status in under_test.statuses.values()} == {1})
            assert {status.raw["services"] for status in under_test.statuses.values() if status.raw} == {1}
            assert (await under_test.counted())["services"] == {}


async def ask(made: WorkerConfig) -> bytes:
    """One request on a new connection; the body of its answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", made.http_port)
    writer.write(b"GET / HTTP/1.1\r\nHost: svc.services.test\r\nConnection: close\r\n\r\n")
    answered = await reader.read()
    writer.close()
    return answered.partition(b"\r\n\r\n")[2]


@asynccontextmanager
async def serving_by_their_copy(tmp_path: Path, count: int = 2) -> AsyncIterator[tuple[Workers, WorkerConfig]]:
    """Workers that serve an instance by the copy of the table, with nobody else there."""
    made = config(tmp_path, "redis://127.0.0.1:1/0")
    issued = ThrowAwayCA().issue("*.services.test")
    sealed = Sealer(read_sealing_keys(tmp_path / "sealing.key")[0]).seal(issued.key, "certificate:wild")
    certificate = entry(Kind.CERTIFICATE, "wild", hosts=issued.hosts, chain=issued.chain, sealed_key=sealed)
    async with backend(answer(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")) as instance:
        write_copy(tmp_path / "table.copy", [*service_entries([instance.port]), certificate])
        async with workers(made, count) as (under_test, _):
            await under_test.serving()
            yield under_test, made


async def test_with_valkey_away_a_router_starts_by_its_copy_on_disk(tmp_path: Path) -> None:
    async with serving_by_their_copy(tmp_path) as (under_test, made):
        assert await ask(made) == b"hi"
        away = [status.raw["table_away"] for status in under_test.statuses.values() if status.raw]
        assert all("Valkey (NARTHEX_REDIS_URL) is away" in reason for reason in away)


async def test_what_workers_have_counted_outlives_them(tmp_path: Path) -> None:
    async with serving_by_their_copy(tmp_path) as (under_test, made):
        for _ in range(6):
            assert await ask(made) == b"hi"

        async def all_counted() -> bool:
            services = (await under_test.counted())["services"]
            return "svc" in services and services["svc"]["statuses"] == {"200": 6}

        await eventually(all_counted)
        before = pids(under_test)
        os.kill(before[0], signal.SIGKILL)
        await until(lambda: len(pids(under_test)) == 2 and before[0] not in pids(under_test))
        await under_test.serving()
        assert await all_counted()


async def test_a_nursery_that_is_killed_is_replaced_and_connections_wait_for_it(tmp_path: Path) -> None:
    async with serving_by_their_copy(tmp_path) as (under_test, made):
        before = pids(under_test)
        os.kill(nursery_of(under_test), signal.SIGKILL)
        await until(lambda: not any(Path(f"/proc/{pid}/exe").exists() for pid in before))
        assert await ask(made) == b"hi"
        await until(lambda: under_test.nursery_restarts == 1 and under_test.waiting_for() == "")


async def test_a_crash_loop_slows_down_and_says_so(tmp_path: Path) -> None:
    async with serving_by_their_copy(tmp_path, 1) as (under_test, made):

        def looping() -> bool:
            for pid in pids(under_test):
                os.kill(pid, signal.SIGKILL)
            return "worker r/0, which died 3 times in a row (exit code -9)" in under_test.waiting_for()

        await until(looping)
        assert await ask(made) == b"hi"  # the connection waits for the worker
        assert under_test.restarts >= 3


async def test_a_worker_whose_event_loop_stands_still_shows_where_and_is_replaced(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    made = config(tmp_path, "redis://127.0.0.1:1/0")
    key_file = tmp_path / "sealing.key"
    key = key_file.read_bytes()
    key_file.unlink()
    os.mkfifo(key_file)  # opening it waits for a writer that does not come
    async with workers(made, 1, heard_first=False) as (under_test, _):
        await until(lambda: under_test.stalls == 1)
        key_file.unlink()
        key_file.write_bytes(key)
        await until(lambda: under_test.waiting_for() == "Valkey is away" or under_test.statuses["r/0"].raw)
        assert under_test.stalls <= 2  # the next one may have come to the same place before
    shown = capfd.readouterr().err
    assert "(most recent call first)" in shown
    assert "in read_sealing_key" in shown


async def test_a_worker_without_descriptors_sheds_connections_and_does_not_spin(tmp_path: Path) -> None:
    async with serving_by_their_copy(tmp_path, 1) as (under_test, made):
        assert await ask(made) == b"hi"
        [worker] = pids(under_test)
        usual = resource.prlimit(worker, resource.RLIMIT_NOFILE)
        resource.prlimit(worker, resource.RLIMIT_NOFILE, (descriptors(worker) + 3, usual[1]))
        clients = [await asyncio.open_connection("127.0.0.1", made.http_port) for _ in range(20)]
        await until(lambda: sum(reader.at_eof() for reader, _ in clients) >= 10)
        before = cpu_s(worker)
        await asyncio.sleep(0.5)  # what is measured is CPU time: a worker that spins takes all of it
        assert cpu_s(worker) - before < 0.25
        for _, writer in clients:
            writer.close()
        resource.prlimit(worker, resource.RLIMIT_NOFILE, usual)
        await until_asked(made)
        assert pids(under_test) == [worker]


async def test_who_is_connected_is_served_while_there_are_no_descriptors_for_more(tmp_path: Path) -> None:
    async with serving_by_their_copy(tmp_path, 1) as (under_test, made):
        assert await ask(made) == b"hi"
        [worker] = pids(under_test)
        usual = resource.prlimit(worker, resource.RLIMIT_NOFILE)
        before = descriptors(worker)
        served = [await asyncio.open_connection("127.0.0.1", made.http_port) for _ in range(4)]
        await until(lambda: descriptors(worker) >= before + len(served))
        resource.prlimit(worker, resource.RLIMIT_NOFILE, (descriptors(worker) + 40, usual[1]))
        more = [await asyncio.open_connection("127.0.0.1", made.http_port) for _ in range(60)]
        await until(lambda: any(reader.at_eof() for reader, _ in more))
        for _, writer in served:
            writer.write(b"GET / HTTP/1.1\r\nHost: svc.services.test\r\n\r\n")
        for reader, _ in served:
            assert (await reader.readline()).startswith(b"HTTP/1.1 200 ")
        for _, writer in (*served, *more):
            writer.close()


async def until_asked(made: WorkerConfig) -> None:
    async def look() -> bool:
        try:
            return await ask(made) == b"hi"
        except ConnectionError:
            return False

    await eventually(look)


def descriptors(pid: int) -> int:
    """How many descriptors a process has open."""
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


def cpu_s(pid: int) -> float:
    """CPU time that a process has taken."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
