"""Certificates, and the domains of their owners that services have."""

from datetime import datetime

from pydantic import Field

from narthex.contracts.api.base import Request, Response, Text


class DomainCreate(Request):
    """A name of somebody's own under which a service shall be reached."""

    host: Text = Field(description="a DNS name, e.g. shop.example.com")


class DomainDetail(Response):
    """A domain of a service. `text` is to be published in one of the two places, then it can be verified."""

    id: str
    host: str
    service: str
    verified: bool
    verified_at: datetime | None = None
    created: datetime
    txt_name: str  # of a TXT record that holds `text`
    file_url: str  # or a file with it, on the server that the name leads to now
    text: str
    problem: str | None = None  # why it was not believed when it was last verified


class RehearsalCreate(Request):
    """For which hosts a whole order is rehearsed; none: for one that a certificate is wanted for."""

    hosts: list[Text] = []


class ServiceCertificate(Response):
    """The certificate that a service is served with under one of its hosts."""

    host: str
    own_domain: bool = False
    status: str  # good | waiting | obtaining | failing | expired
    issuer: str = ""
    not_after: datetime | None = None
    renew_at: datetime | None = None
    next_try: datetime | None = None
    failures: int = 0  # in a row
    reason: str = ""  # of the last failure
