"""Instances: running copies of a version, what happened to them, and how they are."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import AfterValidator, Field, StrictInt, StrictStr

from narthex.contracts.api.base import Labels, Port, Request, Response
from narthex.contracts.names import InstanceAddress, parse_identity


class InstanceCreate(Request):
    """Registers one running copy. `port` absent = the port of the service that is called."""

    address: InstanceAddress
    port: Port | None = None
    weight: Annotated[StrictInt, Field(ge=1, le=1000)] = 1
    lease_seconds: Annotated[StrictInt, Field(ge=1, le=86_400)] | None = None
    metadata: Labels = {}
    # What it answers a GET of its health check's path with, in `x-narthex-instance`. Never shown: whoever knows it may
    # pass for the instance.
    identity: Annotated[StrictStr, AfterValidator(parse_identity)] | None = None


class InstanceTypeBrief(Response):
    id: str
    name: str
    display_name: str


class Node(Response):
    """Where an instance listens, where that is an IP address."""

    ipv4_address: str | None = None
    ipv6_address: str | None = None


class InstanceRequest(Response):
    """A request that is under way at a draining instance."""

    id: str
    service_id: str
    websocket: bool = False
    age_s: float = 0.0


class InstanceInFlight(Response):
    """What a router still has under way at a draining instance: how many requests, and the oldest of them."""

    router: str
    in_flight: int
    open: list[InstanceRequest] = []


class InstanceDetail(Response):
    """An instance, alone and in lists. `status` is pending until its first good probe, then running."""

    id: str
    status: str
    instance_type: InstanceTypeBrief | None = None
    time_created: datetime
    time_updated: datetime
    deployment: str
    version: str
    node: Node | None = None
    node_pool: dict[str, Any] | None = None
    address: str
    port: int | None = None
    weight: int = 1
    health: str = "unknown"
    reason: str = ""  # why the health is what it is
    note: str = ""  # what the instance's runner said at its last lease renewal
    lease_expires: datetime | None = None
    metadata: dict[str, str] = {}
    in_flight: list[InstanceInFlight] = []  # while it drains


class InstanceUpdate(Request):
    """`{"status": "stopped"}` drains and removes the instance; nothing else can be changed here."""

    status: Annotated[StrictStr, Field(pattern="^stopped$")]


class InstancePage(Response):
    next: str | None = None
    previous: str | None = None
    results: list[InstanceDetail]


class InstanceEvent(Response):
    id: str
    time_created: datetime
    type: str
    description: str


class InstanceEventPage(Response):
    """What happened to an instance, newest first."""

    next: str | None = None
    previous: str | None = None
    results: list[InstanceEvent]


class HealthChange(Response):
    """A change of the verdict on an instance, and what was seen."""

    id: str
    time: datetime
    before: str
    health: str
    reason: str = ""
    evidence: list[str] = []


class LeaseRenewal(Request):
    """Renews an instance's lease. `note` is what its runner has to say, e.g. why the command died at once;
    it is shown until the next renewal."""

    note: Annotated[StrictStr, Field(max_length=400)] = ""
