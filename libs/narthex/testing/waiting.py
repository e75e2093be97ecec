"""Waiting in tests: for a condition and with a deadline, never for a while."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from typing import TypeVar

T = TypeVar("T")

POLL_S = 0.02
WITHIN_S = 20.0  # for a busy machine: a test that passes does not wait for it


async def eventually(look: Callable[[], Awaitable[T]], within_s: float = WITHIN_S) -> T:
    """The first true thing that `look` finds; AssertionError with the last one when the time is up."""
    async with asyncio.timeout(within_s + 5.0):
        deadline = asyncio.get_running_loop().time() + within_s
        while not (found := await look()):
            assert asyncio.get_running_loop().time() < deadline, f"still {found!r} after {within_s} s"
            await asyncio.sleep(POLL_S)
        return found


async def until(condition: Callable[[], object], within_s: float = WITHIN_S) -> None:
    """Return once `condition()` is true; for conditions that need no await."""

    async def look() -> object:
        return condition()

    await eventually(look, within_s)


async def waited(over: asyncio.Event, seconds: float) -> bool:
    """Wait, at most until it is over; whether it is. For what goes on beside a test, at its own pace."""
    with suppress(TimeoutError):
        async with asyncio.timeout(max(0.0, seconds)):
            await over.wait()
    return over.is_set()


async def paced(every_s: float, over: asyncio.Event, first_s: float = 0.0) -> AsyncIterator[None]:
    """Again and again at a rate, until it is over; after a standstill, a second's worth is caught up."""
    loop = asyncio.get_running_loop()
    due = loop.time() + first_s
    while not await waited(over, due - loop.time()):
        due = max(due + every_s, loop.time() - 1.0)
        yield


def eventually_sync(look: Callable[[], T], within_s: float = WITHIN_S) -> T:
    """The same without an event loop: for tests of processes and threads."""
    deadline = time.monotonic() + within_s
    while not (found := look()):
        assert time.monotonic() < deadline, f"still {found!r} after {within_s} s"
        time.sleep(POLL_S)
    return found
