"""What can be permitted, and the roles that every project has. Pure.

A permission is `<objects>.<verb>`. The one that the data plane asks for is `CALL`: to create a request on the
deployment version behind a service.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from uuid import UUID, uuid5

CALL = "deployments.versions.requests.create"
PROJECT_ADMIN = "project-admin"  # the role of whoever creates a project

# Verbs by what they are done to. A viewer reads, an editor also makes and changes, an admin also deletes.
_READ = ("list", "get")
_WRITE = ("create", "update")
_DELETE = ("delete",)
_ALL = _READ + _WRITE + _DELETE

_DEPLOYMENT_OBJECTS: dict[str, tuple[str, ...]] = {
    "deployments": _ALL,
    "deployments.versions": _ALL,
    "deployments.versions.requests": _ALL,
    "instances": _ALL,
}
_SERVICE_OBJECTS: dict[str, tuple[str, ...]] = {
    "services": _ALL,
    "services.status": ("get",),
    "services.limits": _ALL,
}
_PROJECT_OBJECTS: dict[str, tuple[str, ...]] = {
    "projects": ("get", "update", "delete"),
    "projects.users": ("list", "get", "create", "delete"),
    "environments": _READ,
    "webhooks": _ALL,
    "metrics": _ALL,
    "audit": ("list",),
    "events": ("list",),
    "logs": ("get",),
}
# What a service user cannot hold: it must not make itself more than it is (UBIOPS_API section 5).
_PEOPLE_OBJECTS: dict[str, tuple[str, ...]] = {
    "service_users": _ALL,
    "roles": _ALL,
    "roles.assignments": ("list", "get", "create", "delete"),
}
_OBJECTS = _PROJECT_OBJECTS | _DEPLOYMENT_OBJECTS | _SERVICE_OBJECTS | _PEOPLE_OBJECTS


def _of(objects: dict[str, tuple[str, ...]], verbs: tuple[str, ...]) -> frozenset[str]:
    return frozenset(f"{name}.{verb}" for name, possible in objects.items() for verb in possible if verb in verbs)


PERMISSIONS: tuple[str, ...] = tuple(sorted(_of(_OBJECTS, _ALL)))
PEOPLE_PERMISSIONS = _of(_PEOPLE_OBJECTS, _ALL) | _of({"projects.users": ("create", "delete")}, _ALL)


@dataclass(frozen=True)
class DefaultRole:
    """A role that exists in every project and cannot be changed."""

    name: str
    permissions: frozenset[str]

    def id_in(self, project_id: str) -> str:
        """The role's id in a project: the same in every process, stored nowhere."""
        return str(uuid5(UUID(project_id), f"role:{self.name}"))


def _default_roles() -> tuple[DefaultRole, ...]:
    roles = []
    for kind, objects in {
        "project": _OBJECTS,
        "deployment": _DEPLOYMENT_OBJECTS,
        "service": _SERVICE_OBJECTS,
    }.items():
        roles.append(DefaultRole(f"{kind}-viewer", _of(objects, _READ)))
        roles.append(DefaultRole(f"{kind}-editor", _of(objects, _READ + _WRITE)))
        roles.append(DefaultRole(f"{kind}-admin", _of(objects, _ALL)))
    call = frozenset({CALL, "deployments.versions.requests.get"})
    # What a client of an application needs, given on a project, a deployment or a service.
    roles.append(DefaultRole("deployment-request-user", call))
    roles.append(DefaultRole("service-request-user", frozenset({CALL, "services.get", "services.status.get"})))
    roles.append(DefaultRole("service-user-project-admin", _of(_OBJECTS, _ALL) - PEOPLE_PERMISSIONS))
    return tuple(roles)


DEFAULT_ROLES: dict[str, DefaultRole] = {role.name: role for role in _default_roles()}


@lru_cache(maxsize=10_000)
def default_roles_in(project_id: str) -> dict[str, DefaultRole]:
    """The default roles of a project by their ids there."""
    return {role.id_in(project_id): role for role in DEFAULT_ROLES.values()}


@dataclass(frozen=True)
class Given:
    """A role given: what it permits, and on what. The resource is a project, a deployment or a service."""

    permissions: frozenset[str]
    resource_type: str
    resource_id: str


@dataclass(frozen=True)
class Grants:
    """What one user may do in one project."""

    everything: bool = False
    member: bool = False  # sees that the project is there
    given: tuple[Given, ...] = ()

    def allows(self, permission: str, *objects: str) -> bool:
        """Whether something is permitted in the whole project, or on one of the objects with these ids."""
        return self.everything or any(
            permission in role.permissions and (role.resource_type == "project" or role.resource_id in objects)
            for role in self.given
        )

    def somewhere(self, permission: str) -> bool:
        """Whether something is permitted on anything at all in the project: enough to ask for a list."""
        return self.everything or any(permission in role.permissions for role in self.given)

    def objects(self, permission: str) -> frozenset[str] | None:
        """The ids of the things on which something is permitted; None: on all of the project's."""
        if self.allows(permission):
            return None
        return frozenset(role.resource_id for role in self.given if permission in role.permissions)

    def lacking(self, permissions: Iterable[str], *objects: str) -> list[str]:
        """Those that are not held on an object, in order: nobody can give what they do not have."""
        return sorted(name for name in set(permissions) if not self.allows(name, *objects))

    @property
    def sees_project(self) -> bool:
        return self.everything or self.member or bool(self.given)


NOTHING = Grants()
EVERYTHING = Grants(everything=True, member=True)


@dataclass(frozen=True)
class CallScope:
    """What a user may call: ids of whole projects, of deployments and of services."""

    projects: tuple[str, ...] = ()
    deployments: tuple[str, ...] = ()
    services: tuple[str, ...] = ()


def callable_by(given: tuple[Given, ...]) -> CallScope:
    """What roles in any projects allow their holder to call."""
    found: dict[str, set[str]] = {"project": set(), "deployment": set(), "service": set()}
    for role in given:
        if CALL in role.permissions:
            found[role.resource_type].add(role.resource_id)
    return CallScope(*(tuple(sorted(found[kind])) for kind in ("project", "deployment", "service")))
