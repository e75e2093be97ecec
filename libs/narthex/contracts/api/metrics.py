"""Metrics and their values over time."""

import re
from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, Field, RootModel, Strict, StrictStr

from narthex.contracts.api.base import Description, Request, Response


def parse_metric_name(name: str) -> str:
    """A metric that a project makes for itself: `custom.` and a name, 64 characters at most."""
    if not re.fullmatch(r"custom\.[A-Za-z0-9_][A-Za-z0-9_.-]{0,56}", name):
        raise ValueError("must be custom. and a name of letters, digits, dots, dashes and underscores, 64 at most")
    return name


MetricName = Annotated[StrictStr, AfterValidator(parse_metric_name)]
MetricLabel = Annotated[StrictStr, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
Unit = Annotated[StrictStr, Field(max_length=32)]
SeriesLabels = Annotated[dict[MetricLabel, Annotated[StrictStr, Field(max_length=256)]], Field(max_length=20)]


class MetricUpdate(Request):
    name: MetricName | None = None
    metric_type: Annotated[StrictStr, Field(pattern="^(delta|gauge)$")] | None = None
    unit: Unit | None = None
    labels: Annotated[list[MetricLabel], Field(max_length=20)] | None = None
    description: Description | None = None


class MetricCreate(MetricUpdate):
    name: MetricName
    metric_type: Annotated[StrictStr, Field(pattern="^(delta|gauge)$")]


class MetricDetail(Response):
    id: int
    name: str
    description: str | None = None
    creation_date: datetime | None = None
    last_updated: datetime | None = None
    custom: bool
    metric_type: str
    unit: str | None = None
    labels: list[str] = []


class DataPoint(Request):
    date: datetime
    value: Annotated[float, Strict(), Field(allow_inf_nan=False)]


class SeriesData(Request):
    """Values of one series of a metric that the project made for itself."""

    metric: Annotated[StrictStr, Field(min_length=1, max_length=64)]
    labels: SeriesLabels = {}
    data: Annotated[list[DataPoint], Field(max_length=10_000)]


class SeriesDataList(RootModel[Annotated[list[SeriesData], Field(min_length=1, max_length=100)]]):
    """Values of some series."""


class PointsKept(Response):
    points: int


class Series(Response):
    id: int
    metric: str
    labels: dict[str, str]
    resolution: int = Field(60, description="seconds between two values at the closest")


class Bucket(Response):
    start_date: datetime
    end_date: datetime
    value: float


class TimeSeries(Response):
    metric: str
    metric_type: str
    unit: str | None = None
    start_date: datetime
    end_date: datetime
    aggregation_period: int
    labels: dict[str, str]
    data_points: list[Bucket]
