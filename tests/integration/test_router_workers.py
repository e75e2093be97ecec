"""Worker processes: forked by the nursery, started again when they die or are stuck, drained in order."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from integration.router_kit import entry, service_entries

from narthex.contracts.errors import Misconfigured
from narthex.routing import Kind, open_table_store
from narthex.runtime.sealing import Sealer, read_sealing_key, write_sealing_key
from narthex.runtime.tasks import background
from narthex.testing.backend import answer, backend
from narthex.testing.ca import ThrowAwayCA
from narthex.testing.servers import free_port, valkey_server
from narthex.testing.waiting import until
from narthex_router.diskcopy import write_copy
from narthex_router.worker import WorkerConfig
from narthex_router.workers import Status, Workers


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
    return WorkerConfig(**{**usual, **more})  # type: ignore[arg-type]


@asynccontextmanager
async def workers(made: WorkerConfig, count: int = 2) -> AsyncIterator[tuple[Workers, dict[str, int]]]:
    """Running workers, and how often each has said how it is."""
    heard: dict[str, int] = {}

    async def hear(name: str, status: Status) -> None:
        heard[name] = heard.get(name, 0) + 1

    under_test = Workers(made, count, 2.0, hear, lambda records, dropped: None, silent_s=1.5)
    async with background() as tasks:
        running = tasks.start(under_test.run(), "workers")
        try:
            await until(lambda: len(heard) == count)
            yield under_test, heard
        finally:
            if not running.done():
                await under_test.drain()
                await running


def pids(under_test: Workers) -> list[int]:
    """The worker processes: children of the nursery, which is a child of ours."""
    assert under_test._nursery is not None
    nursery = under_test._nursery._process.pid
    return [int(pid) for pid in Path(f"/proc/{nursery}/task/{nursery}/children").read_text().split()]


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


async def test_a_port_that_is_taken_is_a_sentence(tmp_path: Path) -> None:
    taken = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0)
    port = taken.sockets[0].getsockname()[1]
    try:
        under_test = Workers(
            config(tmp_path, "redis://127.0.0.1:1/0", https_port=port),
            1,
            1.0,
            None,
            None,  # type: ignore[arg-type]
        )
        with pytest.raises(ExceptionGroup) as failure:
            await under_test.run()
        [reason] = failure.value.exceptions
        assert isinstance(reason, Misconfigured)
        assert "Address already in use" in reason.message
    finally:
        taken.close()


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
            assert len(await under_test.counters()) == 2


async def test_with_valkey_away_a_router_starts_by_its_copy_on_disk(tmp_path: Path) -> None:
    key_file = tmp_path / "sealing.key"
    write_sealing_key(key_file)
    issued = ThrowAwayCA().issue("*.services.test")
    sealed = Sealer(read_sealing_key(key_file)).seal(issued.key, "certificate:wild")
    certificate = entry(Kind.CERTIFICATE, "wild", hosts=issued.hosts, chain=issued.chain, sealed_key=sealed)
    async with backend(answer(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")) as instance:
        write_copy(tmp_path / "table.copy", [*service_entries([instance.port]), certificate])
        made = config(tmp_path, "redis://127.0.0.1:1/0")
        async with workers(made) as (under_test, _):
            await until(lambda: under_test.waiting_for() == "")
            reader, writer = await asyncio.open_connection("127.0.0.1", made.http_port)
            writer.write(b"GET / HTTP/1.1\r\nHost: svc.services.test\r\nConnection: close\r\n\r\n")
            assert (await reader.read()).endswith(b"hi")
            writer.close()
            away = [status.raw["table_away"] for status in under_test.statuses.values() if status.raw]
            assert all("Valkey is away" in reason for reason in away)
