"""The installation itself: status, errors."""

from datetime import datetime

from narthex.contracts.api.base import Response
from narthex.contracts.api.services import WorkerApplied
from narthex.contracts.queries import CertificateState, LogStoreState


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


class HealthWorker(Response):
    """A health worker that was heard of lately."""

    name: str
    instances: int  # that it probes
    share: float  # of all that are probed
    seen: datetime
    version: str = ""


class BusConsumer(Response):
    """One who reads a stream of the bus."""

    name: str
    waiting: int  # messages that it has not been given yet
    unacknowledged: int  # given, and not dealt with yet
    redelivered: int


class BusStream(Response):
    name: str
    messages: int
    bytes: int
    limit_bytes: int | None = None
    consumers: list[BusConsumer] = []


class BusState(Response):
    """The event bus as the registry sees it. `reason`: why it cannot be seen just now."""

    reason: str = ""
    streams: list[BusStream] = []


class CertificateForecast(Response):
    """Which certificates there are, and what happens to them next."""

    reason: str = ""  # why nothing is known of them just now
    total: int = 0
    failing: int = 0
    expired: int = 0
    next: list[CertificateState] = []  # those that are renewed or tried soonest


class DatabaseState(Response):
    kind: str  # sqlite | postgresql
    size_bytes: int = 0
    projects: int = 0
    services: int = 0
    instances: int = 0
    users: int = 0
    facts_waiting: int = 0  # that the bus has not taken yet


class InstallationState(Response):
    """All parts of the installation, and what is wrong with them."""

    version: str  # of this registry
    time: datetime
    sequence: int  # of the registry's last fact
    problems: list[str]  # what needs somebody, in sentences
    routers: list[WorkerApplied]
    health_workers: list[HealthWorker]
    bus: BusState
    dead_letters: int
    certificates: CertificateForecast
    log_store: LogStoreState
    database: DatabaseState


class DeadLetterBrief(Response):
    """A message that a consumer gave up."""

    number: int
    consumer: str
    subject: str
    reason: str
    date: datetime | None = None
    size: int  # bytes


class DeadLetterDetail(DeadLetterBrief):
    """With what it says: JSON where it is, text in any case, its beginning where it is long."""

    content: str
    cut: bool = False
