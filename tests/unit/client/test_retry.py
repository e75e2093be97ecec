"""Which failures are tried again, and for how long."""

import pytest

from narthex.client.errors import ApiError, ConnectionFailed
from narthex.client.retry import NEVER, Retry
from narthex.contracts.errors import Invalid

REFUSED = ConnectionFailed("http://api", "refused", sent=False)
BROKEN = ConnectionFailed("http://api", "broke", sent=True)


@pytest.mark.parametrize(
    ("error", "repeatable", "again"),
    [
        (ApiError(429, "", "slow down"), False, True),
        (ApiError(503, "", "away"), True, True),
        (ApiError(503, "", "away"), False, False),
        (ApiError(500, "", "broken"), True, False),
        (ApiError(404, "", "unknown"), True, False),
        (REFUSED, False, True),
        (BROKEN, False, False),
        (BROKEN, True, True),
        (Invalid("no"), True, False),
    ],
)
def test_only_what_was_not_acted_on_or_can_be_done_twice_is_repeated(error, repeatable, again):
    pause = Retry().pause(error, repeatable=repeatable, attempt=0, elapsed_s=0.0)
    assert (pause is not None) == again


def test_the_pause_is_at_least_what_the_api_asks_for():
    error = ApiError(429, "", "slow down", retry_after_s=7.0)
    assert Retry().pause(error, repeatable=True, attempt=0, elapsed_s=0.0) == 7.0


def test_an_api_that_asks_for_more_time_than_there_is_is_not_waited_for():
    error = ApiError(429, "", "slow down", retry_after_s=59.0)
    assert Retry(total_s=30.0).pause(error, repeatable=True, attempt=0, elapsed_s=0.0) is None


def test_pauses_double_up_to_a_bound():
    retry = Retry(total_s=1e9, first_s=1.0, most_s=4.0)
    pauses = [retry.pause(BROKEN, repeatable=True, attempt=n, elapsed_s=0.0) or 0 for n in range(6)]
    assert all(most / 2 <= pause <= most for pause, most in zip(pauses, [1, 2, 4, 4, 4, 4], strict=True))


def test_nobody_listening_is_tried_for_a_moment_only():
    retry = Retry(total_s=30.0, connect_s=1.0)
    assert retry.pause(REFUSED, repeatable=True, attempt=0, elapsed_s=0.1) is not None
    assert retry.pause(REFUSED, repeatable=True, attempt=3, elapsed_s=1.0) is None
    assert retry.pause(BROKEN, repeatable=True, attempt=3, elapsed_s=1.0) is not None


def test_never_is_never():
    assert NEVER.pause(REFUSED, repeatable=True, attempt=0, elapsed_s=0.0) is None
