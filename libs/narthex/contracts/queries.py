"""Questions one part asks another over request/reply: subject, question and answer."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict

from narthex.contracts.entities import Certificate, RequestRecord


class Message(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


SNAPSHOT_SUBJECT = "narthex.v1.registry.snapshot"


class SnapshotQuestion(Message):
    """A page of everything the registry knows. `cursor` comes from the page before; empty = start."""

    cursor: str = ""
    limit: int = 1000


class SnapshotPage(Message):
    """Facts as the events that would have brought them, each with its subject and its current revision; an
    instance comes with the last verdict on its health, so that a table that was lost can be filled from here.

    `sequence` is the registry's sequence when the first page was read and stays the same on all pages: what
    happened later comes, or has come, as an event. Entities that no page names do not exist.
    """

    sequence: int
    facts: tuple["SnapshotFact", ...]
    cursor: str | None  # None: this was the last page


class SnapshotFact(Message):
    subject: str
    event: dict[str, Any]


REQUESTS_SUBJECT = "narthex.v1.audit.requests"


class RequestsQuestion(Message):
    """Which request records to list, newest first. What is left out does not matter."""

    project_id: str
    service_id: str | None = None
    version_id: str | None = None
    id: str | None = None
    ids: tuple[str, ...] | None = None
    search_id: str | None = None  # part of an id
    failed: bool | None = None  # answered with 5xx, or cut off on the way
    subject_id: str | None = None
    instance_id: str | None = None
    method: str | None = None
    path_matches: str | None = None  # RE2, anywhere in the path
    slower_than_ms: float | None = None
    body_contains: str | None = None  # of the request or of the answer, where they were kept
    before_time: datetime | None = None  # with `before_id`: what comes after this request on the list
    before_id: str | None = None
    losses: bool = False  # with what was lost of the service in this time
    contents: bool = False  # with headers and bodies, where they were kept
    since: datetime | None = None
    until: datetime | None = None
    status_from: int | None = None
    status_to: int | None = None
    code: str | None = None
    limit: int = 50
    offset: int = 0


class RequestsAnswer(Message):
    records: tuple[RequestRecord, ...]
    lost: dict[str, int] = {}  # records of the service that could not be kept, by reason, where it was asked for


REMOVE_REQUESTS_SUBJECT = "narthex.v1.audit.remove_requests"


class RequestsRemoval(Message):
    """Forget these request records of a version."""

    project_id: str
    version_id: str
    ids: tuple[str, ...]


class RequestsRemoved(Message):
    ids: tuple[str, ...]  # those that were there


SERIES_SUBJECT = "narthex.v1.audit.series"


class SeriesQuestion(Message):
    """One metric over time, in buckets of `period_s` that begin at multiples of it since 1970.

    `labels` narrow it: service_id, deployment_version_id, user_id. For a metric that a project made for itself
    `series` says which of its series, and `gauge` whether their values are averaged or added up.
    """

    project_id: str
    metric: str
    since: datetime
    until: datetime
    period_s: int
    labels: dict[str, str] = {}
    series: tuple[int, ...] | None = None
    gauge: bool = False
    summed: bool = False  # a gauge of several series at the same moments is their sum, not their mean


class SeriesPoint(Message):
    start: datetime
    value: float


class SeriesAnswer(Message):
    """The buckets that hold anything, oldest first."""

    points: tuple[SeriesPoint, ...]


LABELS_SUBJECT = "narthex.v1.audit.labels"


class LabelsQuestion(Message):
    """The sets of labels under which a project's requests were counted in the last 31 days."""

    project_id: str


class LabelsAnswer(Message):
    sets: tuple[dict[str, str], ...]


POINTS_SUBJECT = "narthex.v1.audit.points"


class Point(Message):
    series: int
    time: datetime
    value: float


class PointsGiven(Message):
    """Values of metrics that a project made for itself. The same `id` again changes nothing."""

    id: str
    project_id: str
    points: tuple[Point, ...] = ()
    removed_series: tuple[int, ...] = ()


class PointsKept(Message):
    pass


RATES_SUBJECT = "narthex.v1.audit.rates"


class RatesQuestion(Message):
    """How often each service of a project is called now."""

    project_id: str


class RatesAnswer(Message):
    """What came in the last sixty seconds, in columns: the services that were called, and how often each was."""

    services: tuple[str, ...]
    requests: tuple[float, ...]
    failed: tuple[float, ...]  # answered with 5xx, or broken off
    limited: tuple[float, ...]  # refused for a rate or concurrency limit
    took_ms: tuple[float, ...]  # together
    p95_ms: tuple[float, ...]


CHART_SUBJECT = "narthex.v1.audit.chart"
CLASSES = ("2xx", "3xx", "4xx", "5xx")


