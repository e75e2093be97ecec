"""Every operation of the API, once, as data. `Client` and `AsyncClient` carry out the same ones.

Arguments named `project` default to the client's own project.
"""

from dataclasses import replace
from datetime import datetime
from typing import TypeVar
from urllib.parse import parse_qs, urlsplit

from narthex.client.call import CURRENT_PROJECT, Call, Listing, Wait
from narthex.contracts.api import (
    ApiStatus,
    Certificate,
    DeploymentCreate,
    DeploymentDetail,
    DeploymentUpdate,
    InstanceCreate,
    InstanceDetail,
    InstancePage,
    InstanceUpdate,
    LeaseRenewal,
    ProjectCreate,
    ProjectDetail,
    ProjectUpdate,
    Propagation,
    RequestPage,
    RequestRecord,
    ServiceCreate,
    ServiceDetail,
    ServiceStatus,
    ServiceUpdate,
    UserDetail,
    VersionCreate,
    VersionDetail,
    VersionUpdate,
    WorkerApplied,
)

R = TypeVar("R")
Nothing = type(None)

PAGE = 100  # entries a page: a page is one answer of some ten kilobytes


def _in_project(project: str | None, *parts: str) -> list[str | None]:
    return ["projects", project if project is not None else CURRENT_PROJECT, *parts]


# -- the installation ---------------------------------------------------------------------------------------


def status() -> Call[ApiStatus]:
    """Whether the API is up; needs no token."""
    return Call("GET", ["status"], ApiStatus)


def user() -> Call[UserDetail]:
    """Whom the token belongs to."""
    return Call("GET", ["user"], UserDetail)


def list_certificates() -> Call[list[Certificate]]:
    """The certificates that routers serve with."""
    return Call("GET", ["certificates"], list[Certificate])


def list_routers() -> Call[list[WorkerApplied]]:
    """The router workers that are known, and how far each has applied the registry's facts."""
    return Call("GET", ["routers"], list[WorkerApplied])


# -- projects -----------------------------------------------------------------------------------------------


def list_projects() -> Call[list[ProjectDetail]]:
    """The projects that the token may see."""
    return Call("GET", ["projects"], list[ProjectDetail])


def get_project(name: str) -> Call[ProjectDetail]:
    """One project by name."""
    return Call("GET", ["projects", name], ProjectDetail)


def create_project(body: ProjectCreate) -> Call[ProjectDetail]:
    """Make a project; its name is unique in the installation."""
    return Call("POST", ["projects"], ProjectDetail, body=body)


def update_project(name: str, body: ProjectUpdate) -> Call[ProjectDetail]:
    """Change the fields that are set in `body`."""
    return Call("PATCH", ["projects", name], ProjectDetail, body=body)


def delete_project(name: str) -> Call[None]:
    """Remove an empty project."""
    return Call("DELETE", ["projects", name], Nothing)


# -- deployments --------------------------------------------------------------------------------------------


def list_deployments(*, project: str | None = None) -> Call[list[DeploymentDetail]]:
    """The deployments of a project."""
    return Call("GET", _in_project(project, "deployments"), list[DeploymentDetail])


def get_deployment(name: str, *, project: str | None = None) -> Call[DeploymentDetail]:
    """One deployment by name."""
    return Call("GET", _in_project(project, "deployments", name), DeploymentDetail)


def find_deployment(name: str, *, project: str | None = None) -> Call[DeploymentDetail | None]:
    """As `get`, but None when there is none."""
    return Call("GET", _in_project(project, "deployments", name), DeploymentDetail, absent=True)


def create_deployment(body: DeploymentCreate, *, project: str | None = None) -> Call[DeploymentDetail]:
    """Make a deployment; it serves once it has a version with instances."""
    return Call("POST", _in_project(project, "deployments"), DeploymentDetail, body=body)


def update_deployment(name: str, body: DeploymentUpdate, *, project: str | None = None) -> Call[DeploymentDetail]:
    """Change the fields that are set in `body`."""
    return Call("PATCH", _in_project(project, "deployments", name), DeploymentDetail, body=body)


