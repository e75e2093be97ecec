"""When a number of a process counts as growing."""

import pytest
from endurance.trend import COMING_AND_GOING, GROWTH_MB_H, JUDGED_FROM_S, trend

HOUR = [float(second) for second in range(0, 3601, 60)]


def line(begin: float, per_hour: float) -> list[tuple[float, float]]:
    return [(time, begin + per_hour * time / 3600) for time in HOUR]


def test_a_straight_line_has_its_slope() -> None:
    found = trend(line(50.0, 6.0))

    assert found.per_hour == pytest.approx(6.0)
    assert (found.first, found.last) == pytest.approx((50.25, 55.75))
    assert found.judged


@pytest.mark.parametrize(("per_hour", "flat"), [(0.0, True), (GROWTH_MB_H * 0.9, True), (GROWTH_MB_H * 1.2, False)])
def test_a_small_process_may_grow_by_some_mb(per_hour: float, flat: bool) -> None:
    assert trend(line(50.0, per_hour)).flat_memory() is flat


@pytest.mark.parametrize(("per_hour", "flat"), [(19.0, True), (25.0, False)])
def test_a_large_process_may_grow_by_a_share(per_hour: float, flat: bool) -> None:
    assert trend(line(1000.0, per_hour)).flat_memory() is flat


def test_one_high_sample_is_no_growth() -> None:
    assert trend([*line(50.0, 0.0)[:-1], (3600.0, 500.0)]).flat_memory()


def test_descriptors_may_come_and_go() -> None:
    assert trend(line(100.0, COMING_AND_GOING * 0.9)).flat_number()
    assert not trend(line(100.0, COMING_AND_GOING * 1.3)).flat_number()


def test_a_short_run_is_not_judged() -> None:
    found = trend([(0.0, 50.0), (JUDGED_FROM_S - 1, 500.0)])

    assert not found.judged
    assert found.flat_memory()


def test_a_single_sample_is_flat() -> None:
    assert trend([(0.0, 50.0)]).per_hour == 0.0
