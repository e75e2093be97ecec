"""Waiting in tests: for a condition and with a deadline, never for a while."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")


async def eventually(look: Callable[[], Awaitable[T]], within_s: float = 10.0) -> T:
    """The first true thing that `look` finds; AssertionError with the last one when the time is up."""
    async with asyncio.timeout(within_s + 5.0):
        deadline = asyncio.get_running_loop().time() + within_s
        while not (found := await look()):
            assert asyncio.get_running_loop().time() < deadline, f"still {found!r} after {within_s} s"
            await asyncio.sleep(0.02)
        return found


async def until(condition: Callable[[], object], within_s: float = 10.0) -> None:
    """Return once `condition()` is true; for conditions that need no await."""

    async def look() -> object:
        return condition()

    await eventually(look, within_s)
