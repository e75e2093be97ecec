"""What is wrong with its settings or its servers each part says with the setting's name.

What no waiting can mend ends it with one sentence; what may come right it waits for, alive and not ready, and goes on.
"""

import asyncio
import os
import re
import sys
from asyncio.subprocess import DEVNULL
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from narthex.contracts.errors import Misconfigured
from narthex.runtime.service import _first, _run, load_app, read_config
from narthex.testing.servers import NatsServer, free_port, nats_server, new_passwords, valkey_server
from narthex.testing.waiting import eventually

EVERY = ("registry", "router", "healthcheck", "certs", "audit")
IN_ONE_PROCESS = ("registry", "healthcheck", "certs", "audit")
TABLE = ("router", "certs")
KEPT = ("registry", "router", "certs")  # parts whose data directory has to be there before they begin
NOWHERE = "127.0.0.1:9"  # discard: nobody listens
WITHIN_S = 20.0


@pytest.fixture(autouse=True)
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Settings with which every part would start, beside the servers' addresses."""
    (tmp_path / "sealing.key").write_text("ab" * 32)
    (tmp_path / "text").write_text("not a key")
    (tmp_path / "empty").touch()
    for name in ("numpy", "pandas", "pyarrow"):  # which audit makes unimportable, here for these tests only
        monkeypatch.setitem(sys.modules, name, None)
    for name, value in {
        "DATA_DIR": str(tmp_path / "data"),
        "SEALING_KEY_FILE": str(tmp_path / "sealing.key"),
        "ADMIN_PORT": str(free_port()),
        "API_PORT": str(free_port()),
        "ROUTER_HTTP_PORT": str(free_port()),
        "ROUTER_HTTPS_PORT": str(free_port()),
        "ROUTER_WORKERS": "1",
        "NATS_URL": f"nats://{NOWHERE}",
        "REDIS_URL": f"redis://{NOWHERE}/0",
        "AUDIT_STORE": f"clickhouse://{NOWHERE}/narthex",
    }.items():
        monkeypatch.setenv(f"NARTHEX_{name}", value)
    return monkeypatch


async def run(part: str) -> None:
    """A part, as `narthex serve` runs it."""
    app = load_app(part)
    await _run(part, app, read_config(app.Config))


async def run_apart(part: str) -> None:
    """The same in a process of its own."""
    process = await asyncio.create_subprocess_exec(sys.executable, "-P", "-m", "narthex", "serve", part, stderr=DEVNULL)
    try:
        await process.wait()
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


# -- what no waiting can mend ------------------------------------------------------------------------------

