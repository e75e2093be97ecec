"""Times in buckets."""

import pytest

from narthex.contracts.latency import MOST, bucket, quantile_ms


@pytest.mark.parametrize("milliseconds", [1.0, 1.5, 7.0, 99.0, 800.0, 65_000.0])
def test_a_time_is_found_again_within_a_tenth(milliseconds: float) -> None:
    found = quantile_ms({bucket(milliseconds / 1000): 1}, 0.95)
    assert found is not None
    assert milliseconds <= found <= milliseconds * 1.1


def test_what_is_too_short_or_too_long_is_counted_all_the_same() -> None:
    assert (bucket(0.0), bucket(0.0001), bucket(1e9)) == (0, 0, MOST)


def test_a_quantile_is_the_time_that_this_share_stayed_below() -> None:
    counts = {bucket(0.01): 90, bucket(1.0): 10}
    low, high = quantile_ms(counts, 0.9), quantile_ms(counts, 0.91)
    assert low is not None
    assert high is not None
    assert low < 12
    assert high > 990
    assert quantile_ms({}, 0.5) is None
