"""From a question about a metric over time to SQL. Pure; what a caller chose travels as a query parameter."""

from collections.abc import Mapping, Sequence
from typing import Any

from narthex.contracts.queries import LabelsQuestion, SeriesPoint, SeriesQuestion
from narthex_audit.buckets import BUCKET, SPAN, duration_s, reached
from narthex_audit.moments import microseconds

MOST_POINTS = 20_000
MOST_LABEL_SETS = 1_000

# A metric's last word -> what it is of the minutes in a bucket. Durations in seconds, volumes in bytes.
_VALUES = {
    "requests": "sum(requests)",
    "failed_requests": "sum(failed)",
    "rate_limited": "sum(limited)",
    "request_duration": "sum(took_ms) / sum(requests) / 1000",
    "time_to_first_byte": "if(sum(answered) = 0, 0, sum(waited_ms) / sum(answered) / 1000)",
    "input_volume": "sum(bytes_in)",
    "output_volume": "sum(bytes_out)",
    # Little's law: the mean number under way is the time they took together over the time that passed.
    "concurrency": "sum(took_ms) / 1000 / {period:UInt32}",
}
# Durations that a share of the requests stayed under.
_QUANTILES = {"request_duration_p50": 0.5, "request_duration_p95": 0.95, "request_duration_p99": 0.99}

_LABELS = {
    "service_id": "service_id = {service_id:String}",
    "deployment_version_id": "version_id = {deployment_version_id:String}",
    "user_id": "subject_id = {user_id:String}",
}


def select_series(question: SeriesQuestion) -> tuple[str, dict[str, Any]]:
    """The query that answers a question: rows for `points`."""
    if question.series is not None:
        return _own(question)
    return _steps(question) if _word(question) in _QUANTILES else _counted(question)


def points(question: SeriesQuestion, rows: Sequence[Sequence[Any]]) -> tuple[SeriesPoint, ...]:
    """What the query's rows say: each bucket that holds anything, and its value."""
    if question.series is None and _word(question) in _QUANTILES:
        return tuple(SeriesPoint(start=start, value=duration_s(step)) for start, step in rows)
    return tuple(SeriesPoint(start=start, value=value) for start, value in rows)


def select_labels(question: LabelsQuestion) -> tuple[str, dict[str, Any]]:
    """The query for the sets of labels under which there is something: service, version, user."""
    sql = (
        "SELECT DISTINCT service_id, version_id, subject_id FROM requests_minutely "
        "WHERE project_id = {project_id:String} AND minute >= now() - INTERVAL 31 DAY "
        f"ORDER BY service_id, version_id, subject_id LIMIT {MOST_LABEL_SETS}"
    )
    return sql, {"project_id": question.project_id}


def _counted(question: SeriesQuestion) -> tuple[str, dict[str, Any]]:
    """A metric that the routers' records tell."""
    value = _VALUES[_word(question)]
    labels = [_LABELS[name] for name in question.labels]
    sql = (
        f"SELECT {BUCKET.format(column='minute')} AS bucket, toFloat64({value}) FROM requests_minutely "
        f"WHERE {' AND '.join(['project_id = {project_id:String}', SPAN.format(column='minute'), *labels])} "
        f"GROUP BY bucket ORDER BY bucket LIMIT {MOST_POINTS}"
    )
    return sql, {**_parameters(question), **question.labels}


def _steps(question: SeriesQuestion) -> tuple[str, dict[str, Any]]:
    """The step on the scale of durations that a share of each bucket's requests did not go beyond."""
    labels = {name: value for name, value in question.labels.items() if name != "user_id"}  # not counted by user
    where = ["project_id = {project_id:String}", SPAN.format(column="minute"), *(_LABELS[name] for name in labels)]
    steps = (
        f"SELECT {BUCKET.format(column='minute')} AS bucket, step, sum(requests) AS number FROM outcomes_minutely "
        f"WHERE {' AND '.join(where)} GROUP BY bucket, step"
    )
    sql = (
        f"SELECT bucket, min(step) FROM ({reached('bucket', steps)}) WHERE so_far >= {{share:Float64}} * together "
        f"GROUP BY bucket ORDER BY bucket LIMIT {MOST_POINTS}"
    )
    return sql, {**_parameters(question), **labels, "share": _QUANTILES[_word(question)]}


def _word(question: SeriesQuestion) -> str:
    return question.metric.rpartition(".")[2]


def _own(question: SeriesQuestion) -> tuple[str, dict[str, Any]]:
    """A metric that a project made for itself."""
    value = "avg(value)" if question.gauge else "sum(value)"
    if question.summed:
        value = "sum(value) / uniqExact(time)"
    sql = (
        f"SELECT {BUCKET.format(column='toDateTime(time)')} AS bucket, {value} FROM points "
        "WHERE project_id = {project_id:String} AND series IN {series:Array(UInt64)} "
        f"AND {SPAN.format(column='time')} GROUP BY bucket ORDER BY bucket LIMIT {MOST_POINTS}"
    )
    return sql, {**_parameters(question), "series": list(question.series or ())}


def _parameters(question: SeriesQuestion) -> Mapping[str, Any]:
    return {
        "project_id": question.project_id,
        "period": question.period_s,
        "since": microseconds(question.since),
        "until": microseconds(question.until),
    }