# What is wrong -> the parts that read it, the setting, its value ({} is the test's directory), and what is said of it.
ENDS: dict[str, tuple[tuple[str, ...], str, str, str]] = {
    "a missing secret": (EVERY, "NATS_PASSWORD_FILE", "{}/none", "cannot read"),
    "an empty secret": (EVERY, "NATS_PASSWORD_FILE", "{}/empty", "is empty"),
    "a bus that is no URL": (EVERY, "NATS_URL", "http//bus", "must be like nats://host:port"),
    "a bus with a port that is none": (EVERY, "NATS_URL", "nats://bus:none", "must be like nats://host:port"),
    "a password in the URL of the bus": (EVERY, "NATS_URL", "nats://me:hush@bus:4222", "NARTHEX_NATS_PASSWORD"),
    "a level that is none": (EVERY, "LOG_LEVEL", "loud", "must be one of debug"),
    "a port that is none": (EVERY, "ADMIN_PORT", "99999", "less than or equal to 65535"),
    "an address that is not ours": (IN_ONE_PROCESS, "ADMIN_BIND", "192.0.2.1", "cannot listen on 192.0.2.1"),
    "a domain that is none": (EVERY, "DOMAIN", "two words", "DNS name"),
    "the table's missing secret": (TABLE, "REDIS_PASSWORD_FILE", "{}/none", "cannot read"),
    "a table that is no URL": (TABLE, "REDIS_URL", "valkey:6379", "must be like redis://host:port"),
    "a table with a port that is none": (TABLE, "REDIS_URL", "redis://valkey:none/0", "must be like redis://host:port"),
    "a sealing key that is none": (("registry", "certs"), "SEALING_KEY_FILE", "{}/text", "64 hexadecimal digits"),
    "a directory that is a file": (KEPT, "DATA_DIR", "{}/text", "may write"),
    "the database's missing secret": (("registry",), "DATABASE_PASSWORD_FILE", "{}/none", "cannot read"),
    "a database that is no URL": (("registry",), "DATABASE_URL", "postgres", "must be like postgresql://"),
    "a database with a port that is none": (("registry",), "DATABASE_URL", "postgresql://db:none/n", "must be like"),
    "a database of no kind we know": (("registry",), "DATABASE_URL", "mysql://db/n", "sqlite or postgresql"),
    "a database that cannot be opened": (("registry",), "DATABASE_URL", "sqlite:///{}/none/n.db", "cannot use"),
    "the store's missing secret": (("audit",), "AUDIT_STORE_PASSWORD_FILE", "{}/none", "cannot read"),
    "a store of no kind we know": (("audit",), "AUDIT_STORE", "mysql://db/n", "must be chdb:"),
    "a store with a port that is none": (("audit",), "AUDIT_STORE", "clickhouse://db:none/n", "must be chdb:"),
    "an issuer that is none": (("certs",), "CERTS_ISSUER", "somebody", "internal"),
    "a CA without TLS": (("certs",), "CERTS_ACME_DIRECTORY", "http://ca/directory", "must be an https URL"),
    "a router without workers": (("router",), "ROUTER_WORKERS", "0", "greater than or equal to 1"),
    "networks that are none": (("router",), "ROUTER_PROXY_PROTOCOL_FROM", "everywhere", "everywhere"),
    "a number that is none": (("healthcheck",), "HEALTHCHECK_PROBES_AT_ONCE", "many", "valid integer"),
}  # fmt: skip


