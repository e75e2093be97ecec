"""Background tasks end with their block."""

import asyncio
import gc

import pytest

from narthex.runtime import tasks
from narthex.runtime.tasks import background


async def test_a_task_that_swallowed_its_cancellation_is_cancelled_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "CANCEL_AGAIN_S", 0.01)
    swallowed = 0

    async def stubborn() -> None:
        nonlocal swallowed
        while swallowed < 2:  # as `wait_for` does in Python 3.11 when its result comes in the same moment
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                swallowed += 1
        await asyncio.Event().wait()

    async with asyncio.timeout(5), background() as running:
        running.start(stubborn(), "stubborn")
        await asyncio.sleep(0)
    assert swallowed == 2


async def test_a_task_that_is_cancelled_before_its_first_step_leaves_nothing_unawaited(
    recwarn: pytest.WarningsRecorder,
) -> None:
    async with background() as running:
        running.start(asyncio.Event().wait(), "never begun")
    gc.collect()
    assert [str(warning.message) for warning in recwarn] == []


async def test_a_task_that_fails_ends_the_block() -> None:
    async def fails() -> None:
        raise ValueError("broken")

    with pytest.RaisesGroup(ValueError):
        async with background() as running:
            running.start(fails(), "fails")
            await asyncio.Event().wait()


async def test_a_task_that_is_cancelled_by_a_stranger_ends_the_block() -> None:
    stray: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def waits() -> None:
        await stray

    async def block() -> None:
        async with background() as tasks:
            tasks.start(waits(), "the waiter")
            await asyncio.sleep(0)
            stray.cancel()
            await asyncio.Event().wait()

    with pytest.raises(ExceptionGroup) as failure:
        await block()
    assert "the waiter: something it waited for was cancelled" in str(failure.value.exceptions[0])


async def test_a_task_may_be_cancelled_by_who_started_it() -> None:
    async with background() as tasks:
        task = tasks.start(asyncio.Event().wait(), "waits")
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait({task})
    assert task.cancelled()
