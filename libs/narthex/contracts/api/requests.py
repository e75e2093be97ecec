"""Requests to services, as the log has them."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import Field, RootModel, StrictStr

from narthex.contracts.api.activity import ProjectEventRecord
from narthex.contracts.api.base import Request, Response
from narthex.contracts.entities import RequestRecord


class RequestPage(Response):
    """A page of request records, newest first; `next` is a value for `cursor`.

    `lost` says, on the first page, how many records of the same time could not be kept: `ring_full` and `bus_away` in a
    router, `stream_full` before audit, `poison` because nobody could read them, `bus_lost` because NATS took them
    and lost them. Of those nobody knows whose they were: every service shows them all.
    """

    next: str | None = None
    previous: str | None = None
    results: list[RequestRecord]
    lost: dict[str, int] = {}


class InstanceThen(Response):
    """An instance as it stood when a request came."""

    id: str
    address: str = ""
    health: str = Field("unknown", description="the verdict on it; unknown: none was told until then")
    reason: str = ""
    since: datetime | None = None
    draining: bool = False
    tried: bool = Field(False, description="it was given the request")


class ServiceRequest(Response):
    """One request to a service: its record, with headers and bodies where they were kept."""

    deployment: str
    version: str
    user: str = Field("", description="e-mail of the caller")
    request: RequestRecord


class Explanation(ServiceRequest):
    """Why a request went as it did."""

    sentence: str
    instances: list[InstanceThen] = []
    limits: dict[str, int] = Field({}, description="the limits that the service has now")
    events: list[ProjectEventRecord] = Field(
        [], description="what happened to the service and what is behind it, from 10 minutes before to 2 after"
    )


class RequestSummary(Response):
    """A request to a service, as a request of the deployment version behind it."""

    id: str
    deployment: str
    version: str
    status: str = Field(description="completed, or failed: answered with 5xx, or broken off")
    success: bool
    time_created: datetime
    time_started: datetime
    time_completed: datetime
    input_size: int = Field(description="bytes of the request's body")
    output_size: int = Field(description="bytes of the response's body")


class RequestDetail(RequestSummary):
    """`additional_data` is what Narthex knows of it; the bodies are there with retention mode `full` only."""

    error_message: str | None = None
    timeout: int | None = None
    request_data: Any = None
    result: Any = None
    additional_data: dict[str, Any] = {}
    origin: dict[str, str] = {}


class RequestOverview(Response):
    id: str
    deployment: str
    pipeline: str | None = None
    version: str
    status: str
    time_created: datetime
    time_started: datetime
    time_completed: datetime
    input_size: int
    output_size: int


class RequestStatusUpdate(Request):
    status: Annotated[StrictStr, Field(pattern="^(cancelled|cancelled_pending)$")]


class RequestIds(RootModel[Annotated[list[Annotated[StrictStr, Field(max_length=64)]], Field(max_length=500)]]):
    """The requests that a batch operation is about."""


class RequestsDeleted(Response):
    deleted: list[str]


class RequestsCancelled(Response):
    cancelled: list[str]
