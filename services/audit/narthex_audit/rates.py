"""From the question how often each service of a project is called now to SQL. Pure.

The minutes are the finest that is kept of everything, so "now" is the last sixty seconds as a sliding window over two
of them: this one, and of the one before the part that the window still covers.
"""

from collections.abc import Sequence
from typing import Any

from narthex.contracts.queries import RatesAnswer, RatesQuestion
from narthex_audit.buckets import duration_s, reached

SHARE = 0.95
MOST_SERVICES = 20_000

_THIS = "toStartOfMinute(now('UTC'))"
# Of a minute's row, how much counts.
_PART = f"if(minute >= {_THIS}, 1, 1 - (toUnixTimestamp(now('UTC')) % 60) / 60)"
_WHERE = f"project_id = {{project_id:String}} AND minute >= {_THIS} - INTERVAL 1 MINUTE"


def select_counts(question: RatesQuestion) -> tuple[str, dict[str, Any]]:
    """The query for rows of service, requests, failed ones, ones over a limit, and the time that all took in ms."""
    sums = ", ".join(f"sum({name} * {_PART})" for name in ("requests", "failed", "limited", "took_ms"))
    sql = (
        f"SELECT service_id, {sums} FROM requests_minutely WHERE {_WHERE} "
        f"GROUP BY service_id ORDER BY service_id LIMIT {MOST_SERVICES}"
    )
    return sql, {"project_id": question.project_id}


def select_steps(question: RatesQuestion) -> tuple[str, dict[str, Any]]:
    """The query for rows of service, and the step on the scale of durations that 95 % of its requests stayed below."""
    steps = (
        f"SELECT service_id, step, sum(requests * {_PART}) AS number FROM outcomes_minutely "
        f"WHERE {_WHERE} GROUP BY service_id, step"
    )
    sql = (
        f"SELECT service_id, min(step) FROM ({reached('service_id', steps)}) "
        f"WHERE so_far >= {SHARE} * together AND together > 0 GROUP BY service_id LIMIT {MOST_SERVICES}"
    )
    return sql, {"project_id": question.project_id}


def answer(counts: Sequence[Sequence[Any]], steps: Sequence[Sequence[Any]]) -> RatesAnswer:
    """Columns, since a message holds 1 MB on many a bus and there may be thousands of services."""
    p95_ms = {service_id: round(duration_s(step) * 1000, 3) for service_id, step in steps}
    called = [row for row in counts if row[1] > 0]
    return RatesAnswer(
        services=tuple(row[0] for row in called),
        requests=tuple(round(row[1], 2) for row in called),
        failed=tuple(round(row[2], 2) for row in called),
        limited=tuple(round(row[3], 2) for row in called),
        took_ms=tuple(round(row[4], 1) for row in called),
        p95_ms=tuple(p95_ms.get(row[0], 0.0) for row in called),
    )
