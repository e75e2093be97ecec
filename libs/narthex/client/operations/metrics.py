"""Metrics and their values over time: those that Narthex measures, and those that a project makes for itself."""

from collections.abc import Sequence
from datetime import datetime

from narthex.client.call import Call, Listing
from narthex.client.operations.paging import by_offset
from narthex.client.operations.paths import Nothing, flag, in_project, labels
from narthex.contracts.api import (
    MetricCreate,
    MetricDetail,
    MetricUpdate,
    PointsKept,
    Series,
    SeriesData,
    SeriesDataList,
    TimeSeries,
)

PAGE = 500


def list_metrics(*, custom: bool | None = None, project: str | None = None) -> Call[list[MetricDetail]]:
    """The metrics of a project, or only its own, or only Narthex's."""
    return Call("GET", in_project(project, "metrics"), list[MetricDetail], query={"custom": flag(custom)})


def get_metric(name: str, *, project: str | None = None) -> Call[MetricDetail]:
    """One metric by name."""
    return Call("GET", in_project(project, "metrics", name), MetricDetail)


def create_metric(body: MetricCreate, *, project: str | None = None) -> Call[MetricDetail]:
    """Make a metric of the project's own."""
    return Call("POST", in_project(project, "metrics"), MetricDetail, body=body)


def update_metric(name: str, body: MetricUpdate, *, project: str | None = None) -> Call[MetricDetail]:
    """Change a metric of the project's own."""
    return Call("PATCH", in_project(project, "metrics", name), MetricDetail, body=body)


def delete_metric(name: str, *, project: str | None = None) -> Call[None]:
    """Delete a metric of the project's own with its values."""
    return Call("DELETE", in_project(project, "metrics", name), Nothing)


def get_time_series(
    metric: str,
    since: datetime,
    until: datetime,
    *,
    period_s: int | None = None,
    unit_period_s: int | None = None,
    label: dict[str, str] | None = None,
    project: str | None = None,
) -> Call[TimeSeries]:
    """A metric over time, in periods of `period_s` seconds (default: the finest that fits)."""
    query = {
        "metric": metric,
        "start_date": since.isoformat(),
        "end_date": until.isoformat(),
        "aggregation_period": period_s,
        "unit_period": unit_period_s,
        "labels": labels(label),
    }
    return Call("GET", in_project(project, "time-series", "data"), TimeSeries, query=query)


def list_series(
    *,
    metric: str | None = None,
    label: dict[str, str] | None = None,
    custom: bool | None = None,
    exact: bool = False,
    project: str | None = None,
) -> Listing[list[Series], Series]:
    """The series that have values: each metric with each of its sets of labels."""
    query = {
        "metric": metric,
        "labels": labels(label),
        "custom": flag(custom),
        "exact_match": flag(exact or None),
        "limit": PAGE,
    }
    return by_offset(Call("GET", in_project(project, "time-series", "search"), list[Series], query=query))


def delete_series(id: int, *, project: str | None = None) -> Call[None]:
    """Delete a series of a metric of the project's own, with its values."""
    return Call("DELETE", in_project(project, "time-series", str(id)), Nothing)


def add_points(data: Sequence[SeriesData], *, project: str | None = None) -> Call[PointsKept]:
    """Keep values of metrics of the project's own."""
    return Call("POST", in_project(project, "time-series", "data"), PointsKept, body=SeriesDataList(list(data)))


def aggregate_points(data: Sequence[SeriesData], *, project: str | None = None) -> Call[PointsKept]:
    """As `add`, for values of the last two minutes."""
    return Call("POST", in_project(project, "time-series", "aggregate"), PointsKept, body=SeriesDataList(list(data)))
