"""Metrics and their values over time: those that Narthex measures, and those that a project makes for itself."""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated

from aiohttp import web
from pydantic import Field

from narthex.contracts import api, queries
from narthex.contracts.errors import Forbidden, Invalid, NotFound
from narthex_registry import metrics, samples
from narthex_registry.api.endpoint import endpoint
from narthex_registry.api.moments import in_utc
from narthex_registry.api.signature import r200, r201, r204
from narthex_registry.api.state import PROJECT_ID, REQUEST_ID, cause, state
from narthex_registry.fields import label_pairs
from narthex_registry.series import OURS, STORED_AS, buckets, matches, read_labels, span

Limit = Annotated[int, Field(ge=1, le=5000)]
Offset = Annotated[int, Field(ge=0, le=1_000_000)]
AGGREGATED_WITHIN = timedelta(minutes=2)
NUMBERS = {name: number for number, name in enumerate(OURS, start=1)}


@endpoint("metrics.list")
async def list_metrics(
    request: web.Request, project: str, /, custom: bool | None = None
) -> r200[list[api.MetricDetail]]:
    """The metrics of a project, or only its own (`custom`), or only Narthex's."""
    own: list[api.MetricDetail] = []
    if custom is not False:
        async with state(request).database.read() as session:
            own = [metrics.detail(row) for row in await metrics.listed(session, request[PROJECT_ID])]
    if custom:
        return own
    return [*(metrics.ours(NUMBERS[name], OURS[name]) for name in OURS), *own]


@endpoint("metrics.create")
async def create_metric(request: web.Request, project: str, /, body: api.MetricCreate) -> r201[api.MetricDetail]:
    """Make a metric of the project's own."""
    async with state(request).database.change(cause(request)) as change:
        return metrics.detail(await metrics.create(change, request[PROJECT_ID], body))


@endpoint("metrics.get")
async def get_metric(request: web.Request, project: str, metric: str, /) -> r200[api.MetricDetail]:
    """One metric."""
    if metric in OURS:
        return metrics.ours(NUMBERS[metric], OURS[metric])
    async with state(request).database.read() as session:
        return metrics.detail(await metrics.find(session, request[PROJECT_ID], metric))


@endpoint("metrics.update")
async def update_metric(
    request: web.Request, project: str, metric: str, /, body: api.MetricUpdate
) -> r200[api.MetricDetail]:
    """Change a metric of the project's own."""
    _own(metric)
    async with state(request).database.change(cause(request)) as change:
        found = await metrics.find(change.session, request[PROJECT_ID], metric)
        await metrics.update(change, found, body)
        return metrics.detail(found)


@endpoint("metrics.delete")
async def delete_metric(request: web.Request, project: str, metric: str, /) -> r204:
    """Delete a metric of the project's own with its values."""
    _own(metric)
    registry = state(request)
    async with registry.database.change(cause(request)) as change:
        gone = await metrics.remove(change, await metrics.find(change.session, request[PROJECT_ID], metric))
        await registry.bus.ask(queries.POINTS_SUBJECT, gone, queries.PointsKept)


@endpoint("metrics.get")
async def get_data(
    request: web.Request,
    project: str,
    /,
    metric: str,
    start_date: datetime,
    end_date: datetime,
    aggregation_period: int | None = None,
    unit_period: int | None = None,
    labels: str = "",
) -> r200[api.TimeSeries]:
    """A metric over time. `unit_period` says what comes together in a period as a rate per so many seconds."""
    registry = state(request)
    start, end = in_utc(start_date), in_utc(end_date)
    assert start is not None
    assert end is not None
    over = span(start, end, aggregation_period)
    async with registry.database.read() as session:
        known, row = await metrics.known(session, request[PROJECT_ID], metric)
        wanted = read_labels(labels, known)
        numbers: tuple[int, ...] | None = None
        now: int | None = None
        if row is not None:
            numbers = tuple(series.id for series in await metrics.series_of(session, row, wanted))
        elif metric in samples.METRICS:
            numbers = await samples.series(session, request[PROJECT_ID], metric, wanted)
            now = await samples.live(session, request[PROJECT_ID], metric, wanted)
    question = queries.SeriesQuestion(
        project_id=request[PROJECT_ID],
        metric=STORED_AS.get(metric, metric),
        since=over.start,
        until=over.end,
        period_s=over.period_s,
        labels=wanted if numbers is None else {},
        series=numbers,
        gauge=known.type == "gauge",
        summed=metric in samples.METRICS,
    )
    points = (await registry.bus.ask(queries.SERIES_SUBJECT, question, queries.SeriesAnswer)).points
    if now is not None and over.has(registry.clock.now()):
        points = (queries.SeriesPoint(start=over.bucket(registry.clock.now()), value=now), *points)
    return api.TimeSeries(
        metric=metric,
        metric_type=known.type,
        unit=known.unit,
        start_date=over.start,
        end_date=over.end,
        aggregation_period=over.period_s,
        labels=wanted,
        data_points=buckets(known, over, points, unit_period),
    )


