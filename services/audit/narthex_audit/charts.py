"""From the question how a service's requests went over time to SQL, and its rows to columns. Pure.

Four looks at the minutes in place of one for each line: what was counted, by class of status, three durations that a
share of the requests stayed under, and the registry's samples of instances.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from narthex.contracts.queries import CLASSES, ChartAnswer, ChartQuestion
from narthex_audit.buckets import BUCKET, SPAN, duration_s, reached
from narthex_audit.moments import microseconds

Rows = Sequence[Sequence[Any]]
Query = tuple[str, dict[str, Any]]
SHARES = {"p50_ms": 0.5, "p95_ms": 0.95, "p99_ms": 0.99}

_MINUTES = "project_id = {project_id:String} AND service_id = {service_id:String} AND " + SPAN.format(column="minute")
_EACH = f"SELECT {BUCKET.format(column='minute')} AS bucket"
# Name of a column -> what it is of a bucket's minutes. In flight: Little's law.
_COUNTED = {
    "requests": "sum(requests)",
    "failed": "sum(failed)",
    "limited": "sum(limited)",
    "first_byte_ms": "sum(waited_ms) / nullIf(sum(answered), 0)",
    "in_flight": "sum(took_ms) / 1000 / {period:UInt32}",
}


def select_all(question: ChartQuestion) -> tuple[Query, Query, Query, Query]:
    """The queries for `answer`, in its order."""
    parameters = {
        "project_id": question.project_id,
        "service_id": question.service_id,
        "period": question.period_s,
        "since": microseconds(question.since),
        "until": microseconds(question.until),
    }
    counted = f"{_EACH}, {', '.join(_COUNTED.values())} FROM requests_minutely WHERE {_MINUTES} GROUP BY bucket"
    sums = ", ".join(f"sumIf(requests, intDiv(status, 100) = {name[0]})" for name in CLASSES)
    classes = f"{_EACH}, {sums} FROM outcomes_minutely WHERE {_MINUTES} GROUP BY bucket"
    return (
        (counted, parameters),
        (classes, parameters),
        (_durations(), parameters),
        (_samples(), {**parameters, "series": question.instances_series}),
    )


def answer(question: ChartQuestion, counted: Rows, classes: Rows, durations: Rows, samples: Rows) -> ChartAnswer:
    """Columns for every bucket there is, whether or not something came in it."""
    times = _times(question)
    counts, ended = _by_bucket(counted), _by_bucket(classes)
    took, ready = _by_bucket(durations), _by_bucket(samples)

    def column(rows: Mapping[int, Sequence[Any]], place: int, nothing: float | None) -> tuple[float | None, ...]:
        return tuple(_rounded(rows[time][place]) if time in rows else nothing for time in times)

    names = list(_COUNTED)
    by_class = {name: column(ended, place, 0.0) for place, name in enumerate(CLASSES)}
    failed = column(counts, names.index("failed"), 0.0)
    # What failed without a 5xx broke off on its way to the client.
    broken = tuple((all_of_it or 0) - (errors or 0) for all_of_it, errors in zip(failed, by_class["5xx"], strict=True))
    return ChartAnswer(
        times=tuple(times),
        by_class={**by_class, "broken": tuple(max(0.0, each) for each in broken)},
        durations_ms={
            name: tuple(
                None if step is None else round(duration_s(int(step)) * 1000, 3) for step in column(took, at, None)
            )
            for at, name in enumerate(SHARES)
        },
        first_byte_ms=column(counts, names.index("first_byte_ms"), None),
        in_flight=column(counts, names.index("in_flight"), 0.0),
        limited=column(counts, names.index("limited"), 0.0),
        instances_ready=column(ready, 0, None),
    )


def _durations() -> str:
    steps = f"{_EACH}, step, sum(requests) AS number FROM outcomes_minutely WHERE {_MINUTES} GROUP BY bucket, step"
    shares = ", ".join(f"minIf(step, so_far >= {share} * together)" for share in SHARES.values())
    return f"SELECT bucket, {shares} FROM ({reached('bucket', steps)}) GROUP BY bucket"


def _samples() -> str:
    return (
        f"SELECT {BUCKET.format(column='toDateTime(time)')} AS bucket, avg(value) FROM points "
        f"WHERE project_id = {{project_id:String}} AND series = {{series:UInt64}} AND {SPAN.format(column='time')} "
        "GROUP BY bucket"
    )


def _times(question: ChartQuestion) -> range:
    first = int(question.since.timestamp()) // question.period_s * question.period_s
    return range(first, int(question.until.timestamp()), question.period_s)


def _by_bucket(rows: Rows) -> dict[int, Sequence[Any]]:
    return {_unix(row[0]): row[1:] for row in rows}


def _unix(bucket: datetime) -> int:
    return int(bucket.timestamp())


def _rounded(value: Any) -> float | None:
    return None if value is None else round(float(value), 3)
