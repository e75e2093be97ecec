"""A part as a process that a test can kill, stop and starve, and what the system says of any process.

audit = Process(Spec("audit", command, environment, admin_port), tmp_path / "audit.log")
await audit.start()
audit.kill()
"""

import asyncio
import os
import resource
import signal
import subprocess
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from narthex.runtime.child import die_with_parent
from narthex.runtime.supervisor.plan import Spec
from narthex.testing.waiting import eventually, until

READY_WITHIN_S = 120.0  # 2 s on a quiet machine, 50 s on one that fifty others want something of


@dataclass
class Process:
    """One part, running or not. `descriptors` and `megabytes` limit it from its next start on."""

    spec: Spec
    log: Path
    address: str = "127.0.0.1"
    before: tuple[str, ...] = ()  # a command that runs the command, e.g. `ip netns exec`
    descriptors: int | None = None
    megabytes: int | None = None
    child: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self.child is not None, f"{self.spec.name} was never started"
        return self.child.pid

    @property
    def running(self) -> bool:
        return self.child is not None and self.child.poll() is None

    def begin(self) -> None:
        """Start it, and do not wait."""
        assert not self.running, f"{self.spec.name} runs already"
        with self.log.open("ab") as output:
            self.child = subprocess.Popen(
                [*self.before, *self.spec.command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=dict(self.spec.environment),
                cwd=self.spec.directory,
                preexec_fn=self._prepared(),
            )

    async def start(self) -> None:
        """Start it; returns when it is ready."""
        self.begin()
        await self.ready()

    async def ready(self) -> None:
        async def look() -> bool:
            assert self.running, f"{self.spec.name} ended:\n{self.log.read_text(errors='replace')[-3000:]}"
            return await self.answers()

        await eventually(look, READY_WITHIN_S)

    def kill(self) -> None:
        """kill -9, with all its children."""
        assert self.child is not None
        kill_all(self.child)

    def freeze(self) -> None:
        """SIGSTOP: it is there, and does nothing."""
        self._tell(signal.SIGSTOP)

    def thaw(self) -> None:
        self._tell(signal.SIGCONT)

    async def end(self) -> int:
        """SIGTERM; its exit code."""
        assert self.child is not None
        self.child.terminate()
        return await asyncio.to_thread(self.child.wait, READY_WITHIN_S)

    async def restart(self) -> None:
        self.kill()
        await self.start()

    async def replace(self) -> None:
        """Start a router's successor beside it; returns when that one serves and this one has ended by itself."""
        old, self.child = self.child, None
        assert old is not None
        self.begin()
        await until(lambda: old.poll() is not None, READY_WITHIN_S)
        await self.ready()

    async def metrics(self) -> dict[str, float]:
        """What it says at /metrics: name with labels -> value."""
        _, text = await self.admin("/metrics")
        lines = (line.rpartition(" ") for line in text.splitlines() if line and not line.startswith("#"))
        return {name: float(value) for name, _, value in lines}

    async def admin(self, path: str) -> tuple[int, str]:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as session,
            session.get(f"http://127.0.0.1:{self.spec.port}{path}") as answer,
        ):
            return answer.status, await answer.text()

    async def answers(self) -> bool:
        try:
            if self.spec.admin_port is not None:
                return (await self.admin("/readyz"))[0] == 200
            _, writer = await asyncio.open_connection(self.address, self.spec.port)
        except (OSError, aiohttp.ClientError, TimeoutError):
            return False
        writer.close()
        return True

    def _tell(self, number: int) -> None:
        for pid in [self.pid, *descendants(self.pid)]:
            with suppress(ProcessLookupError):
                os.kill(pid, number)

    def _prepared(self) -> Callable[[], None]:
        tether, descriptors, megabytes = die_with_parent(), self.descriptors, self.megabytes

        def prepare_child() -> None:
            if descriptors is not None:
                resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, descriptors))
            if megabytes is not None:
                resource.setrlimit(resource.RLIMIT_AS, (megabytes << 20, megabytes << 20))
            tether()

        return prepare_child


def kill_all(process: subprocess.Popen[bytes]) -> None:
    """kill -9 of a process and of all below it, the last first; returns when it is gone."""
    for pid in reversed([process.pid, *descendants(process.pid)]):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    process.wait()


def children(pid: int) -> list[int]:
    """The processes that one has started; none where it has ended."""
    try:
        threads = list(Path(f"/proc/{pid}/task").iterdir())
        return [int(child) for thread in threads for child in (thread / "children").read_text().split()]
    except (FileNotFoundError, ProcessLookupError):
        return []


def descendants(pid: int) -> list[int]:
    """All processes below one, parents first."""
    return [each for child in children(pid) for each in (child, *descendants(child))]


def workers_of(router: int) -> list[int]:
    """The worker processes of a router: what its nursery has forked."""
    return [worker for nursery in children(router) for worker in children(nursery)]


def alive(pid: int) -> bool:
    """Whether a process runs; one that waits for its parent to notice its end does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def resident_mb(pids: Iterable[int]) -> float:
    """What processes hold of the machine's memory, added up."""
    texts = (Path(f"/proc/{pid}/status").read_text() for pid in pids)
    return sum(int(text.split("VmRSS:")[1].split()[0]) for text in texts) / 1024
