"""The router that serves now, as the one sees it that is to take its place."""

import asyncio
import errno
import fcntl
import logging
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from narthex.contracts.errors import Misconfigured
from narthex_router.descriptors import receive_soon, send
from narthex_router.handover import accept, address_of, question, trusted
from narthex_router.ports import Ports

log = logging.getLogger(__name__)

ANSWER_WITHIN_S = 5.0  # a turn of its event loop
ASK_TIMES = 3  # one that goes away while it is asked is dying: the next time nobody is there
ASK_AGAIN_S = 0.1
LOCK = "starting.lock"


@contextmanager
def starting(directory: Path) -> Iterator[None]:
    """Be the only router that starts on a data directory; the kernel lets go of it when we die."""
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(directory / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise Misconfigured(
            f"cannot use {directory}: {error.strerror}; set NARTHEX_DATA_DIR to a directory that this user may write"
        ) from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise Misconfigured(f"another router is being started on {directory}: wait until it serves") from None
    try:
        yield
    finally:
        os.close(descriptor)


class Predecessor:
    """A running router that has shown us its ports."""

    def __init__(self, peer: socket.socket, ports: Ports, release: str) -> None:
        self._peer = peer
        self.ports = ports
        self.release = release

    @classmethod
    async def find(cls, directory: Path, name: str) -> "Predecessor | None":
        """The router that runs on a data directory; None when none does.

        Raises Misconfigured when one does that cannot be replaced.
        """
        for _ in range(ASK_TIMES):
            if (peer := _connect(directory)) is None:
                return None
            try:
                if (found := await cls._ask(peer, directory, name)) is not None:
                    return found
            except BaseException:
                peer.close()
                raise
            peer.close()
            await asyncio.sleep(ASK_AGAIN_S)
        raise Misconfigured(f"the router that runs on {directory} closes when it is asked for its ports; stop it first")

    @classmethod
    async def _ask(cls, peer: socket.socket, directory: Path, name: str) -> "Predecessor | None":
        """The router behind a connection; None when it goes away instead of answering."""
        if not trusted(peer):
            raise Misconfigured(f"another user's process answers on {directory}: it is not asked for its ports")
        try:
            send(peer, question(name))
        except ConnectionError:
            return None
        received = await _answer(peer)
        if received is None:
            return None
        offered, descriptors = received
        return cls(peer, accept(offered, descriptors), str(offered.get("release")))

    async def retire(self) -> None:
        """Tell it that we serve; returns when it has let go, or is dead."""
        try:
            send(self._peer, {"serving": True})
            if await _answer(self._peer) is None:
                log.warning("the router before this one died while it was replaced")
        except (ConnectionError, Misconfigured) as error:
            log.warning("the router before this one does not answer", extra={"fields": {"error": str(error)}})

    async def gone(self) -> None:
        """Return when nothing is under way there any more, or it is dead; an earlier release does not say when."""
        try:
            while await receive_soon(self._peer) is not None:
                pass
        except ConnectionError:
            pass
        finally:
            self.close()

    def close(self) -> None:
        """Leave it as it is."""
        self._peer.close()


def _connect(directory: Path) -> socket.socket | None:
    """A connection to the router that runs there; None when none does."""
    peer = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    peer.setblocking(False)
    at = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        peer.connect(address_of(at))
        return peer
    except OSError as error:
        peer.close()
        if error.errno in (errno.ENOENT, errno.ECONNREFUSED):
            return None
        raise Misconfigured(f"the router that runs on {directory} cannot be asked: {error.strerror}") from None
    finally:
        os.close(at)


async def _answer(peer: socket.socket) -> tuple[dict[str, Any], list[int]] | None:
    try:
        async with asyncio.timeout(ANSWER_WITHIN_S):
            return await receive_soon(peer)
    except TimeoutError:
        raise Misconfigured("the router that runs does not answer; stop it first") from None
