"""Instances that refused a connect: out of every worker's choice until a connect succeeds again. In the main process.

This is the router's own eye, which needs nobody: with NATS and the health service away, an instance that died is
passed over all the same, and one that came back is used again. The health service hears of it too, and its verdict
then holds for all routers.
"""

import asyncio
import json
import logging
import socket
import time
from collections.abc import Awaitable, Callable
from contextlib import closing

from narthex.contracts.entities import SeenOfInstance
from narthex.contracts.events import Event, UpstreamEvidence
from narthex.contracts.reach import ANYWHERE, Reach
from narthex.runtime.tasks import Background, background
from narthex_router.channel import Say
from narthex_router.evidence import KINDS, Place, Seen, read

log = logging.getLogger(__name__)

TELL_EVERY_S = 0.25
FIRST_LOOK_S = 0.1
GROWTH = 1.5
LONGEST_PAUSE_S = 2.0
CONNECT_S = 1.0
# By then the health service has long judged it, or it is gone; if not, the next request finds out, and goes elsewhere.
GIVE_UP_S = 60.0
_CONNECT_KINDS = ("refused", "unreachable", "connect_timeouts")

Tell = Callable[[Event], Awaitable[None]]
SayToAll = Callable[[Say, bytes], Awaitable[None]]


class Suspects:
    """Adds up what the workers see, and looks after what they should pass over."""

    def __init__(self, router: str, tell: Tell, reach: Reach = ANYWHERE) -> None:
        self._router = router
        self._tell = tell
        self._reach = reach
        self._say: SayToAll
        self._tasks: Background
        self._seen: dict[Place, Seen] = {}
        self._shunned: set[Place] = set()
        self._news = asyncio.Event()

    async def run(self, say: SayToAll) -> None:
        """Tell what was seen, four times a second, for ever; `say` reaches every worker."""
        self._say = say
        async with background() as self._tasks:
            while True:
                await self._news.wait()
                self._news.clear()
                await self._tell_seen()
                await asyncio.sleep(TELL_EVERY_S)

    def shunned(self) -> bytes:
        """What a worker that has just started should pass over."""
        return json.dumps(sorted(self._shunned)).encode() if self._shunned else b""

    async def add(self, told: bytes) -> None:
        """Take what a worker saw."""
        new = set[Place]()
        for place, seen in read(told):
            self._seen.setdefault(place, Seen()).add(seen)
            if any(count for kind, count in zip(KINDS, seen.failures, strict=True) if kind in _CONNECT_KINDS):
                new.add(place)
        self._news.set()
        if new - self._shunned:
            await self._shun(new - self._shunned)

    async def _shun(self, places: set[Place]) -> None:
        """Have all workers pass these over, and tell the others of it at once."""
        self._shunned |= places
        await self._say(Say.SHUN, json.dumps(sorted(places)).encode())
        for place in places:
            log.warning("instance passed over", extra={"fields": place._asdict()})
            self._tasks.start(self._until_it_accepts(place), f"look after {place.instance_id}")
        await self._tell_seen()

    async def _until_it_accepts(self, place: Place) -> None:
        pause, until = FIRST_LOOK_S, time.monotonic() + GIVE_UP_S
        while time.monotonic() < until:
            await asyncio.sleep(pause)
            if await accepts(place, self._reach):
                break
            pause = min(LONGEST_PAUSE_S, pause * GROWTH)
        self._shunned.discard(place)
        await self._say(Say.READMIT, json.dumps([place]).encode())
        log.info("instance no longer passed over", extra={"fields": place._asdict()})

    async def _tell_seen(self) -> None:
        told, self._seen = self._seen, {}
        if told:
            now = time.monotonic()
            instances = tuple(entity(place, seen, now) for place, seen in told.items())
            await self._tell(UpstreamEvidence(key=self._router, router=self._router, instances=instances))


def entity(place: Place, seen: Seen, now: float) -> SeenOfInstance:
    """What was seen at a place, with times as others can read them."""
    return SeenOfInstance(
        **place._asdict(),
        **dict(zip(KINDS, seen.failures, strict=True)),
        failed_for_ms=round((seen.last - seen.first) * 1000),
        failed_ago_ms=round((now - seen.last) * 1000) if seen.last else None,
        successes=seen.successes,
        progress_ago_ms=round((now - seen.progress) * 1000) if seen.progress else None,
    )


async def accepts(place: Place, reach: Reach = ANYWHERE) -> bool:
    """Whether somebody takes a connection there, where instances may be."""
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(CONNECT_S):
            found = await loop.getaddrinfo(place.address, place.port, type=socket.SOCK_STREAM)
            for family, kind, protocol, _, address in found:
                if reach.refusal(str(address[0]), place.port):
                    continue
                with closing(socket.socket(family, kind, protocol)) as sock:
                    sock.setblocking(False)
                    try:
                        await loop.sock_connect(sock, address)
                    except OSError:
                        continue
                    # Linux may connect a socket to itself when nobody listens on a port of the ephemeral range.
                    return bool(sock.getsockname() != sock.getpeername())
    except OSError:  # also a time that is over
        pass
    return False
