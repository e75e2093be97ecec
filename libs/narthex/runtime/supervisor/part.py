"""Keeps one process running: starts it, asks until it is ready, starts it again with back-off when it ends."""

import asyncio
import logging
import os
import signal
import time
from asyncio.subprocess import DEVNULL, STDOUT, Process
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from narthex.contracts.errors import Misconfigured
from narthex.runtime.child import die_with_parent
from narthex.runtime.supervisor.log import last_line, note, rotate
from narthex.runtime.supervisor.plan import Spec
from narthex.runtime.supervisor.probe import waiting_for
from narthex.runtime.supervisor.restarts import MISCONFIGURED, History, describe_exit
from narthex.runtime.supervisor.status import PartStatus, State, now
from narthex.runtime.tasks import background, backoff

log = logging.getLogger(__name__)

POLL_S = 0.05
FIRST_WAIT_S = 0.2
LONGEST_WAIT_S = 10.0
GRACE_S = 10.0  # what a part has to drain before it is killed


class Part:
    """One process of the installation, and what is known of it."""

    def __init__(self, spec: Spec, log: Path, changed: Callable[[], None]) -> None:
        self.spec = spec
        self.status = PartStatus(spec.name, admin_port=spec.admin_port)
        self.waiting_for = "not started"
        self.ready = asyncio.Event()
        self.starting = True  # until the installation has been ready once
        self._log = log
        self._changed = changed
        self._process: Process | None = None
        self._stopping = False

    async def keep_running(self) -> None:
        """Run the process, again and again, until `stop`. Raises Misconfigured when there is no use."""
        history = History()
        while True:
            began = time.monotonic()
            code = await self._run_once()
            if self._stopping:
                return
            history = history.after(code, time.monotonic() - began, starting=self.starting)
            if history.hopeless:
                raise Misconfigured(last_line(self._log) or f"{self.spec.name} does not start")
            self._show(State.BACKOFF, pid=None, restarts=history.restarts, last_exit=describe_exit(code))
            await asyncio.sleep(backoff(history.in_a_row - 1, FIRST_WAIT_S, LONGEST_WAIT_S))

    def retire(self) -> None:
        """From now on an end is an end."""
        self._stopping = True

    async def stop(self) -> None:
        """End the process: politely, then not. Its workers end with it."""
        self.retire()
        process = self._process
        if process is not None and process.returncode is None:
            _signal_group(process.pid, signal.SIGTERM, whole_group=False)
            try:
                async with asyncio.timeout(GRACE_S):
                    await process.wait()
            except TimeoutError:
                log.warning("%s did not stop within %d s and is killed", self.spec.name, GRACE_S)
                self.kill()
                await process.wait()
            _signal_group(process.pid, signal.SIGKILL)  # workers that outlived it
        self._show(State.STOPPED, pid=None)

    def kill(self) -> None:
        """End the process and its workers now."""
        self.retire()
        if self._process is not None and self._process.returncode is None:
            _signal_group(self._process.pid, signal.SIGKILL)

    async def _run_once(self) -> int:
        """Start the process and wait for its end; returns its exit code."""
        try:
            process = await self._start()
        except OSError as error:  # no such program, a program for another platform, no more processes
            note(self._log, f"cannot run {self.spec.command[0]}: {error.strerror}")
            return MISCONFIGURED
        self._process = process
        if self._stopping:  # retired between the fork and now
            self.kill()
        self._show(State.STARTING, pid=process.pid)
        try:
            async with background() as tasks:
                tasks.start(self._watch_readiness(), f"readiness of {self.spec.name}")
                return await process.wait()
        finally:
            self.ready.clear()
            self.waiting_for = "not running"
            if process.returncode is not None:
                _signal_group(process.pid, signal.SIGKILL)  # workers that outlived it

    async def _start(self) -> Process:
        rotate(self._log)
        with self._log.open("ab") as output:
            return await asyncio.create_subprocess_exec(
                *self.spec.command,
                stdin=DEVNULL,
                stdout=output,
                stderr=STDOUT,
                env=dict(self.spec.environment),
                cwd=self.spec.directory,
                # A group of its own: Ctrl-C in the terminal reaches the supervisor only, which stops the
                # parts in order.
                start_new_session=True,
                preexec_fn=die_with_parent(),
            )

    async def _watch_readiness(self) -> None:
        while self.waiting_for:
            self.waiting_for = await waiting_for(self.spec)
            if self.waiting_for:
                await asyncio.sleep(POLL_S)
        self._show(State.READY)
        self.ready.set()

    def _show(self, state: State, **changes: object) -> None:
        self.status = replace(self.status, state=state, since=now(), **changes)  # type: ignore[arg-type]
        self._changed()


def _signal_group(pid: int, number: int, *, whole_group: bool = True) -> None:
    """Signal a process, or the group that it leads; it may be gone already."""
    try:
        if whole_group:
            os.killpg(pid, number)
        else:
            os.kill(pid, number)
    except ProcessLookupError:
        pass
