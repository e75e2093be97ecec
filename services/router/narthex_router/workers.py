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
from dataclasses import asdict, dataclass
from typing import Any

from narthex.contracts.errors import Misconfigured
from narthex.runtime.child import die_with_parent
from narthex.runtime.tasks import background, backoff
from narthex_router.channel import Channel, Say
from narthex_router.nursery import MESSAGE
from narthex_router.worker import WorkerConfig

log = logging.getLogger(__name__)

STEADY_S = 30.0  # a worker that lived this long did not die of its start
SILENT_S = 5.0  # a worker says something every second; one that does not is stuck and is replaced
KILL_AFTER_S = 1.5  # over the drain time
COUNT_WITHIN_S = 1.0


@dataclass
class Status:
    """What a worker said last; `waiting_for` is empty when it serves."""

    waiting_for: str = "its start"
    applied_sequence: int = 0
    raw: dict[str, Any] | None = None


class NurseryClient:
    """The nursery as the main process sees it: a process that forks workers."""

    def __init__(self, process: Process, talk: socket.socket) -> None:
        self._process = process
        self._talk = talk
        self._started: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._ended: dict[int, asyncio.Future[int]] = {}
        self._one_start = asyncio.Lock()

    @classmethod
    async def begin(cls) -> "NurseryClient":
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.setblocking(False)
        with theirs:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-P",  # a file in the current directory must not be taken for a library
                "-m",
                "narthex_router.nursery",
                str(theirs.fileno()),
                pass_fds=(theirs.fileno(),),
                stdin=asyncio.subprocess.DEVNULL,
                preexec_fn=die_with_parent(),
            )
        return cls(process, ours)

    async def hear(self) -> None:
        """Take what the nursery says, until it is gone."""
        loop = asyncio.get_running_loop()
        while data := await loop.sock_recv(self._talk, MESSAGE):
            message = json.loads(data)
            if "ended" in message:
                self._future(message["ended"]).set_result(message["code"])
            else:
                self._started.put_nowait(message)

    async def open(self, config: WorkerConfig, workers: int) -> None:
        """Open the ports; raises Misconfigured when they cannot be had."""
        self._say({"do": "open", "config": asdict(config), "workers": workers})
        if reason := (await self._started.get()).get("failed"):
            raise Misconfigured(reason)

    async def start(self, slot: int, name: str) -> tuple[int, Channel]:
        """Fork a worker: its process id and the channel to it."""
        ours, theirs = socket.socketpair()
        async with self._one_start:
            with theirs:
                message = json.dumps({"do": "start", "slot": slot, "name": name}).encode()
                socket.send_fds(self._talk, [message], [theirs.fileno()])
            pid = (await self._started.get())["started"]
        return pid, await Channel.over(ours)

    async def ended(self, pid: int) -> int:
        """Wait for the end of a worker; its exit code."""
        code = await asyncio.shield(self._future(pid))  # who waits may give up; the future stays good
        del self._ended[pid]
        return code

    def kill(self, pid: int) -> None:
        self._say({"do": "kill", "pid": pid})

    def close_ports(self) -> None:
        self._say({"do": "close"})

    async def close(self) -> None:
        self._talk.close()
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()

    def _say(self, message: dict[str, Any]) -> None:
        self._talk.send(json.dumps(message).encode())

    def _future(self, pid: int) -> asyncio.Future[int]:
        return self._ended.setdefault(pid, asyncio.get_running_loop().create_future())


class Workers:
    """N worker processes."""

    def __init__(
        self,
        config: WorkerConfig,
        count: int,
        drain_s: float,
        on_status: Callable[[str, Status], Awaitable[None]],
        on_records: Callable[[bytes, int], None],
        silent_s: float = SILENT_S,
    ) -> None:
        self._silent_s = silent_s
        self._config = config
        self._count = count
        self._drain_s = drain_s
        self._on_status = on_status
        self._on_records = on_records
        self.statuses: dict[str, Status] = {self._name(slot): Status() for slot in range(count)}
        self.restarts = 0
        self._nursery: NurseryClient | None = None
        self._channels: dict[str, Channel] = {}
        self._draining = asyncio.Event()
        self._asked: dict[str, asyncio.Future[dict[str, Any]]] = {}
        self._one_scrape = asyncio.Lock()

    async def run(self) -> None:
        """Keep all workers running until they are drained. A nursery that dies ends it with an error."""
        self._nursery = nursery = await NurseryClient.begin()
        try:
            async with background() as tasks:
                hearing = tasks.start(nursery.hear(), "hear the nursery")
                await nursery.open(self._config, self._count)
                keeping = [tasks.start(self._keep(nursery, slot), f"worker {slot}") for slot in range(self._count)]
                await asyncio.wait({hearing, *keeping}, return_when=asyncio.FIRST_COMPLETED)
                if hearing.done() and not self._draining.is_set():
                    raise RuntimeError("the workers' nursery died")
                await asyncio.gather(*keeping)
        finally:
            await nursery.close()

    async def drain(self) -> None:
        """Take no new connection, and tell all workers to finish and end."""
        self._draining.set()
        if self._nursery is not None:
            self._nursery.close_ports()
        for channel in list(self._channels.values()):
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

    def _name(self, slot: int) -> str:
        return f"{self._config.router}/{slot}"

    async def _keep(self, nursery: NurseryClient, slot: int) -> None:
        attempt = 0
        while not self._draining.is_set():
            began = time.monotonic()
            code = await self._run_one(nursery, slot)
            self.statuses[self._name(slot)] = Status()
            if self._draining.is_set():
                return
            attempt = 0 if time.monotonic() - began > STEADY_S else attempt + 1
            self.restarts += 1
            log.error("worker died", extra={"fields": {"worker": self._name(slot), "code": code}})
            await asyncio.sleep(backoff(attempt - 1) if attempt > 1 else 0)

    async def _run_one(self, nursery: NurseryClient, slot: int) -> int:
        """Start a worker and hear it until it ends; returns its exit code."""
        name = self._name(slot)
        pid, channel = await nursery.start(slot, name)
        self._channels[name] = channel
        try:
            if self._draining.is_set():
                await channel.write(Say.DRAIN)
            await self._hear(name, channel)
            return await self._end(nursery, pid)
        finally:
            del self._channels[name]
            channel.close()

    async def _hear(self, name: str, channel: Channel) -> None:
        """Take what a worker says, until it is gone or has been silent for too long."""
        while True:
            try:
                async with asyncio.timeout(self._silent_s if not self._draining.is_set() else None):
                    frame = await channel.read()
            except TimeoutError:
                log.error("worker is stuck", extra={"fields": {"worker": name, "silent_s": self._silent_s}})
                return
            if frame is None:
                return
            await self._take(name, *frame)

    async def _take(self, name: str, kind: Say, body: bytes) -> None:
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

    async def _end(self, nursery: NurseryClient, pid: int) -> int:
        """Wait for the end of a worker that has fallen silent; kill it when it does not come."""
        try:
            async with asyncio.timeout(self._drain_s + KILL_AFTER_S if self._draining.is_set() else KILL_AFTER_S):
                return await nursery.ended(pid)
        except TimeoutError:
            nursery.kill(pid)
            return await nursery.ended(pid)
