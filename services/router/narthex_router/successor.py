"""The router that is to take this one's place, as this one sees it."""

import asyncio
import logging
import os
import socket
from pathlib import Path

from narthex_router.descriptors import receive_soon, send
from narthex_router.handover import SOCKET, address_of, offer, question, refusal, trusted
from narthex_router.ports import Ports

log = logging.getLogger(__name__)

ASK_WITHIN_S = 5.0  # from connecting to the question; it is sent at once
_NEW = "handover.new"


class Door:
    """Where a successor knocks; it is given the ports, and once it serves this router is over."""

    def __init__(self, directory: Path, name: str, ports: Ports) -> None:
        self._name = name
        self._ports = ports
        self._successor: socket.socket | None = None
        self._asked = False  # for the ports, by a router that may serve beside us from now on
        self._told = False
        self._serving = asyncio.Event()
        self._directory = directory
        self._listener = _listen(directory)

    def open(self) -> None:
        """Be found by successors from now on, in place of our predecessor."""
        (self._directory / _NEW).replace(self._directory / SOCKET)

    async def run(self) -> None:
        """Answer successors, one at a time, until one of them serves."""
        loop = asyncio.get_running_loop()
        while not self._serving.is_set():
            peer, _ = await loop.sock_accept(self._listener)
            try:
                await self._hand_over(peer)
            except (OSError, ValueError, TimeoutError) as error:
                log.warning("a hand-over came to nothing", extra={"fields": {"error": str(error)}})
            finally:
                if peer is not self._successor:
                    peer.close()

    async def replaced(self) -> None:
        """Return when another router has taken over."""
        await self._serving.wait()

    @property
    def over(self) -> bool:
        """Whether another router has taken over."""
        return self._serving.is_set()

    @property
    def shared(self) -> bool:
        """Whether another router serves on these ports too, or may."""
        return self._asked or self.over

    def let_go(self) -> None:
        """Tell the successor, if there is one, that what only one router may do is its own now."""
        self._listener.close()
        if self._successor is not None and not self._told:
            self._told = True
            try:
                send(self._successor, {"yours": True})
            except ConnectionError:
                log.error("the router that took over is gone")

    def close(self) -> None:
        """Let the successor see that nothing is under way here any more."""
        self.let_go()
        if self._successor is not None:
            self._successor.close()

    async def _hand_over(self, peer: socket.socket) -> None:
        if not trusted(peer):
            log.error("a process of another user asked for the ports")
            return
        async with asyncio.timeout(ASK_WITHIN_S):
            received = await receive_soon(peer)
        if received is None:
            return
        asked, _ = received
        if reason := refusal(asked, self._name):
            send(peer, {**question(self._name), "refused": reason})
            return
        log.info("handing over", extra={"fields": {"to_release": asked.get("release")}})
        self._asked = True
        try:
            send(peer, offer(self._ports), self._ports.descriptors())
            received = await receive_soon(peer)
            if received is not None and received[0].get("serving"):
                self._successor = peer
                self._serving.set()
            else:
                log.warning("the router that was to take over is gone: this one goes on")
        finally:
            self._asked = False


def _listen(directory: Path) -> socket.socket:
    """The socket that successors will connect to; only our own user can."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    at = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        draft = directory / _NEW
        draft.unlink(missing_ok=True)
        listener.bind(address_of(at, _NEW))
        draft.chmod(0o600)
        listener.listen()
        listener.setblocking(False)
    finally:
        os.close(at)
    return listener
