"""The paths of things in a project, and how moments stand in a query."""

from datetime import datetime

from narthex.client.call import CURRENT_PROJECT

Path = list[str | None]
Query = dict[str, str | int | None]
Nothing = type(None)


def in_project(project: str | None, *parts: str) -> Path:
    return ["projects", project if project is not None else CURRENT_PROJECT, *parts]


def of_deployment(project: str | None, deployment: str, *parts: str) -> Path:
    return in_project(project, "deployments", deployment, *parts)


def of_version(project: str | None, deployment: str, version: str, *parts: str) -> Path:
    return of_deployment(project, deployment, "versions", version, *parts)


def of_service(project: str | None, service: str, *parts: str) -> Path:
    return in_project(project, "services", service, *parts)


def moment(time: datetime | None) -> str | None:
    return time.isoformat() if time is not None else None


def flag(value: bool | None) -> str | None:
    return None if value is None else str(value).lower()


def switching(wait_s: float, force: bool) -> Query:
    """How to go over to a version that has no healthy instance: wait for one, or do it all the same."""
    return {"wait_s": str(wait_s) if wait_s else None, "force": flag(force or None)}


def labels(wanted: dict[str, str] | None) -> str | None:
    """`team:blue,tier:1`, as queries have labels."""
    return ",".join(f"{name}:{value}" for name, value in wanted.items()) if wanted else None