@pytest.mark.parametrize(
    ("part", "setting", "value", "said"),
    [pytest.param(part, *rest, id=f"{what}: {part}") for what, (parts, *rest) in ENDS.items() for part in parts],
)
async def test_it_ends_with_a_sentence_that_names_the_setting(
    part: str, setting: str, value: str, said: str, environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    environment.setenv(f"NARTHEX_{setting}", value.format(tmp_path))
    with pytest.raises((Misconfigured, BaseExceptionGroup)) as raised:
        async with asyncio.timeout(WITHIN_S):
            await run(part)
    error = _first(raised.value)
    assert isinstance(error, Misconfigured)
    assert f"NARTHEX_{setting}" in error.message
    assert said in error.message
    assert "hush" not in error.message
    assert "\n" not in error.message


# -- what may come right -----------------------------------------------------------------------------------


async def waits_for() -> dict[str, str] | None:
    """What the part says at /readyz that it waits for; None while nobody answers there."""
    port = os.environ["NARTHEX_ADMIN_PORT"]
    async with aiohttp.ClientSession() as session:
        try:
            async with session.get(f"http://127.0.0.1:{port}/readyz") as answer:
                said: dict[str, Any] = await answer.json()
                assert said["ready"] == (answer.status == 200)
                return dict(said["waiting_for"])
        except aiohttp.ClientError:
            return None


@asynccontextmanager
async def running(part: str) -> AsyncIterator["asyncio.Task[None]"]:
    # A router's workers are its children: they end with its process.
    task = asyncio.create_task(run(part) if part in IN_ONE_PROCESS else run_apart(part))
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.wait({task})


async def says(pattern: str, task: "asyncio.Task[None]") -> None:
    """Until it waits for something of these words, and runs."""

    async def found() -> bool:
        assert not task.done()
        return re.search(pattern, str(await waits_for() or "")) is not None

    await eventually(found, within_s=WITHIN_S)


async def says_no_more(pattern: str, task: "asyncio.Task[None]") -> None:
    async def gone() -> bool:
        assert not task.done()
        said = await waits_for()
        return said is not None and re.search(pattern, str(said)) is None

    await eventually(gone, within_s=WITHIN_S)


@pytest.fixture
def bus(tmp_path: Path, environment: pytest.MonkeyPatch) -> Iterator[NatsServer]:
    with nats_server(tmp_path) as server:
        environment.setenv("NARTHEX_NATS_URL", server.url)
        yield server


@pytest.mark.parametrize("part", EVERY)
async def test_a_bus_that_is_away_is_waited_for(part: str, environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    port, passwords = free_port(), new_passwords()
    environment.setenv("NARTHEX_NATS_URL", f"nats://127.0.0.1:{port}")
    environment.setenv("NARTHEX_NATS_USER", part)
    environment.setenv("NARTHEX_NATS_PASSWORD", passwords[part])
    with valkey_server(tmp_path) as valkey:
        environment.setenv("NARTHEX_REDIS_URL", valkey.url)
        async with running(part) as task:
            await says(f"NARTHEX_NATS_URL=nats://127.0.0.1:{port} is away: .*refused", task)
            with nats_server(tmp_path, port=port, passwords=passwords):
                await says_no_more("NARTHEX_NATS", task)


@pytest.mark.parametrize("part", EVERY)
async def test_a_bus_that_does_not_know_the_part_is_asked_again(
    part: str, environment: pytest.MonkeyPatch, bus: NatsServer, tmp_path: Path
) -> None:
    environment.setenv("NARTHEX_NATS_USER", part)
    environment.setenv("NARTHEX_NATS_PASSWORD", "wrong")
    with valkey_server(tmp_path) as valkey:
        environment.setenv("NARTHEX_REDIS_URL", valkey.url)
        async with running(part) as task:
            await says("does not take NARTHEX_NATS_USER and NARTHEX_NATS_PASSWORD", task)


@pytest.mark.parametrize("part", TABLE)
async def test_a_table_that_is_away_is_waited_for(part: str, environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    port = free_port()
    environment.setenv("NARTHEX_REDIS_URL", f"redis://:right@127.0.0.1:{port}/0")
    async with running(part) as task:
        await says("NARTHEX_REDIS_URL.* is away: .*refused", task)
        with valkey_server(tmp_path, port=port, password="right"):
            await says_no_more("NARTHEX_REDIS", task)


@pytest.mark.parametrize("part", TABLE)
async def test_a_table_that_does_not_know_the_part_is_asked_again(
    part: str, environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with valkey_server(tmp_path, password="right") as valkey:
        environment.setenv("NARTHEX_REDIS_URL", valkey.url.replace("right", "wrong"))
        async with running(part) as task:
            await says("NARTHEX_REDIS_URL.*(password|user)", task)


async def test_a_router_waits_for_a_sealing_key_that_it_can_read(
    environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    environment.setenv("NARTHEX_SEALING_KEY_FILE", str(tmp_path / "text"))
    async with running("router") as task:
        await says("NARTHEX_SEALING_KEY_FILE", task)
        (tmp_path / "text").write_text("cd" * 32)
        await says_no_more("NARTHEX_SEALING_KEY_FILE", task)


async def test_a_database_that_is_away_is_waited_for(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("NARTHEX_DATABASE_URL", f"postgresql://me:hush@{NOWHERE}/narthex")
    async with running("registry") as task:
        await says("NARTHEX_DATABASE_URL: cannot use the database postgresql://me:.*refused", task)
        assert "hush" not in str(await waits_for())


async def test_a_log_store_that_is_away_is_waited_for() -> None:
    async with running("audit") as task:
        await says(r"NARTHEX_AUDIT_STORE\): .*refused", task)