@endpoint("metrics.list")
async def search_series(
    request: web.Request,
    project: str,
    /,
    metric: str = "",
    labels: str = "",
    custom: bool | None = None,
    exact_match: bool = False,
    limit: Limit = 500,
    offset: Offset = 0,
) -> r200[list[api.Series]]:
    """The series that have values: each metric with each of its sets of labels."""
    wanted = dict(label_pairs(labels))
    found = [*(await _ours(request, metric) if not custom else ()), *(await _own_series(request, metric, custom))]
    fitting = [series for series in found if matches(series.labels, wanted, exact=exact_match)]
    return fitting[offset : offset + limit]


@endpoint("metrics.delete")
async def delete_series(request: web.Request, project: str, id: str, /) -> r204:
    """Delete a series of a metric of the project's own, with its values."""
    registry = state(request)
    if not re.fullmatch(r"-?[0-9]{1,18}", id):
        raise NotFound(f"there is no time series {id}")
    if int(id) < 0:
        raise Forbidden("the series that Narthex measures cannot be deleted")
    async with registry.database.change(cause(request)) as change:
        series = await metrics.find_series(change.session, request[PROJECT_ID], int(id))
        gone = queries.PointsGiven(id=request[REQUEST_ID], project_id=request[PROJECT_ID], removed_series=(series.id,))
        await change.session.delete(series)
        await registry.bus.ask(queries.POINTS_SUBJECT, gone, queries.PointsKept)


@endpoint("metrics.create")
async def create_data(request: web.Request, project: str, /, body: api.SeriesDataList) -> r201[api.PointsKept]:
    """Keep values of metrics of the project's own."""
    return await _keep(request, body.root)


@endpoint("metrics.create")
async def aggregate_data(request: web.Request, project: str, /, body: api.SeriesDataList) -> r201[api.PointsKept]:
    """As above, for values that came together within the last two minutes."""
    oldest = state(request).clock.now() - AGGREGATED_WITHIN
    for series in body.root:
        if any(moment is not None and moment < oldest for moment in (in_utc(point.date) for point in series.data)):
            raise Invalid("date: must be within the last 2 minutes")
    return await _keep(request, body.root)


async def _keep(request: web.Request, data: Sequence[api.SeriesData]) -> api.PointsKept:
    registry = state(request)
    async with registry.database.change(cause(request)) as change:
        given = await metrics.points(change, request[PROJECT_ID], data)
    await registry.bus.ask(queries.POINTS_SUBJECT, given, queries.PointsKept)
    return api.PointsKept(points=len(given.points))


async def _ours(request: web.Request, metric: str) -> list[api.Series]:
    """The series that Narthex measures: numbered below zero, the same for as long as the labels are."""
    project_id = request[PROJECT_ID]
    question = queries.LabelsQuestion(project_id=project_id)
    answer = await state(request).bus.ask(queries.LABELS_SUBJECT, question, queries.LabelsAnswer)
    found: dict[tuple[str, str], api.Series] = {}
    for name in [metric] if metric else OURS:
        known = OURS.get(name)
        for labels in answer.sets if known is not None else ():
            own = {label: labels[label] for label in (known.labels if known else ()) if label in labels}
            number = samples.number(name, own)
            found.setdefault((name, str(own)), api.Series(id=-number, metric=name, labels=own))
    return list(found.values())


async def _own_series(request: web.Request, metric: str, custom: bool | None) -> list[api.Series]:
    if custom is False or metric in OURS:
        return []
    async with state(request).database.read() as session:
        rows = [row for row in await metrics.listed(session, request[PROJECT_ID]) if metric in ("", row.name)]
        return [
            api.Series(id=series.id, metric=row.name, labels=series.labels)
            for row in rows
            for series in await metrics.series_of(session, row, {})
        ]


def _own(name: str) -> None:
    if name in OURS:
        raise Forbidden(f"{name} is measured by Narthex and cannot be changed")


ROUTES = [
    web.get("/projects/{project}/metrics", list_metrics),
    web.post("/projects/{project}/metrics", create_metric),
    web.get("/projects/{project}/metrics/{metric}", get_metric),
    web.patch("/projects/{project}/metrics/{metric}", update_metric),
    web.delete("/projects/{project}/metrics/{metric}", delete_metric),
    web.get("/projects/{project}/time-series/data", get_data),
    web.post("/projects/{project}/time-series/data", create_data),
    web.post("/projects/{project}/time-series/aggregate", aggregate_data),
    web.get("/projects/{project}/time-series/search", search_series),
    web.delete("/projects/{project}/time-series/{id}", delete_series),
]
