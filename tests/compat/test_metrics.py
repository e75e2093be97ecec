"""Metrics and time series (UBIOPS_API section 8): the installation's own and a user's custom ones."""

import datetime
from typing import Any

import pytest
import ubiops
from compat.stage import Served, Stage
from compat.stock import fresh, gone, refused

from narthex.testing.waiting import eventually_sync

MINUTE = datetime.timedelta(minutes=1)
KNOWN = {"services.requests", "services.failed_requests", "services.request_duration", "deployments.requests"}


def now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


def custom(stage: Stage, **more: Any) -> str:
    """A new custom metric; its name."""
    name = f"custom.{fresh('m')}"
    data = {"name": name, "metric_type": "gauge", "unit": "GB", "labels": ["queue"], **more}
    stage.core.metrics_create(stage.project, ubiops.MetricCreate(**data))
    return name


def points(metric: str, *values: float, **labels: str) -> ubiops.TimeSeriesDataCreate:
    """Data that ends now, a second between two points."""
    moments = [now() - datetime.timedelta(seconds=len(values) - 1 - index) for index in range(len(values))]
    data = [
        ubiops.TimeSeriesDataPointCreate(date=moment, value=value)
        for moment, value in zip(moments, values, strict=True)
    ]
    return ubiops.TimeSeriesDataCreate(metric=metric, labels=labels, data=data)


def test_the_metrics_of_services_and_deployments_are_known(stage: Stage) -> None:
    metrics = {each.name: each for each in stage.core.metrics_list(stage.project)}
    assert set(metrics) >= KNOWN
    assert {metrics[name].custom for name in KNOWN} == {False}
    assert "service_id" in metrics["services.requests"].labels
    assert "deployment_version_id" in metrics["deployments.requests"].labels
    assert metrics["services.requests"].metric_type == "delta"


def test_a_custom_metric_is_created_shown_changed_and_deleted(stage: Stage) -> None:
    core, name = stage.core, f"custom.{fresh('m')}"
    asked = ubiops.MetricCreate(
        name=name, metric_type="gauge", unit="GB", labels=["queue"], description="how much is waiting"
    )
    made = core.metrics_create(stage.project, asked)
    assert (made.name, made.metric_type, made.unit, made.labels) == (name, "gauge", "GB", ["queue"])
    assert (made.custom, made.description) == (True, "how much is waiting")
    assert core.metrics_get(stage.project, name).to_dict() == made.to_dict()
    changed = core.metrics_update(stage.project, name, ubiops.MetricUpdate(unit="MB", description="new"))
    assert (changed.id, changed.unit, changed.description, changed.labels) == (made.id, "MB", "new", ["queue"])
    core.metrics_delete(stage.project, name)
    with gone():
        core.metrics_get(stage.project, name)


def test_custom_metrics_are_listed_apart(stage: Stage) -> None:
    name = custom(stage)
    assert name in {each.name for each in stage.core.metrics_list(stage.project, custom=True)}
    assert {each.custom for each in stage.core.metrics_list(stage.project, custom=True)} == {True}
    assert name not in {each.name for each in stage.core.metrics_list(stage.project, custom=False)}


@pytest.mark.parametrize(
    ("change", "says"),
    [({"name": "mine.x"}, "custom."), ({"metric_type": "sum"}, "metric_type"), ({"name": "custom."}, "name")],
)
def test_a_metric_that_breaks_a_rule_is_refused(stage: Stage, change: dict[str, str], says: str) -> None:
    with refused(400, says=says):
        custom(stage, **change)


def test_a_metrics_name_is_taken_once_and_own_metrics_stay(stage: Stage) -> None:
    name = custom(stage)
    with refused(400, 409, says=name):
        custom(stage, name=name)
    with refused(400, 403, 409):
        stage.core.metrics_delete(stage.project, "services.requests")
    with refused(400, 403, 409):
        stage.core.metrics_update(stage.project, "services.requests", ubiops.MetricUpdate(unit="x"))


def test_data_points_come_back_in_periods(stage: Stage) -> None:
    name = custom(stage)
    stage.core.time_series_data_create(stage.project, [points(name, 3.0, 5.0, queue="a")])
    start, end = now() - 5 * MINUTE, now() + MINUTE

    def found() -> Any:
        series = stage.core.time_series_data_list(
            stage.project, metric=name, start_date=start, end_date=end, aggregation_period=60, labels="queue:a"
        )
        return series if any(point.value for point in series.data_points) else None

    series = eventually_sync(found)
    assert (series.metric, series.metric_type, series.unit, series.aggregation_period) == (name, "gauge", "GB", 60)
    assert series.labels == {"queue": "a"}
    assert series.start_date.second == series.end_date.second == 0  # rounded outwards
    assert series.start_date <= start
    assert series.end_date >= end
    assert max(point.value for point in series.data_points) <= 5.0
    for point in series.data_points:
        assert point.end_date - point.start_date == MINUTE


