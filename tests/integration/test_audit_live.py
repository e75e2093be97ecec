"""What the log store tells of now: rates of all services in one answer, a service's chart in another, its own state."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from integration.audit_kit import Installation, installation, request

from narthex.contracts.queries import (
    CHART_SUBJECT,
    LOG_STORE_SUBJECT,
    RATES_SUBJECT,
    ChartAnswer,
    ChartQuestion,
    LogStoreQuestion,
    LogStoreState,
    RatesAnswer,
    RatesQuestion,
)


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[Installation]:
    async with installation(tmp_path) as here:
        yield here


async def test_the_rates_of_all_services_that_were_called_within_a_minute_come_in_one_answer(
    here: Installation,
) -> None:
    now = datetime.now(UTC)
    await here.serve(
        *[request(n, time=now, total_ms=20.0, service_id="one") for n in range(30)],
        *[request(50 + n, time=now, status=503, code="rate_limit_x", service_id="two") for n in range(4)],
        request(90, time=now - timedelta(minutes=5), service_id="quiet"),
        request(91, time=now, service_id="foreign", project_id="other"),
    )
    await here.found(1, id="request-0090")

    answer = await here.registry.ask(RATES_SUBJECT, RatesQuestion(project_id="p"), RatesAnswer)

    assert answer.services == ("one", "two")
    # Should the minute turn meanwhile, a little of it does not count any more.
    assert answer.requests == pytest.approx((30.0, 4.0), rel=0.25)
    assert answer.failed == pytest.approx((0.0, answer.requests[1]))
    assert answer.limited == pytest.approx((0.0, answer.requests[1]))
    assert answer.took_ms[0] == pytest.approx(20.0 * answer.requests[0], rel=0.01)
    assert answer.p95_ms[0] == pytest.approx(20.0, rel=0.095)


async def test_a_services_chart_is_columns_of_the_same_length(here: Installation) -> None:
    minute = datetime.now(UTC).replace(second=0, microsecond=0)
    before = minute - timedelta(minutes=3)
    await here.serve(
        *[request(n, time=before, total_ms=ms, first_byte_ms=5.0) for n, ms in enumerate([1.0] * 60 + [600.0] * 40)],
        request(200, time=before, status=404),
        request(201, time=before, status=502),
        request(202, time=before, outcome="truncated"),
        request(203, time=before, status=429, code="rate_limit_total"),
        request(204, time=before, service_id="other"),
    )
    await here.found(1, id="request-0204")
    question = ChartQuestion(
        project_id="p", service_id="s", since=before - timedelta(minutes=1), until=minute, period_s=60,
        instances_series=1,
    )  # fmt: skip

    answer = await here.registry.ask(CHART_SUBJECT, question, ChartAnswer)

    assert answer.times == tuple(int(before.timestamp()) + 60 * n for n in (-1, 0, 1, 2))
    assert answer.by_class["2xx"] == (0, 101, 0, 0)
    assert [answer.by_class[name][1] for name in ("3xx", "4xx", "5xx", "broken")] == [0, 2, 1, 1]
    assert answer.limited == (0, 1, 0, 0)
    assert answer.durations_ms["p50_ms"] == (None, pytest.approx(1.0, rel=0.095), None, None)
    assert answer.durations_ms["p99_ms"][1] == pytest.approx(600.0, rel=0.095)
    assert answer.instances_ready == (None,) * 4
    assert answer.in_flight[1] == pytest.approx((60 + 24_000) / 60_000, rel=0.05)
    columns = (*answer.by_class.values(), *answer.durations_ms.values(), answer.first_byte_ms, answer.in_flight)
    assert {len(column) for column in columns} == {4}


async def test_the_store_tells_how_large_it_is_and_since_when_it_keeps_what(here: Installation) -> None:
    await here.serve(request(1), request(2))
    await here.found(2)
    state = await here.registry.ask(LOG_STORE_SUBJECT, LogStoreQuestion(), LogStoreState)
    assert (state.kind, state.reason, state.requests) == ("chdb", "", 2)
    assert state.size_bytes > 0
    assert state.limit_bytes == 20 * 10**9
    assert state.oldest is not None
