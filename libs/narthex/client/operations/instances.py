"""Instances: running copies of a version, what happened to them, and how they are."""

from narthex.client.call import Call, Listing, Wait
from narthex.client.operations.bodies import made
from narthex.client.operations.paging import PAGE, by_cursor
from narthex.client.operations.paths import Nothing, Path, in_project, of_version
from narthex.contracts.api import (
    HealthChange,
    InstanceCreate,
    InstanceDetail,
    InstanceEvent,
    InstanceEventPage,
    InstancePage,
    InstanceUpdate,
    LeaseRenewal,
)


def _path(project: str | None, deployment: str, version: str, *more: str) -> Path:
    return of_version(project, deployment, version, "instances", *more)


def list_instances(
    deployment: str, version: str, *, status: str | None = None, project: str | None = None
) -> Listing[InstancePage, InstanceDetail]:
    """The instances of a version; `status` is a comma list of pending, initialising, running, stopping."""
    query = {"limit": PAGE, "status": status}
    return by_cursor(Call("GET", _path(project, deployment, version), InstancePage, query=query), InstanceDetail)


def list_project_instances(
    *, status: str | None = None, project: str | None = None
) -> Listing[InstancePage, InstanceDetail]:
    """The instances of all versions in a project."""
    # Upstream's limit is 50 here, unlike in a version.
    query = {"limit": 50, "status": status}
    return by_cursor(Call("GET", in_project(project, "instances"), InstancePage, query=query), InstanceDetail)


def get_instance(deployment: str, version: str, id: str, *, project: str | None = None) -> Call[InstanceDetail]:
    """One instance by id."""
    return Call("GET", _path(project, deployment, version, id), InstanceDetail)


def get_project_instance(id: str, *, project: str | None = None) -> Call[InstanceDetail]:
    """One instance by id, of whatever version of the project."""
    return Call("GET", in_project(project, "instances", id), InstanceDetail)


def create_instance(
    deployment: str, version: str, body: InstanceCreate, *, project: str | None = None
) -> Call[InstanceDetail]:
    """Register a running copy. With `lease_seconds` it vanishes unless renewed; see `narthex.client.lease`."""
    return Call("POST", _path(project, deployment, version), InstanceDetail, body=body)


def stop_instance(deployment: str, version: str, id: str, *, project: str | None = None) -> Call[InstanceDetail]:
    """Drain an instance: no new requests; when those under way are answered it is removed."""
    return Call("PATCH", _path(project, deployment, version, id), InstanceDetail, body=InstanceUpdate(status="stopped"))


def stop_project_instance(id: str, *, project: str | None = None) -> Call[InstanceDetail]:
    """As `stop`, of whatever version of the project."""
    path = in_project(project, "instances", id)
    return Call("PATCH", path, InstanceDetail, body=InstanceUpdate(status="stopped"))


def delete_instance(deployment: str, version: str, id: str, *, project: str | None = None) -> Call[None]:
    """As `stop`; answers at once."""
    return Call("DELETE", _path(project, deployment, version, id), Nothing)


def renew_instance(
    deployment: str, version: str, id: str, *, note: str = "", project: str | None = None
) -> Call[InstanceDetail]:
    """Renew an instance's lease and say something about it; ApiError 404 when the lease has run out."""
    return Call(
        "PUT", _path(project, deployment, version, id, "lease"), InstanceDetail, body=made(LeaseRenewal, note=note)
    )


def list_instance_events(
    deployment: str, version: str, id: str, *, project: str | None = None
) -> Listing[InstanceEventPage, InstanceEvent]:
    """What happened to an instance, newest first; known for a while after it is gone."""
    path = _path(project, deployment, version, id, "events")
    return by_cursor(Call("GET", path, InstanceEventPage, query={"limit": PAGE}), InstanceEvent)


def list_health_changes(
    deployment: str, version: str, id: str, *, project: str | None = None
) -> Call[list[HealthChange]]:
    """The last changes of an instance's health, newest first, and what was seen each time."""
    return Call("GET", _path(project, deployment, version, id, "health"), list[HealthChange])


def wait_until_instance_gone(
    deployment: str, version: str, id: str, *, timeout: float = 15.0, project: str | None = None
) -> Wait[InstanceDetail | None]:
    """Return when a drained instance has answered its last request and is removed."""
    return Wait(
        Call("GET", _path(project, deployment, version, id), InstanceDetail, absent=True),
        lambda instance: instance is None,
        timeout,
        lambda _: f"instance {id} was not drained",
    )
