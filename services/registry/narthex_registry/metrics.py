"""Metrics that projects make for themselves, and their series."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from narthex.contracts import api
from narthex.contracts.errors import Conflict, Forbidden, Invalid, NotFound
from narthex.contracts.ids import new_id
from narthex.contracts.queries import Point, PointsGiven
from narthex_registry import tables
from narthex_registry.database import Change
from narthex_registry.fields import given
from narthex_registry.series import OURS, Known, key_of, matches

REQUIRED = frozenset({"name", "metric_type"})
DEFAULTS: dict[str, Any] = {"unit": None, "labels": [], "description": ""}


async def find(session: AsyncSession, project_id: str, name: str) -> tables.Metric:
    """A project's own metric."""
    found = await _lookup(session, project_id, name)
    if found is None:
        raise NotFound(f"there is no metric {name}")
    return found


async def known(session: AsyncSession, project_id: str, name: str) -> tuple[Known, tables.Metric | None]:
    """A metric by name: ours, or the project's own with its row."""
    if name in OURS:
        return OURS[name], None
    row = await find(session, project_id, name)
    return Known(row.name, row.metric_type, row.unit, tuple(row.labels), row.description or ""), row


async def listed(session: AsyncSession, project_id: str) -> Sequence[tables.Metric]:
    query = select(tables.Metric).where(tables.Metric.project_id == project_id).order_by(tables.Metric.name)
    return (await session.execute(query)).scalars().all()


async def create(change: Change, project_id: str, body: api.MetricCreate) -> tables.Metric:
    await _name_is_free(change.session, project_id, body.name)
    metric = tables.Metric(project_id=project_id, **(DEFAULTS | given(body, required=REQUIRED, defaults=DEFAULTS)))
    change.session.add(metric)
    await change.session.flush()
    return metric


async def update(change: Change, metric: tables.Metric, body: api.MetricUpdate) -> None:
    values = given(body, required=REQUIRED, defaults=DEFAULTS)
    if values.get("name", metric.name) != metric.name:
        await _name_is_free(change.session, metric.project_id, values["name"])
    for name, value in values.items():
        setattr(metric, name, value)
    await change.session.flush()


async def remove(change: Change, metric: tables.Metric) -> PointsGiven:
    """Delete a metric; returns what the log store has to forget."""
    query = select(tables.Series.id).where(tables.Series.metric_id == metric.id)
    series = tuple((await change.session.execute(query)).scalars())
    await change.session.execute(delete(tables.Series).where(tables.Series.metric_id == metric.id))
    await change.session.delete(metric)
    return PointsGiven(id=new_id(), project_id=metric.project_id, removed_series=series)


async def points(change: Change, project_id: str, given_data: Sequence[api.SeriesData]) -> PointsGiven:
    """What the log store has to keep of some values; series that are new get their numbers."""
    found: list[Point] = []
    for data in given_data:
        if data.metric in OURS:
            raise Forbidden(f"metric: {data.metric} is measured by Narthex; only custom. metrics take values")
        metric = await find(change.session, project_id, data.metric)
        for label in data.labels.keys() - set(metric.labels):
            names = ", ".join(metric.labels) or "none"
            raise Invalid(f"labels: {label} is no label of metric {metric.name}; it has {names}")
        series = await _series(change.session, metric, data.labels)
        found += [Point(series=series.id, time=point.date, value=point.value) for point in data.data]
    return PointsGiven(id=new_id(), project_id=project_id, points=tuple(found))


async def series_of(
    session: AsyncSession, metric: tables.Metric, wanted: Mapping[str, str], *, exact: bool = False
) -> list[tables.Series]:
    """The series of a metric with these labels, in the order of their numbers."""
    query = select(tables.Series).where(tables.Series.metric_id == metric.id).order_by(tables.Series.id)
    rows = (await session.execute(query)).scalars()
    return [row for row in rows if matches(row.labels, wanted, exact=exact)]


async def find_series(session: AsyncSession, project_id: str, number: int) -> tables.Series:
    query = (
        select(tables.Series)
        .join(tables.Metric, tables.Metric.id == tables.Series.metric_id)
        .where(tables.Series.id == number, tables.Metric.project_id == project_id)
    )
    found = (await session.execute(query)).scalar_one_or_none()
    if found is None:
        raise NotFound(f"there is no time series {number} of a metric of the project's own")
    return found


def detail(metric: tables.Metric) -> api.MetricDetail:
    return api.MetricDetail(
        id=metric.id,
        name=metric.name,
        description=metric.description,
        creation_date=metric.created,
        last_updated=metric.updated,
        custom=True,
        metric_type=metric.metric_type,
        unit=metric.unit,
        labels=metric.labels,
    )


def ours(number: int, metric: Known) -> api.MetricDetail:
    """One of Narthex's own metrics; numbered below zero, for the others have the numbers above."""
    return api.MetricDetail(
        id=-number,
        name=metric.name,
        description=metric.description,
        custom=False,
        metric_type=metric.type,
        unit=metric.unit,
        labels=list(metric.labels),
    )


async def _series(session: AsyncSession, metric: tables.Metric, labels: Mapping[str, str]) -> tables.Series:
    key = key_of(labels)
    query = select(tables.Series).where(tables.Series.metric_id == metric.id, tables.Series.key == key)
    found = (await session.execute(query)).scalar_one_or_none()
    if found is None:
        found = tables.Series(metric_id=metric.id, labels=dict(labels), key=key)
        session.add(found)
        await session.flush()
    return found


async def _lookup(session: AsyncSession, project_id: str, name: str) -> tables.Metric | None:
    query = select(tables.Metric).where(tables.Metric.project_id == project_id, tables.Metric.name == name)
    return (await session.execute(query)).scalar_one_or_none()


async def _name_is_free(session: AsyncSession, project_id: str, name: str) -> None:
    if await _lookup(session, project_id, name) is not None:
        raise Conflict(f"name: there is already a metric {name}")
