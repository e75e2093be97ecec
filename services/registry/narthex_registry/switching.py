"""Switching from one version to another without a gap.

Routers switch at once and in one step, and what is under way at the old version's instances ends there. So all that a
switch needs is that the new version can answer: a version without a healthy instance does not take over from one that
has some, unless whoever switches insists.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from sqlalchemy.ext.asyncio import AsyncSession

from narthex.contracts.errors import Conflict
from narthex_registry import instances, tables

LOOK_EVERY_S = 0.25

DoneT = TypeVar("DoneT")


class NotReady(Conflict):
    """The version cannot take over yet."""


async def allow(session: AsyncSession, field: str, before: str | None, after: str | None) -> None:
    """Raise NotReady if requests that are answered now would not be answered by the version `after`."""
    if before is None or after is None or before == after:
        return
    serving = await instances.ready(session, before)
    if not serving or await instances.ready(session, after):
        return
    name = (await session.get_one(tables.Version, after)).name
    raise NotReady(
        f"{field}: version {name} has no healthy instance yet, and {serving} of the version before are serving; "
        "wait for it with ?wait_s=60, or switch all the same with ?force=true"
    )


async def waiting(switch: Callable[[], Awaitable[DoneT]], wait_s: float) -> DoneT:
    """Switch as soon as that is allowed; raises NotReady when it is not within the time."""
    deadline = asyncio.get_running_loop().time() + wait_s
    while True:
        try:
            return await switch()
        except NotReady:
            if asyncio.get_running_loop().time() >= deadline:
                raise
            await asyncio.sleep(LOOK_EVERY_S)
