"""How the services of a project stand now."""

from datetime import datetime

from narthex.contracts.api.base import Response


class LiveService(Response):
    """One service. Rates are of the last sixty seconds; null: they cannot be told just now."""

    id: str
    name: str
    instances: int = 0  # that are there, without those that drain
    instances_ready: int = 0
    requests_per_second: float | None = None
    error_rate: float | None = None  # share answered with 5xx, or broken off
    limited_rate: float | None = None  # share refused for a rate or concurrency limit
    p95_ms: float | None = None  # also null where there were no requests
    concurrency: float | None = None  # mean number under way


class LiveServices(Response):
    """The services of a project by name."""

    time: datetime
    measured: bool  # false: the log store is away, and rates are null
    total: int  # services that the caller may see
    services: list[LiveService]


class LiveUpdate(Response):
    """The services of a project that stand in another way than was said before; all of them at first (`whole`)."""

    whole: bool = False
    measured: bool = True
    services: list[LiveService] = []
    gone: list[str] = []  # ids


class ServiceChart(Response):
    """How a service's requests went over time: columns with a value for each period. Null: there is nothing to tell."""

    period_s: int
    times: list[int]  # Unix seconds at which periods begin
    by_class: dict[str, list[float | None]]  # requests ended with 2xx, 3xx, 4xx, 5xx; `broken`: answers that broke off
    p50_ms: list[float | None]
    p95_ms: list[float | None]
    p99_ms: list[float | None]
    first_byte_ms: list[float | None]  # mean
    in_flight: list[float | None]  # mean
    limited: list[float | None]  # refused for a rate or concurrency limit
    instances_ready: list[float | None]


class Changed(Response):
    """What is another than before, and should be read again by who shows it."""

    type: str  # of the event, e.g. ServiceUpdated
    object_type: str  # service | deployment | version | instance | replica | domain | limit | cert
    id: str
    name: str | None = None
    service_id: str | None = None
    deployment_id: str | None = None
    version_id: str | None = None
