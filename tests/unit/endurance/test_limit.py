"""Whether more passed in a minute than the rate limit allowed."""

from endurance.limit import over_limit


def test_as_many_as_the_limit_in_each_minute_are_allowed() -> None:
    assert over_limit([second * 10.0 for second in range(60)], [(0.0, 6)]) == []


def test_one_more_within_a_minute_is_over() -> None:
    found = over_limit([100.0, 110.0, 120.0, 159.9], [(0.0, 3)])

    assert len(found) == 1
    assert found[0].startswith("4 in the minute before 00:02:39")


def test_a_minute_is_over_after_sixty_seconds() -> None:
    assert over_limit([100.0, 110.0, 120.0, 160.0], [(0.0, 3)]) == []


def test_around_a_change_the_higher_limit_counts() -> None:
    passed = [100.0, 110.0, 120.0, 130.0]

    assert over_limit(passed, [(0.0, 4), (125.0, 2)]) == []
    assert over_limit(passed, [(0.0, 2), (125.0, 4)]) == ["3 in the minute before 00:02:00.000000, 2 allowed"]


def test_a_limit_of_long_ago_counts_no_more() -> None:
    passed = [300.0, 310.0, 320.0]

    assert over_limit(passed, [(0.0, 9), (100.0, 2)]) == ["3 in the minute before 00:05:20.000000, 2 allowed"]
