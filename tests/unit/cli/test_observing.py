"""What the commands that look back decide by themselves: lines, moments, bars."""

from datetime import UTC, datetime, timedelta

import pytest

from narthex.cli.explain import told
from narthex.cli.metrics import drawn, sparkline
from narthex.cli.moments import ago, ahead, span
from narthex.contracts.api import Explanation, InstanceThen, RequestRecord, TimeSeries
from narthex.contracts.errors import Misconfigured

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)


def test_an_explanation_ends_with_its_sentence():
    attempts = [{"instance_id": "i", "address": "10.0.0.7:9000", "outcome": "connect_failed", "reason": "refused"}]
    request = RequestRecord(id="r", time=NOW, method="GET", path="/\x1b[2J", attempts=attempts, client="192.0.2.1")
    instance = InstanceThen(
        id="i", address="10.0.0.7:9000", health="unhealthy", reason="probe: HTTP 503", draining=True
    )
    found = Explanation(
        deployment="d",
        version="v",
        request=request,
        sentence="Because.",
        instances=[instance],
        limits={"rate_limit": 5},
    )
    assert list(told(found)) == [
        "2026-01-31T12:00:00.000000Z  GET /\\x1b[2J",
        "  to d v, by 192.0.2.1",
        "  attempt 1: 10.0.0.7:9000 at 0.0 ms connect_failed: refused",
        "  instance 10.0.0.7:9000 was unhealthy (probe: HTTP 503), draining",
        "  limits now: rate_limit=5",
        "Because.",
    ]


@pytest.mark.parametrize(
    ("text", "before"),
    [("90s", timedelta(seconds=90)), ("15m", timedelta(minutes=15)), ("2h", timedelta(hours=2)), ("3d", timedelta(3))],
)
def test_a_length_of_time_is_before_now_or_after_it(text, before):
    assert ago(text, NOW) == NOW - before
    assert ahead(text, NOW) == NOW + before
    assert span(text) == before


def test_a_date_is_itself_and_nothing_is_nothing():
    assert ago("2026-01-01T00:00:00+01:00", NOW) == datetime(2025, 12, 31, 23, tzinfo=UTC)
    assert ago(None, NOW) is None


@pytest.mark.parametrize("text", ["yesterday", "15", "m", "-5m", "1y", "2026-13-01", "9999999m", ""])
def test_what_is_no_moment_is_refused(text):
    with pytest.raises(Misconfigured, match="neither a date nor a time ago"):
        ago(text, NOW)


def series(*values, kind="delta"):
    hour = timedelta(hours=1)
    points = [
        {"start_date": NOW + number * hour, "end_date": NOW + (number + 1) * hour, "value": value}
        for number, value in enumerate(values)
    ]
    return TimeSeries(
        metric="services.requests", metric_type=kind, unit="requests", start_date=NOW, end_date=NOW + hour,
        aggregation_period=3600, labels={}, data_points=points,
    )  # fmt: skip


def test_a_series_is_drawn_as_bars_from_zero_to_its_most():
    assert drawn(series(0, 4, 8))[1:] == ["▁▅█", "least 0, most 8, mean 4 requests, in all 12"]
    assert drawn(series(1, 3, kind="gauge"))[2] == "least 1, most 3, mean 2 requests"
    assert drawn(series())[1] == "no values"
    assert sparkline([0, 0]) == "▁▁"
