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
    """Which request records to list: newest first, of one service or one version."""

    project_id: str
    service_id: str | None = None
    version_id: str | None = None
    id: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    status_from: int | None = None
    status_to: int | None = None
    code: str | None = None
    limit: int = 50
    offset: int = 0


class RequestsAnswer(Message):
    records: tuple[RequestRecord, ...]


CERTIFICATES_SUBJECT = "narthex.v1.certs.list"


class CertificatesQuestion(Message):
    pass


class CertificatesAnswer(Message):
    certificates: tuple[Certificate, ...]


class Refused(Message):
    """The answer to any question that could not be answered."""

    error: str
    code: str = "internal"
