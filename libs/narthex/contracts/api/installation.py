"""The installation itself: status, errors."""

from datetime import datetime

from narthex.contracts.api.base import Response


class DiscoveryProvider(Response):
    """A source of instances: whether it can be read, and what becomes of what it names."""

    name: str
    state: str  # starting | following | away | without a runner | off
    reason: str = ""  # why it is away; the instances it named last stay
    since: datetime | None = None  # it is in this state
    applied: datetime | None = None  # when instances were last brought into line
    instances: int = 0
    refused: int = 0
    causes: list[str] = []  # of the refusals
    runner: str | None = None  # the registry's process that follows it; one does at a time


class ApiStatus(Response):
    status: str = "ok"
    reason: str | None = None


class ErrorBody(Response):
    error: str
    code: str = ""
