"""The main process's side of the workers: starts them, hears them, starts them again when they die, drains them."""

import asyncio
import json
import logging
import struct
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from narthex.runtime.tasks import background, backoff
from narthex_router.arms import Arms
from narthex_router.channel import Channel, Say
from narthex_router.drains import Drains
from narthex_router.nursery_client import NurseryClient
from narthex_router.ports import Ports
from narthex_router.suspects import Suspects
from narthex_router.tallies import Counted, Tallies
from narthex_router.vouching import Vouching
from narthex_router.worker import WorkerConfig

log = logging.getLogger(__name__)

STEADY_S = 30.0  # a worker that lived this long did not die of its start
SILENT_S = 5.0  # a worker says something every second; one that does not is stuck and is replaced
LISTENED = 10  # times in that; one of them is over however long this process stood still itself meanwhile
KILL_AFTER_S = 1.5  # over the drain time
COUNT_WITHIN_S = 1.0
COUNT_EVERY_S = 600.0  # at least: what is over is forgotten where nobody reads it too


@dataclass
class Status:
    """What a worker said last; `waiting_for` is empty when it serves."""

    waiting_for: str = "its start"
    applied_sequence: int = 0
    raw: dict[str, Any] | None = None


class Workers:
    """N worker processes, and the nursery that forks them."""

    def __init__(
        self,
        config: WorkerConfig,
        ports: Ports,
        count: int,
        drain_s: float,
        on_status: Callable[[str, Status], Awaitable[None]],
        on_records: Callable[[bytes, list[tuple[str, str, int]]], None],
        on_limits: Callable[[bytes], None] = lambda reached: None,
        suspects: Suspects | None = None,
        drains: Drains | None = None,
        arms: Arms | None = None,
        vouching: Vouching | None = None,
        silent_s: float = SILENT_S,
    ) -> None:
        self._silent_s = silent_s
        self._config = config
        self._ports = ports
        self._count = count
        self._drain_s = drain_s
        self._on_status = on_status
        self._on_records = on_records
        self._on_limits = on_limits
        self._suspects = suspects
        self._drains = drains
        self._arms = arms
        self._vouching = vouching
        self.statuses: dict[str, Status] = {self._name(slot): Status() for slot in range(count)}
        self.restarts = 0
        self.stalls = 0  # workers that were replaced because they said nothing
        self.nursery_restarts = 0
        self._nursery: NurseryClient | None = None
        self._channels: dict[str, Channel] = {}
        self._draining = asyncio.Event()
        self._changed = asyncio.Event()
        self._asked: dict[str, asyncio.Future[None]] = {}
        self._tallies = Tallies()
        self._one_scrape = asyncio.Lock()

    async def run(self) -> None:
        """Keep all workers running until they are drained, and the nursery too: its workers die with it."""
        attempt = 0
        while not self._draining.is_set():
            began = time.monotonic()
            await self._with_a_nursery()
            if self._draining.is_set():
                return
            attempt = 0 if time.monotonic() - began > STEADY_S else attempt + 1
            self.nursery_restarts += 1
            self._say_dead("the workers' nursery died", attempt)
            log.error("the workers' nursery died", extra={"fields": {"in_a_row": attempt}})
            await self._pause(attempt)

    async def serving(self) -> None:
        """Return as soon as all workers serve."""
        while self.waiting_for():
            self._changed.clear()
            await self._changed.wait()

    async def drain(self) -> None:
        """Take no new connection, and tell all workers to finish and end."""
        self._draining.set()
        self._ports.close()
        if self._nursery is not None:
            self._nursery.close_ports()
        for channel in list(self._channels.values()):
            await channel.write(Say.DRAIN)

    def running(self) -> list[str]:
        return list(self._channels)

    async def say_to_all(self, kind: Say, body: bytes) -> None:
        for channel in list(self._channels.values()):
            await channel.write(kind, body)

    async def counted(self) -> Counted:
        """What all workers have counted; of one that does not answer in time, what it said last."""
        async with self._one_scrape:
            self._asked.clear()  # of those that did not answer the last time
            for name, channel in list(self._channels.items()):
                self._asked[name] = asyncio.get_running_loop().create_future()
                await channel.write(Say.COUNT)
            asked = list(self._asked.values())
            if asked:
                await asyncio.wait(asked, timeout=COUNT_WITHIN_S)
            return self._tallies.total(time.monotonic())

    async def _count_on(self) -> None:
        while True:
            await asyncio.sleep(COUNT_EVERY_S)
            await self.counted()

    def waiting_for(self) -> str:
        """Why the router does not serve with all its workers; empty when it does."""
        if self._draining.is_set():
            return "the end of what is under way: it is draining"
        reasons = {status.waiting_for for status in self.statuses.values() if status.waiting_for}
        return "; ".join(sorted(reasons))

    def _name(self, slot: int) -> str:
        return f"{self._config.router}/{slot}"

    # -- starting, and starting again -----------------------------------------------------------------------

    async def _with_a_nursery(self) -> None:
        """Have a nursery and its workers until they are drained, or until it dies."""
        self._nursery = nursery = await NurseryClient.begin()
        try:
            if self._draining.is_set():
                return
            async with background() as tasks:
                hearing = tasks.start(nursery.hear(), "hear the nursery")
                tasks.start(self._count_on(), "count")
                nursery.open(self._config, self._ports, self._count)
                left = {tasks.start(self._keep(nursery, slot), f"worker {slot}") for slot in range(self._count)}
                while left and not hearing.done():
                    await asyncio.wait({hearing, *left}, return_when=asyncio.FIRST_COMPLETED)
                    left = {each for each in left if not each.done()}
        finally:
            self._nursery = None
            await nursery.close()

    async def _keep(self, nursery: NurseryClient, slot: int) -> None:
        attempt = 0
        while not self._draining.is_set():
            began = time.monotonic()
            code = await self._run_one(nursery, slot)
            if self._draining.is_set():
                return
            attempt = 0 if time.monotonic() - began > STEADY_S else attempt + 1
            self.restarts += 1
            name = self._name(slot)
            self.statuses[name] = Status(_died(name, code, attempt))
            log.error("worker died", extra={"fields": {"worker": name, "code": code, "in_a_row": attempt}})
            await self._pause(attempt)

    async def _pause(self, attempt: int) -> None:
        """Wait before start number `attempt` in a row; the first comes at once, and a drain waits for none."""
        if attempt > 1:
            try:
                async with asyncio.timeout(backoff(attempt - 1)):
                    await self._draining.wait()
            except TimeoutError:
                pass

    def _say_dead(self, reason: str, attempt: int) -> None:
        for name in self.statuses:
            self.statuses[name] = Status(f"{reason} {attempt} times in a row" if attempt > 1 else reason)

    async def _run_one(self, nursery: NurseryClient, slot: int) -> int:
        """Start a worker and hear it until it ends; returns its exit code."""
        name = self._name(slot)
        pid, channel = await nursery.start(slot, name)
        self._channels[name] = channel
        try:
            if self._draining.is_set():
                await channel.write(Say.DRAIN)
            elif self._suspects is not None and (shunned := self._suspects.shunned()):
                await channel.write(Say.SHUN, shunned)
            if self._vouching is not None and self._vouching.stale:
                await channel.write(Say.STALE, self._vouching.told())
            if not await self._hear(name, channel):
                nursery.kill(pid)
            return await self._end(nursery, pid)
        finally:
            del self._channels[name]
            channel.close()
            self._tallies.gone(name)
            if self._drains is not None:
                self._drains.gone(name)

    # -- hearing --------------------------------------------------------------------------------------------

    async def _hear(self, name: str, channel: Channel) -> bool:
        """Take what a worker says until it is gone; False when it has been silent for too long.

        Not by the clock: where a machine or all of a router is paused, nobody could speak.
        """
        in_vain = 0
        while in_vain < LISTENED:
            try:
                async with asyncio.timeout(self._silent_s / LISTENED):
                    frame = await channel.read()
            except TimeoutError:
                in_vain += 1
                continue
            if frame is None:
                return True
            in_vain = 0
            await self._take(name, *frame)
        self.stalls += 1
        log.error("worker is stuck", extra={"fields": {"worker": name, "silent_s": self._silent_s}})
        return False

    async def _take(self, name: str, kind: Say, body: bytes) -> None:
        if kind is Say.STATUS:
            said = json.loads(body)
            status = Status(said["waiting_for"], said["applied_sequence"], said)
            self.statuses[name] = status
            self._changed.set()
            await self._on_status(name, status)
        elif kind is Say.COUNT:
            whole = self._tallies.take(name, json.loads(body))
            if whole and (asked := self._asked.pop(name, None)) is not None and not asked.done():
                asked.set_result(None)
        elif kind is Say.RECORDS:
            end = 4 + int(struct.unpack("!I", body[:4])[0])
            self._on_records(body[end:], json.loads(body[4:end]))
        elif kind is Say.LIMITS:
            self._on_limits(body)
        elif kind is Say.EVIDENCE and self._suspects is not None:
            await self._suspects.add(body)
        elif kind is Say.BUSY and self._drains is not None:
            self._drains.add(name, body)
        elif kind is Say.COMPARED and self._arms is not None:
            self._arms.add(body)

    async def _end(self, nursery: NurseryClient, pid: int) -> int:
        """Wait for the end of a worker that has closed its channel; kill it when it does not come."""
        try:
            async with asyncio.timeout(self._drain_s + KILL_AFTER_S if self._draining.is_set() else KILL_AFTER_S):
                return await nursery.ended(pid)
        except TimeoutError:
            nursery.kill(pid)
            return await nursery.ended(pid)


def _died(name: str, code: int, in_a_row: int) -> str:
    """What a worker that died is waiting for, so that a crash loop shows in /readyz."""
    if in_a_row <= 1:
        return "its start"
    return f"worker {name}, which died {in_a_row} times in a row (exit code {code}), to stay"