def test_aggregated_points_are_added_to_what_is_there(stage: Stage) -> None:
    name = custom(stage, metric_type="delta", unit=None)
    for _ in range(2):
        stage.core.time_series_data_aggregate(stage.project, [points(name, 2.0, queue="a")])

    def total() -> float:
        series = stage.core.time_series_data_list(
            stage.project, metric=name, start_date=now() - 5 * MINUTE, end_date=now() + MINUTE, aggregation_period=60
        )
        return sum(point.value for point in series.data_points)

    eventually_sync(lambda: total() == 4.0)
    old = ubiops.TimeSeriesDataPointCreate(date=now() - 5 * MINUTE, value=1.0)
    with refused(400):
        stage.core.time_series_data_aggregate(
            stage.project, [ubiops.TimeSeriesDataCreate(metric=name, labels={"queue": "a"}, data=[old])]
        )


def test_series_are_searched_and_deleted(stage: Stage) -> None:
    core, name = stage.core, custom(stage)
    core.time_series_data_create(stage.project, [points(name, 1.0, queue="a"), points(name, 1.0, queue="b")])

    def found(**filters: Any) -> list[Any]:
        return list(core.time_series_search(stage.project, metric=name, **filters))

    eventually_sync(lambda: len(found()) == 2)
    [series] = found(labels="queue:a")
    assert (series.metric, series.labels) == (name, {"queue": "a"})
    assert isinstance(series.id, int)
    assert len(found(limit=1)) == 1
    assert len(found(limit=5, offset=1)) == 1
    assert len(found(custom=True)) == 2
    assert found(custom=False) == []
    core.time_series_delete(stage.project, series.id)
    assert [each.labels for each in found()] == [{"queue": "b"}]
    with gone():
        core.time_series_delete(stage.project, series.id)


def test_data_for_an_unknown_metric_or_of_our_own_is_refused(stage: Stage) -> None:
    for name in ("custom.nothing", "services.requests"):
        with refused(400, 403, 404):
            stage.core.time_series_data_create(stage.project, [points(name, 1.0)])


@pytest.mark.parametrize(
    ("metric", "label"), [("services.requests", "service_id"), ("deployments.requests", "deployment_version_id")]
)
def test_requests_through_a_service_are_counted(served: Served, metric: str, label: str) -> None:
    stage = served.stage
    thing = served.service.id if label == "service_id" else served.version.id

    def counted() -> float:
        # As `datetime`s without a zone, which the library writes with a space: UTC.
        series = stage.core.time_series_data_list(
            stage.project,
            metric=metric,
            start_date=now().replace(tzinfo=None) - 10 * MINUTE,
            end_date=now().replace(tzinfo=None) + MINUTE,
            aggregation_period=60,
            labels=f"{label}:{thing}",
        )
        return sum(point.value or 0.0 for point in series.data_points)

    eventually_sync(lambda: counted() >= len(served.requests))


def test_failed_requests_and_durations_are_measured(served: Served) -> None:
    stage = served.stage
    window = {
        "start_date": now() - 10 * MINUTE,
        "end_date": now() + MINUTE,
        "labels": f"service_id:{served.service.id}",
    }

    def highest(metric: str) -> float:
        series = stage.core.time_series_data_list(stage.project, metric=metric, **window)
        return max((point.value or 0.0 for point in series.data_points), default=0.0)

    eventually_sync(lambda: highest("services.failed_requests") > 0)
    assert 0 < highest("services.request_duration") < 60
    assert highest("services.instances_ready") == 1


@pytest.mark.parametrize(
    "change",
    [{"metric": None}, {"start_date": None}, {"aggregation_period": 7}, {"unit_period": 5}, {"metric": "nope"}],
)
def test_a_query_that_makes_no_sense_is_refused(stage: Stage, change: dict[str, Any]) -> None:
    query = {"metric": "services.requests", "start_date": now() - MINUTE, "end_date": now()} | change
    with refused(400, 404):
        stage.core.time_series_data_list(
            stage.project, **{key: value for key, value in query.items() if value is not None}
        )


def test_a_rate_is_per_unit_of_time(stage: Stage) -> None:
    name = custom(stage, metric_type="delta", unit="requests")
    stage.core.time_series_data_create(stage.project, [points(name, 60.0, queue="a")])

    def highest(**more: int) -> float:
        series = stage.core.time_series_data_list(
            stage.project,
            metric=name,
            start_date=now() - 5 * MINUTE,
            end_date=now() + MINUTE,
            aggregation_period=60,
            **more,
        )
        return max((point.value or 0.0 for point in series.data_points), default=0.0)

    eventually_sync(lambda: highest() == 60.0)
    assert highest(unit_period=1) == 1.0
