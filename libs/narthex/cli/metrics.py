"""`narthex metrics`: how much and how fast, over time."""

from datetime import UTC, datetime
from itertools import islice
from typing import Annotated

import typer

from narthex.cli import complete, people
from narthex.cli.moments import ago, span
from narthex.cli.options import Description, Json, Limit, Project, Until, parse_labels
from narthex.cli.output import Column, notice, plain, printable, show_list, show_one
from narthex.cli.session import body, connect
from narthex.client.client import Client
from narthex.contracts.api import (
    Bucket,
    DataPoint,
    MetricCreate,
    MetricDetail,
    MetricUpdate,
    Series,
    SeriesData,
    TimeSeries,
)
from narthex.contracts.errors import Misconfigured

app = typer.Typer(no_args_is_help=True, help="Metrics: what Narthex measures, and what you measure yourself.")

BARS = "▁▂▃▄▅▆▇█"
WIDTH = 60  # of the line of bars: a label and a number fit beside it in 80 columns
PERIODS = (60, 300, 900, 3600, 7200, 21600, 86400)  # that the API knows

Name = Annotated[str, typer.Argument(help="E.g. services.requests; `metrics list` has all.")]
Label = Annotated[list[str] | None, typer.Option("--label", metavar="KEY=VALUE", help="Repeatable.")]

COLUMNS: list[Column[MetricDetail]] = [
    Column("NAME", lambda metric: metric.name),
    Column("TYPE", lambda metric: metric.metric_type),
    Column("UNIT", lambda metric: metric.unit),
    Column("DESCRIPTION", lambda metric: metric.description, flexible=True),
]

SERIES: list[Column[Series]] = [
    Column("ID", lambda series: series.id),
    Column("METRIC", lambda series: series.metric),
    Column("LABELS", lambda series: series.labels, flexible=True),
]

POINTS: list[Column[Bucket]] = [
    Column("FROM", lambda bucket: bucket.start_date),
    Column("TO", lambda bucket: bucket.end_date),
    Column("VALUE", lambda bucket: bucket.value),
]


@app.command("list")
def list_metrics(context: typer.Context, project: Project = None, json: Json = False) -> None:
    """The metrics of a project."""
    with connect(context, project) as api:
        show_list(api.metrics.list(), COLUMNS, json)


@app.command("show")
def show_metric(
    context: typer.Context,
    name: Name,
    service: Annotated[str | None, typer.Option(help="Only of this one.", autocompletion=complete.services)] = None,
    user: Annotated[str | None, typer.Option(help="Only of this person or service user.")] = None,
    label: Label = None,
    since: Annotated[str, typer.Option(help="A date, or how long ago: 10m, 2h, 7d.")] = "1h",
    until: Until = None,
    period: Annotated[str | None, typer.Option(help="A value for each 1m, 5m, 15m, 1h, 2h, 6h or 1d.")] = None,
    per: Annotated[str | None, typer.Option(help="What comes together as a rate: per 1s, 1m, 1h or 1d.")] = None,
    table: Annotated[bool, typer.Option("--table", help="Every value, instead of a line of bars.")] = False,
    project: Project = None,
    json: Json = False,
) -> None:
    """A metric over time."""
    now = datetime.now(UTC)
    first, last = ago(since, now) or now, ago(until, now) or now
    with connect(context, project, service=service) as api:
        found = api.metrics.data(
            name,
            first,
            last,
            period_s=_seconds(period) or (None if table or json else _fitting((last - first).total_seconds())),
            unit_period_s=_seconds(per),
            label=_labels(api, service, user, label) or None,
        )
    if json:
        show_one(found, json)
    elif table:
        show_list(found.data_points, POINTS, json)
    else:
        for line in drawn(found):
            print(line)


@app.command("series")
def list_series(
    context: typer.Context,
    name: Annotated[str | None, typer.Argument(help="Only of this metric.")] = None,
    label: Label = None,
    limit: Limit = 200,
    project: Project = None,
    json: Json = False,
) -> None:
    """The sets of labels under which there are values."""
    with connect(context, project) as api:
        show_list(islice(api.metrics.series(metric=name, label=parse_labels(label)), limit), SERIES, json)


