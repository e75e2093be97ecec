"""`narthex services`: deployments behind an HTTPS host, and their policy."""

from typing import Annotated

import typer

from narthex.cli import complete, doors
from narthex.cli.fields import Changes, taking
from narthex.cli.options import Force, Json, Project, ServiceName, Timeout, Wait, WaitS
from narthex.cli.output import Column, notice, show_list, show_one, waiting
from narthex.cli.policy import POLICY
from narthex.cli.session import body, connect
from narthex.client.client import Client
from narthex.contracts.api import Propagation, ServiceCreate, ServiceDetail, ServiceUpdate, WorkerApplied
from narthex.contracts.errors import Misconfigured

app = typer.Typer(no_args_is_help=True, help="Services: a deployment behind its own HTTPS host, and its policy.")

NewName = Annotated[str, typer.Argument(metavar="NAME", help="The service's name.")]
Port = Annotated[int | None, typer.Option(help="The port inside the instances, 1025 to 65535.")]
Version = Annotated[str | None, typer.Option("--version", help="Serve this version, not the default one.")]
Deployment = Annotated[str | None, typer.Option(help="The deployment behind it.", autocompletion=complete.deployments)]

COLUMNS: list[Column[ServiceDetail]] = [
    Column("NAME", lambda service: service.name),
    Column("DEPLOYMENT", lambda service: service.deployment, wide=True),
    Column("VERSION", lambda service: service.version or "(default)", wide=True),
    Column("PORT", lambda service: service.port, wide=True),
    Column("AUTH", lambda service: "token" if service.authentication_required else "public", wide=True),
    Column("ENDPOINT", lambda service: service.endpoint or service.id),
]

WORKERS: list[Column[WorkerApplied]] = [
    Column("ROUTER", lambda worker: worker.router),
    Column("WORKER", lambda worker: worker.worker),
    Column("APPLIED", lambda worker: worker.applied_sequence),
    Column("SEEN", lambda worker: worker.seen),
]


@app.command("list")
def list_services(context: typer.Context, project: Project = None, json: Json = False) -> None:
    """The services of a project."""
    with connect(context, project) as api:
        show_list(api.services.list(), COLUMNS, json)


@app.command("get")
def get_service(context: typer.Context, name: ServiceName, project: Project = None, json: Json = False) -> None:
    """One service."""
    with connect(context, project, service=name) as api:
        show_one(api.services.get(name), json)


@app.command("status")
def service_status(context: typer.Context, name: ServiceName, project: Project = None, json: Json = False) -> None:
    """Whether a request would be answered now, and by how many instances."""
    with connect(context, project, service=name) as api:
        show_one(api.services.status(name), json)


@app.command("propagation")
def propagation(context: typer.Context, name: ServiceName, project: Project = None, json: Json = False) -> None:
    """Whether every router worker serves by its newest state."""
    with connect(context, project, service=name) as api:
        answer = api.services.propagation(name)
    if json:
        show_one(answer, json)
        return
    show_list(answer.workers, WORKERS, json)
    notice(_how_far(answer))


@app.command("create")
@taking(POLICY)
def create_service(
    context: typer.Context,
    name: NewName,
    port: Annotated[int, typer.Option(help="The port inside the instances, 1025 to 65535.")],
    changes: Changes,
    deployment: Deployment = None,
    version: Version = None,
    wait: Wait = False,
    timeout: Timeout = 30.0,
    project: Project = None,
    json: Json = False,
) -> None:
    """Expose a deployment."""
    if deployment is None and "imported_name" not in changes:
        raise Misconfigured("--deployment is required, or --imported-name for a service that runs elsewhere")
    kind = "imported" if "imported_name" in changes else None
    wanted = body(ServiceCreate, changes, name=name, deployment=deployment, port=port, version=version, type=kind)
    with connect(context, project, deployment=deployment, version=version) as api:
        made = api.services.create(wanted)
        settle(api, made, wait, timeout)
        show_one(made, json)


@app.command("update")
@taking(POLICY)
def update_service(
    context: typer.Context,
    name: ServiceName,
    changes: Changes,
    new_name: Annotated[str | None, typer.Option(help="Rename it.")] = None,
    deployment: Deployment = None,
    port: Port = None,
    version: Version = None,
    follow_default: Annotated[bool, typer.Option("--follow-default", help="Serve the default version.")] = False,
    if_match: Annotated[str | None, typer.Option(metavar="ETAG", help="Only if it still has this ETag.")] = None,
    wait_s: WaitS = 0.0,
    force: Force = False,
    wait: Wait = False,
    timeout: Timeout = 30.0,
    project: Project = None,
    json: Json = False,
) -> None:
    """Change what is given. What is set to `none` is cleared; labels replace the old ones."""
    if follow_default and version is not None:
        raise Misconfigured("--version and --follow-default exclude each other")
    if follow_default:
        changes["version"] = None
    wanted = body(ServiceUpdate, changes, name=new_name, deployment=deployment, port=port, version=version)
    with connect(context, project, service=name) as api:
        changed = api.services.update(name, wanted, if_match=if_match, wait_s=wait_s, force=force)
        settle(api, changed, wait, timeout)
        show_one(changed, json)


@app.command("delete")
def delete_service(context: typer.Context, name: ServiceName, project: Project = None) -> None:
    """Remove a service: its host is unknown from then on."""
    with connect(context, project, service=name) as api:
        api.services.delete(name)
    notice(f"deleted service {name}")


app.command("share")(doors.share)
app.command("unshare")(doors.unshare)
app.command("client-certificates")(doors.client_certificates)
app.add_typer(doors.basic_users, name="basic-users")


def settle(api: Client, service: ServiceDetail, wait: bool, timeout: float) -> None:
    """With --wait return when every router worker serves by it."""
    if wait:
        with waiting(f"waiting until every router serves {service.name}"):
            api.services.wait_until_applied(service.name, timeout=timeout)


def _how_far(answer: Propagation) -> str:
    behind = sum(worker.applied_sequence < answer.sequence for worker in answer.workers)
    return f"change {answer.sequence} is applied by all" if answer.applied else f"{behind} are behind {answer.sequence}"
