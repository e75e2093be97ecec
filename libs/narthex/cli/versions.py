"""`narthex versions`: the versions of a deployment, with their health checks."""

from typing import Annotated

import typer

from narthex.cli.options import Description, Json, Labels, Project, parse_labels
from narthex.cli.output import Column, notice, show_list, show_one
from narthex.cli.session import body, connect
from narthex.contracts.api import HealthCheckBody, VersionCreate, VersionDetail, VersionUpdate
from narthex.contracts.errors import Misconfigured

app = typer.Typer(no_args_is_help=True, help="Versions of a deployment; a version has the health check.")

Deployment = Annotated[str, typer.Argument(help="The deployment's name.")]
Version = Annotated[str, typer.Argument(help="The version's name.")]
HealthPath = Annotated[str | None, typer.Option(help="Probe this path; without one a TCP connect counts.")]
HealthPort = Annotated[int | None, typer.Option(help="Probe this port; default: the instance's.")]
Interval = Annotated[int | None, typer.Option("--health-interval", metavar="SECONDS", help="Between probes.")]
ProbeTimeout = Annotated[int | None, typer.Option("--health-timeout", metavar="SECONDS", help="Of a probe.")]
Failures = Annotated[int | None, typer.Option(help="Failed probes in a row until unhealthy.")]
Successes = Annotated[int | None, typer.Option(help="Good probes in a row until healthy.")]

COLUMNS: list[Column[VersionDetail]] = [
    Column("VERSION", lambda version: version.version),
    Column("ID", lambda version: version.id),
    Column("DEFAULT", lambda version: bool(version.default)),
    Column("STATUS", lambda version: version.status),
    Column("HEALTH CHECK", lambda version: _set_only(version.health_check), flexible=True),
    Column("UPDATED", lambda version: version.last_updated),
]


@app.command("list")
def list_versions(context: typer.Context, deployment: Deployment, project: Project = None, json: Json = False) -> None:
    """The versions of a deployment."""
    with connect(context, project, deployment=deployment) as api:
        show_list(api.versions.list(deployment), COLUMNS, json)


@app.command("get")
def get_version(
    context: typer.Context, deployment: Deployment, version: Version, project: Project = None, json: Json = False
) -> None:
    """One version."""
    with connect(context, project, deployment=deployment, version=version) as api:
        show_one(api.versions.get(deployment, version), json)


@app.command("create")
def create_version(
    context: typer.Context,
    deployment: Deployment,
    version: Version,
    health_path: HealthPath = None,
    health_port: HealthPort = None,
    health_interval: Interval = None,
    health_timeout: ProbeTimeout = None,
    failure_threshold: Failures = None,
    success_threshold: Successes = None,
    description: Description = None,
    label: Labels = None,
    project: Project = None,
    json: Json = False,
) -> None:
    """Make a version. The first of a deployment becomes its default."""
    check = health_check(
        health_path, health_port, health_interval, health_timeout, failure_threshold, success_threshold
    )
    wanted = body(
        VersionCreate, version=version, health_check=check, description=description, labels=parse_labels(label)
    )
    with connect(context, project, deployment=deployment) as api:
        show_one(api.versions.create(deployment, wanted), json)


@app.command("update")
def update_version(
    context: typer.Context,
    deployment: Deployment,
    version: Version,
    new_name: Annotated[str | None, typer.Option(help="Rename it.")] = None,
    health_path: HealthPath = None,
    health_port: HealthPort = None,
    health_interval: Interval = None,
    health_timeout: ProbeTimeout = None,
    failure_threshold: Failures = None,
    success_threshold: Successes = None,
    no_health_check: Annotated[bool, typer.Option("--no-health-check", help="A TCP connect counts again.")] = False,
    description: Description = None,
    label: Labels = None,
    project: Project = None,
    json: Json = False,
) -> None:
    """Change what is given. A health check is replaced as a whole, labels too."""
    check = health_check(
        health_path, health_port, health_interval, health_timeout, failure_threshold, success_threshold
    )
    if check is not None and no_health_check:
        raise Misconfigured("--no-health-check and the other health options exclude each other")
    wanted = body(
        VersionUpdate, version=new_name, health_check=check, description=description, labels=parse_labels(label)
    )
    if no_health_check:
        wanted = VersionUpdate.model_validate({**wanted.model_dump(exclude_unset=True), "health_check": None})
    with connect(context, project, deployment=deployment, version=version) as api:
        show_one(api.versions.update(deployment, version, wanted), json)


@app.command("delete")
def delete_version(context: typer.Context, deployment: Deployment, version: Version, project: Project = None) -> None:
    """Remove a version with its instances."""
    with connect(context, project, deployment=deployment, version=version) as api:
        api.versions.delete(deployment, version)
    notice(f"deleted version {version} of {deployment}")


def health_check(
    path: str | None,
    port: int | None,
    interval: int | None,
    timeout: int | None,
    failure_threshold: int | None,
    success_threshold: int | None,
) -> HealthCheckBody | None:
    """The health check that the options describe; None when none of them is given."""
    check = body(
        HealthCheckBody,
        path=path,
        port=port,
        interval=interval,
        timeout=timeout,
        failure_threshold=failure_threshold,
        success_threshold=success_threshold,
    )
    return check if check.model_fields_set else None


def _set_only(check: dict[str, object] | None) -> dict[str, object]:
    return {name: value for name, value in (check or {}).items() if value is not None}
