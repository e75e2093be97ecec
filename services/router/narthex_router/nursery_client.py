"""The nursery as the main process sees it: a process that forks workers."""

import asyncio
import socket
import sys
from asyncio.subprocess import Process
from dataclasses import asdict
from typing import Any

from narthex.runtime.child import die_with_parent
from narthex_router.channel import Channel
from narthex_router.descriptors import receive_soon, send
from narthex_router.ports import Ports
from narthex_router.worker import WorkerConfig


class NurseryClient:
    """Starts workers through the nursery, and hears of their end."""

    def __init__(self, process: Process, talk: socket.socket) -> None:
        self._process = process
        self._talk = talk
        self._started: asyncio.Queue[int] = asyncio.Queue()
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

    @property
    def pid(self) -> int:
        return self._process.pid

    async def hear(self) -> None:
        """Take what the nursery says, until it is gone."""
        while (received := await receive_soon(self._talk)) is not None:
            message, _ = received
            if "ended" in message:
                self._future(message["ended"]).set_result(message["code"])
            else:
                self._started.put_nowait(message["started"])

    def open(self, config: WorkerConfig, ports: Ports, workers: int) -> None:
        """Hand over what all workers will share; the sockets stay open here too."""
        message = {
            "do": "open",
            "config": asdict(config),
            "workers": workers,
            "secure": len(ports.secure.sockets),
            "ticket_key": ports.ticket_key.secret.hex(),
        }
        self._say(message, ports.descriptors())

    async def start(self, slot: int, name: str) -> tuple[int, Channel]:
        """Fork a worker: its process id and the channel to it."""
        ours, theirs = socket.socketpair()
        async with self._one_start:
            with theirs:
                self._say({"do": "start", "slot": slot, "name": name}, [theirs.fileno()])
            pid = await self._started.get()
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

    def _say(self, message: dict[str, Any], descriptors: list[int] | None = None) -> None:
        try:
            send(self._talk, message, descriptors or ())
        except ConnectionError:
            pass  # it is gone: `hear` ends

    def _future(self, pid: int) -> asyncio.Future[int]:
        return self._ended.setdefault(pid, asyncio.get_running_loop().create_future())
