"""Minute by minute: what every process holds, how far behind each consumer is, how large the stores are."""

import asyncio
import json
import os
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from endurance.account import Accounts
from narthex.testing.installation import Installation
from narthex.testing.processes import children

TICKS = os.sysconf("SC_CLK_TCK")
# What is kept of /metrics: the rest is by service, and much.
TELLING = (
    "narthex_router_event_loop_lag",
    "narthex_request_records",
    "narthex_outbox",
    "narthex_dead_letters",
    "narthex_event_failures",
    "narthex_log_store",
    "narthex_healthcheck_instances",
    "narthex_healthcheck_untold",
    "narthex_certs_issued",
    "python_gc_objects_uncollectable",
    "narthex_router_worker_",
)


def memory_of(pid: int) -> dict[str, float]:
    """MB: resident, anonymous, and the share of what is shared."""
    found: dict[str, float] = {}
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]:
        name, _, value = line.partition(":")
        if name in ("Rss", "Pss", "Anonymous"):
            found[name.lower()] = int(value.split()[0]) / 1024
    return found


def descriptors_of(pid: int) -> int:
    """Open descriptors, without those by which an engine watches its own threads: threads are counted as such."""
    return sum(not _target(each).startswith(f"/proc/{pid}/task/") for each in Path(f"/proc/{pid}/fd").iterdir())


def _target(descriptor: Path) -> str:
    try:
        return str(descriptor.readlink())
    except OSError:
        return ""  # closed meanwhile


def process_of(pid: int) -> dict[str, float]:
    """What the system says of one process; empty when it has gone."""
    with suppress(FileNotFoundError, ProcessLookupError):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return {
            **memory_of(pid),
            "descriptors": descriptors_of(pid),
            "threads": int(fields[17]),
            "cpu_s": (int(fields[11]) + int(fields[12])) / TICKS,
        }
    return {}


def tree(name: str, pid: int) -> Iterator[tuple[str, int]]:
    """A process and all below it, named by where they stand: router, router/child, router/child/child."""
    yield name, pid
    for child in children(pid):
        yield from tree(f"{name}/child", child)


def processes(here: Installation) -> dict[str, dict[str, float]]:
    """Of every part's processes, by `<name>:<pid>`; instances added up, because they come and go."""
    found = {
        f"{role}:{pid}": state
        for name, part in here.parts.items()
        if part.running
        for role, pid in tree(name, part.pid)
        if (state := process_of(pid))
    }
    found["load:" + str(os.getpid())] = process_of(os.getpid())
    return found


async def metrics(here: Installation) -> dict[str, dict[str, float]]:
    """The telling numbers of each part's /metrics."""
    found: dict[str, dict[str, float]] = {}
    for name, part in here.parts.items():
        if part.spec.admin_port is not None and part.running:
            with suppress(OSError, TimeoutError, ValueError):
                said = await part.metrics()
                found[name] = {key: value for key, value in said.items() if key.startswith(TELLING)}
    return found


def disk(here: Installation) -> dict[str, float]:
    """MB of each part's directory."""
    found = {}
    for home in here.directory.root.iterdir():
        if home.is_dir():
            # `os.walk` passes over folders that go while it looks: the log's store merges its parts all the time.
            found[home.name] = sum(_size(Path(at, name)) for at, _, names in os.walk(home) for name in names) / 2**20
    return found


def _size(path: Path) -> int:
    try:
        return path.lstat().st_size
    except OSError:
        return 0  # gone meanwhile


async def sample(here: Installation) -> dict[str, Any]:
    """All of it, at one moment."""
    status, state = 0, None
    with suppress(OSError, TimeoutError):
        status, state = await here.api.get("/v2.1/installation")
    return {
        "time": time.time(),
        "processes": await asyncio.to_thread(processes, here),
        "metrics": await metrics(here),
        "disk_mb": await asyncio.to_thread(disk, here),
        "instances": sum(1 for service in here.services for _ in service.instances),
        "tasks": len(asyncio.all_tasks()),
        "installation": state if status == 200 else status,
    }


class Diary:
    """What is written down while a run goes on: entries, one line of JSON each, and all violations so far."""

    def __init__(self, directory: Path, name: str) -> None:
        self._directory = directory
        self._entries = directory / name

    def write(self, entry: dict[str, Any]) -> None:
        with self._entries.open("a") as file:
            file.write(json.dumps(entry, default=str) + "\n")

    def read(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self._entries.read_text().splitlines()]

    def violations(self, accounts: Accounts) -> None:
        (self._directory / "violations.txt").write_text("".join(f"{each.said()}\n" for each in accounts.violations))
