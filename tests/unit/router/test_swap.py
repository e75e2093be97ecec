"""Which table may take the place of the one that is served."""

from dataclasses import replace

import pytest

from narthex_router.swap import Size, doubt, shrunk

SERVED = Size(entries=1000, services=100, routable=300, certificates=10)


@pytest.mark.parametrize(("before", "after", "expected"), [(0, 0, False), (10, 7, False), (10, 6, True), (1, 0, True)])
def test_a_table_that_lost_too_much_is_seen(before: int, after: int, expected: bool) -> None:
    assert shrunk(before, after) is expected


@pytest.mark.parametrize(
    ("loaded", "reason"),
    [
        (SERVED, ""),
        (replace(SERVED, services=70, routable=210, certificates=7), ""),
        (replace(SERVED, services=69), "has not lost its services (100 before, 69 now)"),
        (replace(SERVED, routable=200), "has not lost its routable instances"),
        (replace(SERVED, certificates=0), "has not lost its certificates"),
        (replace(SERVED, unreadable=10, dangling=10), ""),
        (replace(SERVED, unreadable=11), "entries that cannot be read (0 before, 11 of 1000 now)"),
        (replace(SERVED, dangling=11), "without their deployment"),
        (replace(SERVED, entries=100_000, dangling=1000), ""),
    ],
)
def test_a_table_in_doubt_is_not_taken(loaded: Size, reason: str) -> None:
    found = doubt(SERVED, loaded, allow_shrink=False)
    assert reason in found if reason else found == ""


def test_an_operator_may_allow_a_loss_but_not_damage() -> None:
    assert doubt(SERVED, replace(SERVED, services=0, routable=0), allow_shrink=True) == ""
    assert doubt(SERVED, replace(SERVED, unreadable=500), allow_shrink=True) != ""


def test_what_was_wrong_before_is_no_reason_to_wait() -> None:
    assert doubt(replace(SERVED, dangling=500), replace(SERVED, dangling=505), allow_shrink=False) == ""
