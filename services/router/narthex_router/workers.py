"""The main process's side of the workers: starts them, hears them, starts them again when they die, drains them."""

import asyncio
import json
import logging
import socket
import struct
import sys
import time
from asyncio.subprocess import Process
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any

from narthex.runtime.child import die_with_parent
from narthex.runtime.tasks import background, backoff
from narthex_router.channel import Channel, Say
from narthex_router.worker import WorkerConfig

log = logging.getLogger(__name__)

STEADY_S = 30.0  # a worker that lived this long did not die of its start
COUNT_WITHIN_S = 1.0
KILL_AFTER_S = 1.5  # over the drain time


@dataclass
class Status:
    """What a worker said last; `waiting_for` is empty when it serves."""

    waiting_for: str = "its start"
    applied_sequence: int = 0
    raw: dict[str, Any] | None = None


class Workers:
    """N worker processes."""

    def __init__(
        self,
        config: WorkerConfig,
        count: int,
        drain_s: float,
        on_status: Callable[[str, Status], Awaitable[None]],
        on_records: Callable[[bytes, int], None],
    ) -> None:
        self._configs = [replace(config, name=f"{config.router}/{number}") for number in range(count)]
        self._drain_s = drain_s
        self._on_status = on_status
        self._on_records = on_records
        self.statuses: dict[str, Status] = {each.name: Status() for each in self._configs}
        self.restarts = 0
        self._channels: dict[str, Channel] = {}
        self._draining = asyncio.Event()
        self._asked: dict[str, asyncio.Future[dict[str, Any]]] = {}
        self._one_scrape = asyncio.Lock()

    async def run(self) -> None:
        """Keep all workers running until they are drained."""
        async with background() as tasks:
            running = [tasks.start(self._keep(config), f"worker {config.name}") for config in self._configs]
            await asyncio.gather(*running)

    async def drain(self) -> None:
        """Tell all workers to finish and end."""
        self._draining.set()
        for channel in self._channels.values():
            await channel.write(Say.DRAIN)

    async def counters(self) -> list[dict[str, Any]]:
        """What each worker has counted; a worker that does not answer in time is left out."""
        async with self._one_scrape:
            for name, channel in list(self._channels.items()):
                self._asked[name] = asyncio.get_running_loop().create_future()
                await channel.write(Say.COUNT)
            asked = list(self._asked.values())
            if asked:
                await asyncio.wait(asked, timeout=COUNT_WITHIN_S)
            return [answer.result() for answer in asked if answer.done() and not answer.cancelled()]

    def waiting_for(self) -> str:
        """Why the router does not serve with all its workers; empty when it does."""
        reasons = {status.waiting_for for status in self.statuses.values() if status.waiting_for}
        return "; ".join(sorted(reasons))

    async def _keep(self, config: WorkerConfig) -> None:
        attempt = 0
        while not self._draining.is_set():
            began = time.monotonic()
            code = await self._run_one(config)
            self.statuses[config.name] = Status()
            if self._draining.is_set():
                return
            attempt = 0 if time.monotonic() - began > STEADY_S else attempt + 1
            self.restarts += 1
            log.error("worker died", extra={"fields": {"worker": config.name, "code": code}})
            await asyncio.sleep(backoff(attempt))

    async def _run_one(self, config: WorkerConfig) -> int:
        """Start a worker and hear it until it ends; returns its exit code."""
        ours, theirs = socket.socketpair()
        with theirs:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-P",  # a file in the current directory must not be taken for a library
                "-m",
                "narthex_router.worker",
                str(theirs.fileno()),
                pass_fds=(theirs.fileno(),),
                stdin=asyncio.subprocess.DEVNULL,
                preexec_fn=die_with_parent(),
            )
        channel = await Channel.over(ours)
        self._channels[config.name] = channel
        try:
            await channel.write(Say.CONFIG, config.encode())
            if self._draining.is_set():
                await channel.write(Say.DRAIN)
            await self._hear(config.name, channel, process)
            return await self._end(process)
        finally:
            del self._channels[config.name]
            channel.close()
            if process.returncode is None:
                process.kill()

    async def _hear(self, name: str, channel: Channel, process: Process) -> None:
        while (frame := await channel.read()) is not None:
            kind, body = frame
            if kind is Say.STATUS:
                said = json.loads(body)
                status = Status(said["waiting_for"], said["applied_sequence"], said)
                self.statuses[name] = status
                await self._on_status(name, status)
            elif kind is Say.COUNT:
                if (asked := self._asked.pop(name, None)) is not None and not asked.done():
                    asked.set_result(json.loads(body))
            elif kind is Say.RECORDS:
                self._on_records(body[4:], struct.unpack("!I", body[:4])[0])

    async def _end(self, process: Process) -> int:
        try:
            async with asyncio.timeout(self._drain_s + KILL_AFTER_S):
                return await process.wait()
        except TimeoutError:
            process.kill()
            return await process.wait()