@app.command("create")
def create_metric(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="custom. and a name.")],
    kind: Annotated[str, typer.Option("--type", metavar="delta|gauge", help="Added up, or averaged.")] = "gauge",
    unit: Annotated[str | None, typer.Option(help="Of its values.")] = None,
    label_name: Annotated[list[str] | None, typer.Option(help="A label that values have; repeatable.")] = None,
    description: Description = None,
    project: Project = None,
    json: Json = False,
) -> None:
    """Make a metric of your own."""
    wanted = body(
        MetricCreate, name=name, metric_type=kind, unit=unit, labels=label_name or None, description=description
    )
    with connect(context, project) as api:
        show_one(api.metrics.create(wanted), json)


@app.command("update")
def update_metric(
    context: typer.Context,
    name: Name,
    new_name: Annotated[str | None, typer.Option(help="Rename it.")] = None,
    unit: Annotated[str | None, typer.Option(help="Of its values.")] = None,
    description: Description = None,
    project: Project = None,
    json: Json = False,
) -> None:
    """Change a metric of your own."""
    wanted = body(MetricUpdate, name=new_name, unit=unit, description=description)
    with connect(context, project) as api:
        show_one(api.metrics.update(name, wanted), json)


@app.command("add")
def add_value(
    context: typer.Context,
    name: Name,
    value: Annotated[float, typer.Argument(help="The value.")],
    label: Label = None,
    at: Annotated[str | None, typer.Option(help="When; a date, or how long ago. Default: now.")] = None,
    project: Project = None,
    json: Json = False,
) -> None:
    """Keep a value of a metric of your own."""
    now = datetime.now(UTC)
    point = body(DataPoint, date=ago(at, now) or now, value=value)
    given = body(SeriesData, metric=name, labels=parse_labels(label), data=[point])
    with connect(context, project) as api:
        show_one(api.metrics.add([given]), json)


@app.command("delete")
def delete_metric(context: typer.Context, name: Name, project: Project = None) -> None:
    """Delete a metric of your own with its values."""
    with connect(context, project) as api:
        api.metrics.delete(name)
    notice(f"deleted metric {name}")


def drawn(series: TimeSeries) -> list[str]:
    """A series as a line of bars with its range; a line of text in a pipe as well."""
    unit = f" {series.unit}" if series.unit else ""
    head = (
        f"{series.metric}  {plain(series.start_date)} to {plain(series.end_date)}, {series.aggregation_period} s each"
    )
    values = [point.value for point in series.data_points]
    if not values:
        return [printable(head), "no values"]
    total = sum(values)
    summary = f"least {min(values):g}, most {max(values):g}, mean {total / len(values):g}{unit}"
    if series.metric_type == "delta":
        summary += f", in all {total:g}"
    return [printable(head), sparkline(values), summary]


def sparkline(values: list[float]) -> str:
    """A bar a value, the highest of them full. Zero is the lowest bar: what is small next to the rest looks small."""
    most = max(values)
    if most <= 0:
        return BARS[0] * len(values)
    return "".join(BARS[min(int(max(value, 0.0) / most * len(BARS)), len(BARS) - 1)] for value in values)


def _labels(api: Client, service: str | None, user: str | None, label: list[str] | None) -> dict[str, str]:
    wanted = parse_labels(label) or {}
    if service is not None:
        wanted["service_id"] = api.services.get(service).id
    if user is not None:
        wanted["user_id"] = people.member_id(api, user)
    return wanted


def _fitting(length_s: float) -> int:
    """The shortest period with which the values fit into a line."""
    return next((period for period in PERIODS if length_s / period <= WIDTH), PERIODS[-1])


def _seconds(text: str | None) -> int | None:
    if text is None:
        return None
    seconds = int(span(text).total_seconds())
    if seconds == 0:
        raise Misconfigured(f"{text!r} is no length of time such as 15m")
    return seconds
