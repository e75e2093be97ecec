"""Tells how requests went at versions that share a service, of all workers together. In the main process.

The registry decides by it how a rollout goes on (`narthex_registry.pilot`). While the bus is away nobody is told, and
nothing goes on.
"""

import asyncio
from collections.abc import Awaitable, Callable

from narthex.contracts.entities import SeenOfVersion
from narthex.contracts.events import Event, VersionsCompared
from narthex_router.arms import Arm, Arms, Count

TELL_EVERY_S = 1.0


async def tell_comparison(arms: Arms, router: str, tell: Callable[[Event], Awaitable[None]]) -> None:
    """Tell every second, while there is something, for ever."""
    while True:
        await asyncio.sleep(TELL_EVERY_S)
        if seen := tuple(entity(arm, count) for arm, count in arms.empty()):
            await tell(VersionsCompared(key=router, router=router, versions=seen))


def entity(arm: Arm, count: Count) -> SeenOfVersion:
    """What was seen of one version, as others can read it."""
    latencies = tuple(sorted(count.latencies.items()))
    return SeenOfVersion(**arm._asdict(), requests=count.requests, errors=count.errors, latencies=latencies)
