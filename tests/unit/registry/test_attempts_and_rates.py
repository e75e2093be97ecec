"""How often somebody may try, and how often anybody may ask."""

from narthex.testing.clock import ManualClock
from narthex_registry import attempts, rates
from narthex_registry.attempts import Attempts
from narthex_registry.rates import Rates


async def test_attempts_are_counted_in_a_window_that_slides() -> None:
    clock = ManualClock()
    tries = Attempts(clock, window_s=60)
    assert tries.take("ada", 2) == 0
    await clock.advance(30)
    assert tries.take("ada", 2) == 0
    assert tries.take("ada", 2) == 30  # until the first one leaves the window
    await clock.advance(31)
    assert tries.take("ada", 2) == 0
    assert tries.take("ada", 2) == 29


def test_attempts_for_one_key_say_nothing_about_another() -> None:
    tries = Attempts(ManualClock(), window_s=60)
    assert tries.take("ada", 1) == 0
    assert tries.take("bob", 1) == 0
    assert tries.take("ada", 1) > 0


def test_refused_attempts_do_not_make_the_wait_longer() -> None:
    tries = Attempts(ManualClock(), window_s=60)
    assert [tries.take("ada", 1) for _ in range(4)] == [0, 60, 60, 60]


def test_whoever_has_shown_who_they_are_starts_anew() -> None:
    tries = Attempts(ManualClock(), window_s=60)
    tries.take("ada", 1)
    tries.forgive("ada")
    assert tries.take("ada", 1) == 0


def test_what_is_remembered_of_attempts_is_bounded() -> None:
    tries = Attempts(ManualClock(), window_s=60)
    for number in range(attempts.MOST + 10):
        tries.take(str(number), 1)
    assert tries.take("0", 1) == 0  # forgotten, the oldest first
    assert tries.take(str(attempts.MOST + 9), 1) > 0


async def test_a_caller_has_a_minutes_requests_at_once_and_then_as_they_come_back() -> None:
    clock = ManualClock()
    limits = Rates(clock, per_minute=60)
    assert all(limits.take("a").allowed for _ in range(60))
    refused = limits.take("a")
    assert (refused.allowed, refused.limit, refused.remaining, refused.reset_s) == (False, 60, 0, 1)
    await clock.advance(1)
    assert limits.take("a").allowed
    assert not limits.take("a").allowed
    assert limits.take("b").allowed


async def test_the_wait_is_in_whole_seconds_and_long_enough() -> None:
    clock = ManualClock()
    limits = Rates(clock, per_minute=7)
    for _ in range(7):
        limits.take("a")
    refused = limits.take("a")
    assert isinstance(refused.reset_s, int)
    await clock.advance(refused.reset_s)
    assert limits.take("a").allowed


def test_what_is_left_is_said_with_every_answer() -> None:
    limits = Rates(ManualClock(), per_minute=60)
    first, second = limits.take("a"), limits.take("a")
    assert (first.remaining, second.remaining) == (59, 58)
    assert second.reset_s == 2  # until all 60 are there again


def test_what_is_remembered_of_callers_is_bounded() -> None:
    limits = Rates(ManualClock(), per_minute=1)
    for number in range(rates.MOST + 10):
        limits.take(str(number))
    assert limits.take("0").allowed
    assert not limits.take(str(rates.MOST + 9)).allowed
