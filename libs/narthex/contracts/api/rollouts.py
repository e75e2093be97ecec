"""Rollouts: a service goes over from one version to another in steps."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, Field, Strict, StrictInt, StrictStr

from narthex.contracts.api.base import Request, Response, one_of
from narthex.contracts.api.services import parse_affinity

Share = Annotated[float, Strict(), Field(ge=0, le=1, allow_inf_nan=False)]


class RolloutState(StrEnum):
    """Where a rollout is. The first two are under way, the others its end."""

    RUNNING = "running"
    STOPPED = "stopped"  # it stays at its step; the gates go on
    PROMOTED = "promoted"  # the new version has the service
    ROLLED_BACK = "rolled_back"  # the old version has it


class RolloutStep(Request):
    """A part of the requests goes to the new version for a while; without `hold_s` until somebody goes on."""

    weight: Annotated[float, Strict(), Field(gt=0, le=100, allow_inf_nan=False)]  # percent
    hold_s: Annotated[float, Strict(), Field(ge=1, le=604_800, allow_inf_nan=False)] | None = None


class RolloutGates(Request):
    """What the new version's requests within a step have to be like; else everything goes back to the old version."""

    max_error_rate: Share | None = 0.05  # failed by its instances, or answered with 500 or more
    max_p95_ms: Annotated[float, Strict(), Field(gt=0, le=1e6, allow_inf_nan=False)] | None = None  # to the first byte
    min_requests: Annotated[StrictInt, Field(ge=0, le=1_000_000)] = 20  # before that nothing is judged nor goes on


class RolloutCreate(Request):
    """After the last step's hold the service has the new version."""

    version: Annotated[StrictStr, Field(min_length=1, max_length=64)]
    steps: Annotated[list[RolloutStep], Field(min_length=1, max_length=50)]
    gates: RolloutGates = RolloutGates()
    # `header:<name>` or `cookie:<name>`: requests with the same value get the same version.
    sticky: Annotated[StrictStr, AfterValidator(parse_affinity)] | None = None


class RolloutUpdate(Request):
    """`running` goes on, `stopped` stays where it is; `promoted` and `rolled_back` end it. `step` goes to a step."""

    state: Annotated[StrictStr, AfterValidator(lambda name: one_of(name, RolloutState))] | None = None
    step: Annotated[StrictInt, Field(ge=1, le=50)] | None = None


class RolloutSeen(Response):
    """What routers saw of a version's requests since the step began."""

    version: str
    requests: int = 0
    errors: int = 0
    error_rate: float | None = None
    p95_ms: float | None = None  # to the first byte, within a tenth


class RolloutEvent(Response):
    time: datetime
    type: str
    text: str


class RolloutDetail(Response):
    id: str
    service: str
    before: str  # the old version
    version: str  # the new one
    state: str
    step: int  # from 1
    weight: float  # percent of the requests that go to the new version now
    waiting_for: str = ""  # what has to happen before it goes on by itself
    reason: str = ""  # why it ended, or was stopped
    steps: list[RolloutStep]
    gates: RolloutGates
    sticky: str | None = None
    step_began: datetime
    seen: list[RolloutSeen] = []
    events: list[RolloutEvent] = []  # newest last
    time_created: datetime
    time_updated: datetime
