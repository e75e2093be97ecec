"""`narthex versions`: the versions of a deployment, with their health checks."""

from typing import Annotated

import typer

from narthex.cli.fields import Changes, choice, from_file, pairs, switch, taking, text, whole
from narthex.cli.options import DeploymentName, Json, Project, VersionName
from narthex.cli.output import Column, notice, show_list, show_one
from narthex.cli.session import body, connect
from narthex.contracts.api import VersionCreate, VersionDetail, VersionUpdate
from narthex.contracts.entities import ProbeType
from narthex.contracts.errors import Misconfigured

app = typer.Typer(no_args_is_help=True, help="Versions of a deployment; a version has the health check.")

NewName = Annotated[str, typer.Argument(metavar="VERSION", help="The version's name.")]


FIELDS = (
    text("description", "description", "Free text, 400 characters at most."),
    pairs("label", "labels", "A label; repeatable."),
    choice(
        "request_retention_mode", "request_retention_mode", "What is kept of requests.", ["none", "metadata", "full"]
    ),
    whole("request_retention_time", "request_retention_time", "For how long.", metavar="SECONDS"),
    text("health_path", "health_check.path", "Probe this path; without one a TCP connect counts."),
    whole("health_port", "health_check.port", "Probe this port; default: the instance's."),
    whole("health_interval", "health_check.interval", "Between probes.", metavar="SECONDS"),
    whole("health_timeout", "health_check.timeout", "Of a probe.", metavar="SECONDS"),
    whole("failure_threshold", "health_check.failure_threshold", "Failed probes until unhealthy."),
    whole("success_threshold", "health_check.success_threshold", "Good probes until healthy."),
    choice("health_type", "health_check.type", "Default: http with a path.", [*ProbeType]),
    text("health_grpc_service", "health_check.grpc_service", "Of a gRPC probe; default: the whole server."),
    switch("health_tls", "health_check.tls", "--health-tls/--no-health-tls", "Whether the probe speaks TLS."),
    switch("health_verify", "health_check.tls_verify", "--health-verify/--health-insecure", "Its certificate."),
    from_file("health_ca", "health_check.tls_ca", "The CAs that count, a PEM file; default: the machine's."),
    text("health_tls_name", "health_check.tls_name", "The name in the certificate; default: the address."),
    choice("health_method", "health_check.method", "Of a probe.", ["GET", "HEAD"]),
    pairs("health_header", "health_check.headers", "Sent with each probe; repeatable."),
    text("health_status", "health_check.expected_status", "E.g. 200-399 or 200,204."),
    text("environment", "environment", "Name, or name:tag; as the rest below kept for UbiOps scripts."),
    text("instance_type", "instance_type", "Name."),
    whole("minimum_instances", "minimum_instances", "Number."),
    whole("maximum_instances", "maximum_instances", "Number."),
    whole("maximum_idle_time", "maximum_idle_time", "Until it would be stopped.", metavar="SECONDS"),
)

COLUMNS: list[Column[VersionDetail]] = [
    Column("VERSION", lambda version: version.version),
    Column("ID", lambda version: version.id, wide=True),
    Column("DEFAULT", lambda version: bool(version.default)),
    Column("STATUS", lambda version: version.status),
    Column("HEALTH CHECK", lambda version: _set_only(version.health_check), flexible=True),
    Column("UPDATED", lambda version: version.last_updated),
]


@app.command("list")
def list_versions(
    context: typer.Context, deployment: DeploymentName, project: Project = None, json: Json = False
) -> None:
    """The versions of a deployment."""
    with connect(context, project, deployment=deployment) as api:
        show_list(api.versions.list(deployment), COLUMNS, json)


@app.command("get")
def get_version(
    context: typer.Context,
    deployment: DeploymentName,
    version: VersionName,
    project: Project = None,
    json: Json = False,
) -> None:
    """One version."""
    with connect(context, project, deployment=deployment, version=version) as api:
        show_one(api.versions.get(deployment, version), json)


@app.command("create")
@taking(FIELDS)
def create_version(
    context: typer.Context,
    deployment: DeploymentName,
    version: NewName,
    changes: Changes,
    project: Project = None,
    json: Json = False,
) -> None:
    """Make a version. The first of a deployment becomes its default."""
    wanted = body(VersionCreate, changes, version=version)
    with connect(context, project, deployment=deployment) as api:
        show_one(api.versions.create(deployment, wanted), json)


@app.command("update")
@taking(FIELDS)
def update_version(
    context: typer.Context,
    deployment: DeploymentName,
    version: VersionName,
    changes: Changes,
    new_name: Annotated[str | None, typer.Option(help="Rename it.")] = None,
    no_health_check: Annotated[bool, typer.Option("--no-health-check", help="A TCP connect counts again.")] = False,
    if_match: Annotated[str | None, typer.Option(metavar="ETAG", help="Only if it still has this ETag.")] = None,
    project: Project = None,
    json: Json = False,
) -> None:
    """Change what is given. A health check is replaced as a whole, labels too."""
    if no_health_check and "health_check" in changes:
        raise Misconfigured("--no-health-check and the other health options exclude each other")
    if no_health_check:
        changes["health_check"] = None
    wanted = body(VersionUpdate, changes, version=new_name)
    with connect(context, project, deployment=deployment, version=version) as api:
        show_one(api.versions.update(deployment, version, wanted, if_match=if_match), json)


@app.command("delete")
def delete_version(
    context: typer.Context, deployment: DeploymentName, version: VersionName, project: Project = None
) -> None:
    """Remove a version with its instances."""
    with connect(context, project, deployment=deployment, version=version) as api:
        api.versions.delete(deployment, version)
    notice(f"deleted version {version} of {deployment}")


def _set_only(check: dict[str, object] | None) -> dict[str, object]:
    return {name: value for name, value in (check or {}).items() if value is not None}