class ChartQuestion(Message):
    """How a service's requests went over time, in buckets of `period_s` that begin at multiples of it since 1970."""

    project_id: str
    service_id: str
    since: datetime
    until: datetime
    period_s: int
    instances_series: int  # the number under which the registry keeps how many instances were ready


class ChartAnswer(Message):
    """Columns of the same length: a value for each bucket. None: there is nothing to tell of it."""

    times: tuple[int, ...]  # Unix seconds at which buckets begin
    by_class: dict[str, tuple[float | None, ...]]  # requests by `CLASSES`; `broken`: their answers broke off
    durations_ms: dict[str, tuple[float | None, ...]]  # p50_ms, p95_ms, p99_ms
    first_byte_ms: tuple[float | None, ...]  # mean
    in_flight: tuple[float | None, ...]  # mean
    limited: tuple[float | None, ...]
    instances_ready: tuple[float | None, ...]


LOG_STORE_SUBJECT = "narthex.v1.audit.store"


class LogStoreQuestion(Message):
    pass


class LogStoreState(Message):
    """How the log store stands. `reason`: why it cannot be used just now; then nothing else is known."""

    kind: str = ""  # of its URL: chdb | clickhouse
    reason: str = ""
    size_bytes: int = 0
    limit_bytes: int = 0  # over which the oldest requests go; 0: none
    requests: int = 0
    oldest: datetime | None = None
    version: str = ""  # of the audit service


AUDIT_SUBJECTS = (
    *(REQUESTS_SUBJECT, REMOVE_REQUESTS_SUBJECT, SERIES_SUBJECT, LABELS_SUBJECT, POINTS_SUBJECT),
    *(RATES_SUBJECT, CHART_SUBJECT, LOG_STORE_SUBJECT),
)


CERTIFICATES_SUBJECT = "narthex.v1.certs.list"


class CertificatesQuestion(Message):
    pass


class CertificateState(Message):
    """How things stand with the certificate for some hosts: what is held, and what is being done about it."""

    id: str
    hosts: tuple[str, ...]
    issuer: str  # internal | acme
    certificate: Certificate | None = None
    renew_at: datetime | None = None
    step: str = ""  # of the order that is under way; empty: none is
    failures: int = 0  # in a row
    reason: str = ""  # of the last failure
    problem: dict[str, Any] | None = None  # the CA's own words
    next_try: datetime | None = None


class CertificatesAnswer(Message):
    certificates: tuple[Certificate, ...]
    states: tuple[CertificateState, ...] = ()


RENEW_CERTIFICATE_SUBJECT = "narthex.v1.certs.renew"


class CertificateRenewal(Message):
    """Renew a certificate now, whatever its age. The CA's limits hold all the same."""

    id: str


REHEARSE_CERTIFICATE_SUBJECT = "narthex.v1.certs.rehearse"


class CertificateRehearsal(Message):
    """Go through a whole order for these hosts at the CA's staging directory, and keep nothing of it."""

    hosts: tuple[str, ...]


class CertificateRehearsed(Message):
    passed: bool
    steps: tuple[str, ...]  # what was done, one sentence each
    reason: str = ""  # why it failed
    problem: dict[str, Any] | None = None


CHANGE_ACCOUNT_KEY_SUBJECT = "narthex.v1.certs.change_account_key"


class AccountKeyChange(Message):
    """Have the account at the CA go on with a new key."""


class AccountKeyChanged(Message):
    account: str  # its address at the CA
    key: str  # thumbprint of the key that it has now (RFC 7638)


CERTIFICATE_SUBJECTS = (
    CERTIFICATES_SUBJECT,
    RENEW_CERTIFICATE_SUBJECT,
    REHEARSE_CERTIFICATE_SUBJECT,
    CHANGE_ACCOUNT_KEY_SUBJECT,
)


LIMIT_USE_SUBJECT = "narthex.v1.router.limit_use"


class LimitAsked(Message):
    """A limit of a service, by the code of its 429: rate_limit_total, rate_limit_user, concurrency_total or _user."""

    kind: str
    limit: int
    token_id: str = ""  # of a user's limit: it holds for each token


class LimitUseQuestion(Message):
    """How much of a service's limits is in use now. The asker knows the limits; the routers know the use."""

    service_id: str
    limits: tuple[LimitAsked, ...]


class LimitUse(LimitAsked):
    """`used`: passed in the last minute or granted to workers to let pass, or under way now."""

    used: int
    remaining: int
    reset_s: float = 0.0  # of a rate: until some of it is free again


class LimitUseAnswer(Message):
    uses: tuple[LimitUse, ...]  # in the order of the question


class Refused(Message):
    """The answer to any question that could not be answered."""

    error: str
    code: str = "internal"
