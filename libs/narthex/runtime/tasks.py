"""Background tasks that somebody owns: they end with their block, and their failure ends it."""

import asyncio
import random
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any

CANCEL_AGAIN_S = 1.0  # longer than any orderly clean-up takes


class Background:
    """Starts tasks inside a task group and knows them, so that they can be cancelled together."""

    def __init__(self, group: asyncio.TaskGroup) -> None:
        self._group = group
        self._tasks: set[asyncio.Task[Any]] = set()

    def start(self, work: Coroutine[Any, Any, Any], name: str) -> asyncio.Task[Any]:
        task = self._group.create_task(_not_silently(work, name), name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(lambda _: work.close())  # cancelled before its first step, it never got to the work
        return task

    async def end(self) -> None:
        """Cancel the tasks until they have ended."""
        while self._tasks:
            await cancelled(*self._tasks)


async def cancelled(*tasks: asyncio.Task[Any]) -> None:
    """Cancel tasks until they have ended.

    Once is not enough: Python 3.11's `wait_for` swallows a cancellation that comes in the same moment as its result
    (gh-86296, cured in 3.12), nats-py and redis-py wait like that, and the task goes on for ever.
    """
    left = set(tasks)
    while left:
        for task in left:
            task.cancel()
        _, left = await asyncio.wait(left, timeout=CANCEL_AGAIN_S)


async def _not_silently(work: Coroutine[Any, Any, Any], name: str) -> Any:
    """Do the work; a cancellation that nobody asked this task for is an error, not an end.

    It comes out of an awaited future that was cancelled elsewhere, and a task group takes it for an orderly end:
    the part would go on without the work.
    """
    try:
        return await work
    except asyncio.CancelledError as error:
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise
        raise RuntimeError(f"{name}: something it waited for was cancelled") from error


@asynccontextmanager
async def background() -> AsyncIterator[Background]:
    """A block with background tasks: leaving it cancels them, a task that fails ends the block.

    Bare `asyncio.create_task` is not used in Narthex: a task nobody owns fails unseen.
    """
    async with asyncio.TaskGroup() as group:
        tasks = Background(group)
        try:
            yield tasks
        finally:
            await tasks.end()


def backoff(attempt: int, first_s: float = 0.1, most_s: float = 5.0) -> float:
    """Seconds to wait before try `attempt` (from 0): doubling, bounded, with half of it random.

    The random half keeps many processes that lost the same server from coming back in step.
    """
    full = min(most_s, first_s * float(1 << min(attempt, 16)))
    return full / 2 + random.uniform(0, full / 2)  # noqa: S311 - jitter, not a secret
