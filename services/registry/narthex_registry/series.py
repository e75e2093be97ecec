"""Metrics and time: which there are, the periods they are told in, and how their values are said. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from narthex.contracts import api
from narthex.contracts.errors import Invalid
from narthex.contracts.queries import SeriesPoint
from narthex_registry.fields import label_pairs

PERIODS = (60, 300, 900, 3600, 7200, 21600, 86400)  # seconds
UNIT_PERIODS = (1, 60, 3600, 86400)
MOST_BUCKETS = 1500  # a day in minutes, and what a chart can show
LONGEST = timedelta(days=400)


@dataclass(frozen=True)
class Known:
    """A metric: one of ours, or one that a project made for itself."""

    name: str
    type: str  # delta: what came together in a period; gauge: how it was
    unit: str | None
    labels: tuple[str, ...]
    description: str


def _ours() -> dict[str, Known]:
    told = {
        "requests": ("delta", "requests", "requests answered"),
        "failed_requests": ("delta", "requests", "requests answered with 5xx, or broken off"),
        "request_duration": ("gauge", "s", "mean time from a request's first byte to its answer's last"),
        "request_duration_p50": ("gauge", "s", "time that half of the requests stayed under"),
        "request_duration_p95": ("gauge", "s", "time that 95 % of the requests stayed under"),
        "request_duration_p99": ("gauge", "s", "time that 99 % of the requests stayed under"),
        "time_to_first_byte": ("gauge", "s", "mean time until the first byte of an answer"),
        "input_volume": ("delta", "B", "bytes of request bodies"),
        "output_volume": ("delta", "B", "bytes of response bodies"),
        "rate_limited": ("delta", "requests", "requests refused for a rate or concurrency limit"),
        "concurrency": ("gauge", "requests", "mean number of requests under way"),
        "instances_ready": ("gauge", "instances", "instances that take requests, at the end of each minute"),
    }
    of_deployments = {
        "requests": "requests",
        "failed_requests": "failed_requests",
        "request_duration": "request_duration",
        "input_volume": "input_volume",
        "output_volume": "output_volume",
        "network_in": "input_volume",
        "network_out": "output_volume",
        "instances": "instances_ready",
    }
    metrics = [
        Known(f"services.{word}", kind, unit, ("service_id", "deployment_version_id", "user_id"), text)
        for word, (kind, unit, text) in told.items()
    ]
    metrics += [
        Known(f"deployments.{word}", *told[as_told][:2], ("deployment_version_id", "user_id"), told[as_told][2])
        for word, as_told in of_deployments.items()
    ]
    return {metric.name: metric for metric in metrics}


OURS = _ours()
# How the log store calls what UbiOps has other names for.
STORED_AS = {
    "deployments.network_in": "deployments.input_volume",
    "deployments.network_out": "deployments.output_volume",
    "deployments.instances": "deployments.instances_ready",
}


@dataclass(frozen=True)
class Span:
    """A stretch of time in whole periods since 1970."""

    start: datetime
    end: datetime
    period_s: int

    def has(self, moment: datetime) -> bool:
        return self.start <= moment < self.end

    def bucket(self, moment: datetime) -> datetime:
        """When the period began that a moment lies in."""
        return _rounded(moment, self.period_s, up=False)

    def buckets(self) -> Iterable[datetime]:
        at = self.start
        while at < self.end:
            yield at
            at += timedelta(seconds=self.period_s)


def span(start: datetime, end: datetime, period_s: int | None) -> Span:
    """The stretch that is asked for, rounded outwards; without a period the finest that fits."""
    if end <= start:
        raise Invalid("end_date: must be after start_date")
    if end - start > LONGEST:
        raise Invalid(f"end_date: must be at most {LONGEST.days} days after start_date")
    if period_s is not None and period_s not in PERIODS:
        raise Invalid(f"aggregation_period: must be one of {', '.join(map(str, PERIODS))}")
    seconds = (end - start).total_seconds()
    if period_s is None:
        period_s = next((each for each in PERIODS if seconds / each <= MOST_BUCKETS), PERIODS[-1])
    elif seconds / period_s > 10 * MOST_BUCKETS:
        raise Invalid(f"aggregation_period: must be longer for so long a time: {10 * MOST_BUCKETS} periods at most")
    return Span(_rounded(start, period_s, up=False), _rounded(end, period_s, up=True), period_s)


def buckets(known: Known, over: Span, points: Sequence[SeriesPoint], unit_period_s: int | None) -> list[api.Bucket]:
    """The data points of an answer. What comes together in a period is 0 where nothing came; how something was is
    only said where it was seen."""
    if unit_period_s is not None and unit_period_s not in UNIT_PERIODS:
        raise Invalid(f"unit_period: must be one of {', '.join(map(str, UNIT_PERIODS))}")
    values = {point.start: point.value for point in points}
    if known.type == "delta":
        factor = unit_period_s / over.period_s if unit_period_s is not None else 1.0
        values = {start: values.get(start, 0.0) * factor for start in over.buckets()}
    length = timedelta(seconds=over.period_s)
    return [
        api.Bucket(start_date=start, end_date=start + length, value=value) for start, value in sorted(values.items())
    ]


def read_labels(text: str, known: Known) -> dict[str, str]:
    """The labels of `k:v,k:v`; each must be one that the metric has."""
    labels = dict(label_pairs(text))
    if not all(name in known.labels and value for name, value in labels.items()):
        raise Invalid(f"labels: must be name:value pairs of {', '.join(known.labels) or 'a metric without labels'}")
    return labels


def key_of(labels: Mapping[str, str]) -> str:
    """Labels in one text, the same for the same labels."""
    return "\n".join(f"{name}:{labels[name]}" for name in sorted(labels))


def matches(labels: Mapping[str, str], wanted: Mapping[str, str], *, exact: bool) -> bool:
    """Whether a series is one of those that are wanted: it has their labels, and with `exact` no others."""
    return labels == wanted if exact else all(labels.get(name) == value for name, value in wanted.items())


def _rounded(moment: datetime, period_s: int, *, up: bool) -> datetime:
    seconds = moment.timestamp()
    whole = -(-seconds // period_s) if up else seconds // period_s
    return datetime.fromtimestamp(whole * period_s, UTC)