def delete_deployment(name: str, *, project: str | None = None) -> Call[None]:
    """Remove a deployment with its versions and instances."""
    return Call("DELETE", _in_project(project, "deployments", name), Nothing)


# -- versions -----------------------------------------------------------------------------------------------


def list_versions(deployment: str, *, project: str | None = None) -> Call[list[VersionDetail]]:
    """The versions of a deployment."""
    return Call("GET", _in_project(project, "deployments", deployment, "versions"), list[VersionDetail])


def get_version(deployment: str, version: str, *, project: str | None = None) -> Call[VersionDetail]:
    """One version by name."""
    return Call("GET", _in_project(project, "deployments", deployment, "versions", version), VersionDetail)


def find_version(deployment: str, version: str, *, project: str | None = None) -> Call[VersionDetail | None]:
    """As `get`, but None when there is none."""
    return Call("GET", _in_project(project, "deployments", deployment, "versions", version), VersionDetail, absent=True)


def create_version(deployment: str, body: VersionCreate, *, project: str | None = None) -> Call[VersionDetail]:
    """Make a version; the first one of a deployment becomes its default."""
    return Call("POST", _in_project(project, "deployments", deployment, "versions"), VersionDetail, body=body)


def update_version(
    deployment: str, version: str, body: VersionUpdate, *, project: str | None = None
) -> Call[VersionDetail]:
    """Change the fields that are set in `body`; a health check takes effect with the next probe."""
    path = _in_project(project, "deployments", deployment, "versions", version)
    return Call("PATCH", path, VersionDetail, body=body)


def delete_version(deployment: str, version: str, *, project: str | None = None) -> Call[None]:
    """Remove a version with its instances."""
    return Call("DELETE", _in_project(project, "deployments", deployment, "versions", version), Nothing)


# -- instances ----------------------------------------------------------------------------------------------


def _instances(project: str | None, deployment: str, version: str, *more: str) -> list[str | None]:
    return _in_project(project, "deployments", deployment, "versions", version, "instances", *more)


def list_instances(
    deployment: str, version: str, *, status: str | None = None, project: str | None = None
) -> Listing[InstancePage, InstanceDetail]:
    """The instances of a version; `status` is a comma list of pending, initialising, running, stopping."""
    path = _instances(project, deployment, version)
    return _cursored(Call("GET", path, InstancePage, query={"limit": PAGE, "status": status}))


def list_project_instances(
    *, status: str | None = None, project: str | None = None
) -> Listing[InstancePage, InstanceDetail]:
    """The instances of all versions in a project."""
    # Upstream's limit is 50 here, unlike in a version.
    return _cursored(
        Call("GET", _in_project(project, "instances"), InstancePage, query={"limit": 50, "status": status})
    )


def get_instance(deployment: str, version: str, id: str, *, project: str | None = None) -> Call[InstanceDetail]:
    """One instance by id."""
    return Call("GET", _instances(project, deployment, version, id), InstanceDetail)


def create_instance(
    deployment: str, version: str, body: InstanceCreate, *, project: str | None = None
) -> Call[InstanceDetail]:
    """Register a running copy. With `lease_seconds` it vanishes unless renewed; see `narthex.client.lease`."""
    return Call("POST", _instances(project, deployment, version), InstanceDetail, body=body)


def stop_instance(deployment: str, version: str, id: str, *, project: str | None = None) -> Call[InstanceDetail]:
    """Drain an instance: no new requests; when those under way are answered it is removed."""
    path = _instances(project, deployment, version, id)
    return Call("PATCH", path, InstanceDetail, body=InstanceUpdate(status="stopped"))


def delete_instance(deployment: str, version: str, id: str, *, project: str | None = None) -> Call[None]:
    """As `stop`; answers at once."""
    return Call("DELETE", _instances(project, deployment, version, id), Nothing)


def renew_instance(
    deployment: str, version: str, id: str, *, note: str = "", project: str | None = None
) -> Call[InstanceDetail]:
    """Renew an instance's lease and say something about it; ApiError 404 when the lease has run out."""
    path = _instances(project, deployment, version, id, "lease")
    return Call("PUT", path, InstanceDetail, body=LeaseRenewal(note=note))


