"""Services: a deployment behind a host of its own, and whether it can be reached."""

from collections.abc import Callable
from datetime import datetime

from narthex.client.call import Call, Listing, Stream, Tagging, Wait
from narthex.client.operations.paging import by_offset
from narthex.client.operations.paths import Nothing, in_project, labels, moment, of_service, switching
from narthex.client.stream import read_live
from narthex.contracts.api import (
    LiveServices,
    LiveUpdate,
    Propagation,
    ServiceCertificate,
    ServiceChart,
    ServiceCreate,
    ServiceDetail,
    ServiceStatus,
    ServiceUpdate,
)
from narthex.contracts.errors import NarthexError

PAGE = 1000  # services a page: one answer of about a megabyte


def list_services(
    *, label: dict[str, str] | None = None, project: str | None = None
) -> Listing[list[ServiceDetail], ServiceDetail]:
    """The services of a project by name."""
    query = {"detail": "true", "labels": labels(label), "limit": PAGE}
    return by_offset(Call("GET", in_project(project, "services"), list[ServiceDetail], query=query))


def get_service(name: str, *, project: str | None = None) -> Call[ServiceDetail]:
    """One service by name; `endpoint` is its URL."""
    return Call("GET", of_service(project, name), ServiceDetail)


def get_tagged_service(name: str, *, project: str | None = None) -> Tagging[ServiceDetail]:
    """One service with its ETag, for `if_match` of a later change."""
    return Tagging(get_service(name, project=project))


def find_service(name: str, *, project: str | None = None) -> Call[ServiceDetail | None]:
    """As `get`, but None when there is none."""
    return Call("GET", of_service(project, name), ServiceDetail, absent=True)


def create_service(body: ServiceCreate, *, project: str | None = None) -> Call[ServiceDetail]:
    """Expose a deployment. Routers serve it within a moment: see `wait_until_applied`."""
    return Call("POST", in_project(project, "services"), ServiceDetail, body=body)


def update_service(
    name: str,
    body: ServiceUpdate,
    *,
    if_match: str | None = None,
    wait_s: float = 0.0,
    force: bool = False,
    project: str | None = None,
) -> Call[ServiceDetail]:
    """Change the fields that are set in `body`; a field set to None is cleared.

    With `if_match` only if nobody was faster, else ApiError 412. Another version must have a healthy instance:
    `wait_s` waits for one, `force` goes over without.
    """
    path, query = of_service(project, name), switching(wait_s, force)
    return Call("PATCH", path, ServiceDetail, query=query, body=body, if_match=if_match, waits_s=wait_s)


def delete_service(name: str, *, if_match: str | None = None, project: str | None = None) -> Call[None]:
    """Remove a service: its host is unknown from then on."""
    return Call("DELETE", of_service(project, name), Nothing, if_match=if_match)


def get_service_status(name: str, *, project: str | None = None) -> Call[ServiceStatus]:
    """Whether a request would be answered now, and by how many instances."""
    return Call("GET", of_service(project, name, "status"), ServiceStatus)


def live_services(*, limit: int | None = None, offset: int = 0, project: str | None = None) -> Call[LiveServices]:
    """How the services of a project stand now: instances, and requests within the last sixty seconds."""
    return Call("GET", in_project(project, "live"), LiveServices, query={"limit": limit, "offset": offset})


def watch_services(
    *, project: str | None = None, on_lost: Callable[[NarthexError], None] | None = None
) -> Stream[LiveUpdate]:
    """How the services of a project stand: all of them first, then those that change, without end."""
    return Stream(in_project(project, "live", "stream"), read_live, on_lost)


def get_chart(
    name: str,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    points: int = 120,
    project: str | None = None,
) -> Call[ServiceChart]:
    """A service's requests over time, the last 15 minutes unless said otherwise, in so many points at most."""
    query = {"since": moment(since), "until": moment(until), "points": points}
    return Call("GET", of_service(project, name, "chart"), ServiceChart, query=query)


def list_service_certificates(name: str, *, project: str | None = None) -> Call[list[ServiceCertificate]]:
    """The certificates that a service is served with, under each of its hosts."""
    return Call("GET", of_service(project, name, "certificates"), list[ServiceCertificate])


def get_propagation(name: str, *, project: str | None = None) -> Call[Propagation]:
    """Which router workers serve by the newest state of a service."""
    return Call("GET", of_service(project, name, "propagation"), Propagation)


def wait_until_applied(name: str, *, timeout: float = 30.0, project: str | None = None) -> Wait[Propagation]:
    """Return when every router worker serves by the newest state of a service."""

    def behind(last: Propagation | None) -> str:
        workers = [] if last is None else last.workers
        late = [f"{w.router}/{w.worker}" for w in workers if last and w.applied_sequence < last.sequence]
        who = ", ".join(late) or "a router"
        return f"the newest state of service {name!r} was not applied by {who}"

    return Wait(get_propagation(name, project=project), lambda answer: answer.applied, timeout, behind)


def wait_until_ready(name: str, *, timeout: float = 60.0, project: str | None = None) -> Wait[ServiceStatus]:
    """Return when a service has an instance that answers."""
    return Wait(
        get_service_status(name, project=project),
        lambda answer: answer.ready,
        timeout,
        lambda _: f"service {name!r} had no healthy instance",
    )
