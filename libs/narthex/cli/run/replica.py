"""One replica: a child process that is started again when it dies, and says why it died."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from subprocess import DEVNULL

from narthex.cli.run.console import Console
from narthex.cli.run.guardian import Guard, signal_group
from narthex.cli.run.placement import Place, is_free
from narthex.cli.run.plan import SETTLED_S, environment, epitaph, filled, restart_delay
from narthex.runtime.child import die_with_parent
from narthex.runtime.tasks import background

LINE_MAX = 64 * 1024  # a longer line is printed in pieces
AFTER_END_S = 1.0  # how long output of a process that ended is waited for
POLL_S = 0.02


@dataclass
class Fate:
    """What a replica has been through; decides when it is started again."""

    deaths: int = 0  # early ones in a row

    def after(self, lived_s: float) -> float:
        """Count a death; returns the seconds until the next start."""
        self.deaths = 1 if lived_s >= SETTLED_S else self.deaths + 1
        return restart_delay(self.deaths)


class Replica:
    """Keeps one process running at one place.

    `tell` hears why it died, and "" when it is well again; `withhold` whether the place is held by somebody else,
    to whom no request may go.
    """

    def __init__(
        self,
        number: int,
        command: Sequence[str],
        place: Place,
        console: Console,
        guard: Guard,
        tell: Callable[[str], None],
        withhold: Callable[[bool], None],
    ) -> None:
        self.number = number
        self.place = place
        self._command = filled(command, place.host, place.port)
        self._console = console
        self._guard = guard
        self._tell = tell
        self._withhold = withhold
        self._fate = Fate()
        self._process: asyncio.subprocess.Process | None = None
        self._stopping = asyncio.Event()
        self._last_line = {"stdout": "", "stderr": ""}

    async def keep_running(self) -> None:
        """Run the process, again and again, until `retire`."""
        while not self._stopping.is_set():
            began = time.monotonic()
            end = await self._live()
            if self._stopping.is_set():
                return
            delay = self._fate.after(time.monotonic() - began)
            self._tell(end)
            self._console.say(
                "died", f"replica {self.number} {end}; it starts again in {delay:g} s", replica=self.number, end=end
            )
            await self._rest(delay)

    def retire(self) -> None:
        """From now on an end is an end."""
        self._stopping.set()

    async def stop(self, grace_s: float) -> None:
        """End the process and what it started: politely, then not."""
        self.retire()
        group = self._group()
        if group is None:
            return
        signal_group(group, signal.SIGTERM)
        deadline = time.monotonic() + grace_s
        while signal_group(group, 0) and time.monotonic() < deadline:  # noqa: ASYNC110 - a group has no event
            await asyncio.sleep(POLL_S)
        signal_group(group, signal.SIGKILL)

    def kill(self) -> None:
        """End the process and what it started, now."""
        self.retire()
        group = self._group()
        if group is not None:
            signal_group(group, signal.SIGKILL)

    async def _live(self) -> str:
        """One life of the process; returns how it ended."""
        free = is_free(self.place.host, self.place.port)
        self._withhold(not free)
        if not free:
            return f"cannot start: {self.place} is in use by another process"
        self._last_line = {"stdout": "", "stderr": ""}
        try:
            async with self._started() as process, background() as tasks:
                tasks.start(self._settle(), f"replica {self.number} settles")
                code = await process.wait()
        except OSError as error:
            return f"cannot start: {error.strerror or error}"
        return epitaph(code, self._last_line["stderr"] or self._last_line["stdout"])

    async def _settle(self) -> None:
        """Take back the note on an earlier death when the process has lived for a while."""
        if self._fate.deaths:
            await asyncio.sleep(SETTLED_S)
            self._tell("")

    @asynccontextmanager
    async def _started(self) -> AsyncIterator[asyncio.subprocess.Process]:
        """The process, with its output being printed; when the block ends nothing of its group is left."""
        async with _pipe() as (out, out_end), _pipe() as (err, err_end), background() as tasks:
            try:
                process = await asyncio.create_subprocess_exec(
                    *self._command,
                    stdin=DEVNULL,
                    stdout=out_end,
                    stderr=err_end,
                    env=environment(os.environ, self.place.host, self.place.port),
                    # A group of its own: Ctrl-C reaches us only, and we can end what it started with it.
                    start_new_session=True,
                    preexec_fn=die_with_parent(signal.SIGTERM),
                )
            finally:
                os.close(out_end)
                os.close(err_end)
            self._process = process
            self._guard.watch(process.pid)
            self._console.say("started", f"replica {self.number} runs at {self.place}", replica=self.number)
            pumps = [tasks.start(self._pump("stdout", out), "stdout"), tasks.start(self._pump("stderr", err), "stderr")]
            try:
                yield process
            finally:
                if not self._stopping.is_set() or process.returncode is None:
                    signal_group(process.pid, signal.SIGKILL)
                    self._guard.forget(process.pid)
                await process.wait()
                await asyncio.wait(pumps, timeout=AFTER_END_S)

    async def _pump(self, stream: str, reader: asyncio.StreamReader) -> None:
        """Print what the process writes, line by line."""
        rest = b""
        while chunk := await reader.read(LINE_MAX):
            *lines, rest = (rest + chunk).split(b"\n")
            if len(rest) >= LINE_MAX:
                lines, rest = [*lines, rest], b""
            for line in lines:
                await self._print(stream, line)
        if rest:
            await self._print(stream, rest)

    async def _print(self, stream: str, line: bytes) -> None:
        line = line.removesuffix(b"\r")
        if line.strip():
            self._last_line[stream] = line.decode(errors="replace").strip()
        await self._console.output(self.number, stream, line)

    async def _rest(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._stopping.wait(), seconds)
        except TimeoutError:
            pass

    def _group(self) -> int | None:
        """The process group, which has the number of the process that leads it."""
        return None if self._process is None else self._process.pid


@asynccontextmanager
async def _pipe() -> AsyncIterator[tuple[asyncio.StreamReader, int]]:
    """A pipe: its reader, and the end to give to a child (and then to close).

    Our own instead of asyncio's: with those, waiting for the process may mean waiting for everything that
    inherited its output.
    """
    read_end, write_end = os.pipe()
    reader = asyncio.StreamReader()
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(read_end, "rb", buffering=0)
    )
    try:
        yield reader, write_end
    finally:
        transport.close()