def wait_until_instance_gone(
    deployment: str, version: str, id: str, *, timeout: float = 15.0, project: str | None = None
) -> Wait[InstanceDetail | None]:
    """Return when a drained instance has answered its last request and is removed."""
    return Wait(
        Call("GET", _instances(project, deployment, version, id), InstanceDetail, absent=True),
        lambda instance: instance is None,
        timeout,
        lambda _: f"instance {id} was not drained",
    )


# -- services -----------------------------------------------------------------------------------------------


def list_services(*, project: str | None = None) -> Call[list[ServiceDetail]]:
    """The services of a project."""
    return Call("GET", _in_project(project, "services"), list[ServiceDetail], query={"detail": "true"})


def get_service(name: str, *, project: str | None = None) -> Call[ServiceDetail]:
    """One service by name; `endpoint` is its URL."""
    return Call("GET", _in_project(project, "services", name), ServiceDetail)


def find_service(name: str, *, project: str | None = None) -> Call[ServiceDetail | None]:
    """As `get`, but None when there is none."""
    return Call("GET", _in_project(project, "services", name), ServiceDetail, absent=True)


def create_service(body: ServiceCreate, *, project: str | None = None) -> Call[ServiceDetail]:
    """Expose a deployment. Routers serve it within a moment: see `wait_until_applied`."""
    return Call("POST", _in_project(project, "services"), ServiceDetail, body=body)


def update_service(name: str, body: ServiceUpdate, *, project: str | None = None) -> Call[ServiceDetail]:
    """Change the fields that are set in `body`; a field set to None is cleared."""
    return Call("PATCH", _in_project(project, "services", name), ServiceDetail, body=body)


def delete_service(name: str, *, project: str | None = None) -> Call[None]:
    """Remove a service: its host is unknown from then on."""
    return Call("DELETE", _in_project(project, "services", name), Nothing)


def get_service_status(name: str, *, project: str | None = None) -> Call[ServiceStatus]:
    """Whether a request would be answered now, and by how many instances."""
    return Call("GET", _in_project(project, "services", name, "status"), ServiceStatus)


def get_propagation(name: str, *, project: str | None = None) -> Call[Propagation]:
    """Which router workers serve by the newest state of a service."""
    return Call("GET", _in_project(project, "services", name, "propagation"), Propagation)


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


# -- requests -----------------------------------------------------------------------------------------------


def list_requests(
    service: str,
    *,
    status: str | None = None,
    code: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    page: int = PAGE,
    project: str | None = None,
) -> Listing[RequestPage, RequestRecord]:
    """What was asked of a service, newest first. `status` is a number or a class such as `5xx`."""
    query: dict[str, str | int | None] = {
        "limit": page,
        "offset": 0,
        "status": status,
        "code": code,
        "since": since.isoformat() if since else None,
        "until": until.isoformat() if until else None,
    }
    call = Call("GET", _in_project(project, "services", service, "requests"), RequestPage, query=query)
    return Listing(call, lambda answer: answer.results, _next_offset)


def _next_offset(call: Call[RequestPage], page: RequestPage) -> Call[RequestPage] | None:
    if page.next is None or not page.results:
        return None
    return _with_query(call, "offset", int(call.query["offset"] or 0) + len(page.results))


def _cursored(first: Call[InstancePage]) -> Listing[InstancePage, InstanceDetail]:
    return Listing(first, lambda page: page.results, _next_cursor)


def _next_cursor(call: Call[InstancePage], page: InstancePage) -> Call[InstancePage] | None:
    """The next page. Upstream's `next` is a URL; only its cursor is used, so that no answer can send the token
    elsewhere."""
    if not page.next:
        return None
    cursor = parse_qs(urlsplit(page.next).query).get("cursor", [page.next])[0]
    return _with_query(call, "cursor", cursor)


def _with_query(call: Call[R], key: str, value: str | int) -> Call[R]:
    return replace(call, query={**call.query, key: value})


def events_path(project: str | None) -> list[str | None]:
    """Where the stream of events is."""
    return _in_project(project, "events", "stream")
