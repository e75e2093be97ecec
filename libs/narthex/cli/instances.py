"""`narthex instances`: running copies of a version, and how they are."""

from itertools import islice
from typing import Annotated

import typer

from narthex.cli import complete
from narthex.cli.options import DeploymentName, Json, Limit, Project, VersionName, parse_labels
from narthex.cli.output import Column, notice, show_list, show_one, waiting
from narthex.cli.session import body, connect
from narthex.contracts.api import HealthChange, InstanceCreate, InstanceDetail, InstanceEvent

app = typer.Typer(no_args_is_help=True, help="Instances: running copies of a version, each at an address.")

Id = Annotated[str, typer.Argument(help="The instance's id.")]


def _where(instance: InstanceDetail) -> str:
    host = f"[{instance.address}]" if ":" in instance.address else instance.address
    return host if instance.port is None else f"{host}:{instance.port}"


def _in_flight(instance: InstanceDetail) -> int | None:
    """What is still under way at a draining one; nobody counts it for the others."""
    return sum(router.in_flight for router in instance.in_flight) if instance.status == "stopping" else None


COLUMNS: list[Column[InstanceDetail]] = [
    Column("ID", lambda instance: instance.id, wide=True),
    Column("ADDRESS", _where),
    Column("STATUS", lambda instance: instance.status, wide=True),
    Column("HEALTH", lambda instance: instance.health),
    Column("IN FLIGHT", _in_flight, wide=True),
    Column("REASON", lambda instance: instance.reason, flexible=True),
    Column("NOTE", lambda instance: instance.note, flexible=True, wide=True),
]

OF_PROJECT: list[Column[InstanceDetail]] = [
    Column("DEPLOYMENT", lambda instance: instance.deployment),
    Column("VERSION", lambda instance: instance.version),
    *COLUMNS,
]


EVENTS: list[Column[InstanceEvent]] = [
    Column("TIME", lambda event: event.time_created),
    Column("TYPE", lambda event: event.type),
    Column("WHAT", lambda event: event.description, flexible=True),
]

HEALTH: list[Column[HealthChange]] = [
    Column("TIME", lambda change: change.time),
    Column("BEFORE", lambda change: change.before),
    Column("HEALTH", lambda change: change.health),
    Column("REASON", lambda change: change.reason, flexible=True),
    Column("EVIDENCE", lambda change: change.evidence, flexible=True),
]


@app.command("list")
def list_instances(
    context: typer.Context,
    deployment: Annotated[str | None, typer.Argument(autocompletion=complete.deployments)] = None,
    version: Annotated[str | None, typer.Argument(autocompletion=complete.versions)] = None,
    status: Annotated[str | None, typer.Option(help="Only these: pending,initialising,running,stopping.")] = None,
    project: Project = None,
    json: Json = False,
) -> None:
    """The instances of a version, of a deployment, or of the whole project."""
    with connect(context, project, deployment=deployment, version=version) as api:
        if deployment is not None and version is not None:
            show_list(api.instances.list(deployment, version, status=status), COLUMNS, json)
            return
        if deployment is not None:
            api.deployments.get(deployment)  # an unknown one is an error, not an empty list
        found = api.instances.list_project(status=status)
        show_list((i for i in found if deployment in (None, i.deployment)), OF_PROJECT, json)


@app.command("get")
def get_instance(
    context: typer.Context,
    deployment: DeploymentName,
    version: VersionName,
    id: Id,
    project: Project = None,
    json: Json = False,
) -> None:
    """One instance."""
    with connect(context, project, deployment=deployment, version=version) as api:
        show_one(api.instances.get(deployment, version, id), json)


@app.command("create")
def create_instance(
    context: typer.Context,
    deployment: DeploymentName,
    version: VersionName,
    address: Annotated[str, typer.Option(help="IP address or DNS name where it listens.")],
    port: Annotated[int | None, typer.Option(help="Default: the port of the service that is called.")] = None,
    weight: Annotated[int | None, typer.Option(help="Its share of requests, relative to the others'.")] = None,
    lease: Annotated[int | None, typer.Option(metavar="SECONDS", help="It vanishes unless renewed.")] = None,
    metadata: Annotated[list[str] | None, typer.Option("--metadata", metavar="KEY=VALUE")] = None,
    identity: Annotated[
        str | None,
        typer.Option(help="What its health answers carry in x-narthex-instance: no other one is sent requests."),
    ] = None,
    project: Project = None,
    json: Json = False,
) -> None:
    """Register a running copy."""
    wanted = body(
        InstanceCreate,
        address=address,
        port=port,
        weight=weight,
        lease_seconds=lease,
        metadata=parse_labels(metadata, "--metadata"),
        identity=identity,
    )
    with connect(context, project, deployment=deployment, version=version) as api:
        show_one(api.instances.create(deployment, version, wanted), json)


@app.command("update")
def update_instance(
    context: typer.Context,
    deployment: DeploymentName,
    version: VersionName,
    id: Id,
    note: Annotated[str, typer.Option(help="Renew its lease and say this about it.")],
    project: Project = None,
    json: Json = False,
) -> None:
    """Renew an instance's lease with a note that `instances list` shows."""
    with connect(context, project, deployment=deployment, version=version) as api:
        show_one(api.instances.renew(deployment, version, id, note=note), json)


@app.command("delete")
def delete_instance(
    context: typer.Context,
    deployment: DeploymentName,
    version: VersionName,
    id: Id,
    wait: Annotated[bool, typer.Option("--wait", help="Return only when its last request is answered.")] = False,
    timeout: Annotated[float, typer.Option(metavar="SECONDS", min=0.0)] = 30.0,
    project: Project = None,
) -> None:
    """Drain an instance: no new requests; it is removed when those under way are answered."""
    with connect(context, project, deployment=deployment, version=version) as api:
        api.instances.delete(deployment, version, id)
        if wait:
            with waiting("waiting until its last request is answered"):
                api.instances.wait_until_gone(deployment, version, id, timeout=timeout)
    notice(f"{'deleted' if wait else 'draining'} instance {id}")


@app.command("events")
def list_events(
    context: typer.Context,
    deployment: DeploymentName,
    version: VersionName,
    id: Id,
    limit: Limit = 50,
    project: Project = None,
    json: Json = False,
) -> None:
    """What happened to an instance, newest first; also for a while after it is gone."""
    with connect(context, project, deployment=deployment, version=version) as api:
        show_list(islice(api.instances.events(deployment, version, id), limit), EVENTS, json)


@app.command("health")
def list_health_changes(
    context: typer.Context,
    deployment: DeploymentName,
    version: VersionName,
    id: Id,
    project: Project = None,
    json: Json = False,
) -> None:
    """The last changes of its health, newest first, and what was seen each time."""
    with connect(context, project, deployment=deployment, version=version) as api:
        show_list(api.instances.health(deployment, version, id), HEALTH, json)
