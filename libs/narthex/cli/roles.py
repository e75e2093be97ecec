"""`narthex roles`: what may be done, by whom, on what."""

from typing import Annotated

import typer

from narthex.cli import complete, people
from narthex.cli.options import Json, Project
from narthex.cli.output import Column, notice, show_list, show_one
from narthex.cli.session import body, connect
from narthex.client.client import Client
from narthex.contracts.api import (
    PermissionDetail,
    RoleAssignmentCreate,
    RoleAssignmentDetail,
    RoleBrief,
    RoleCreate,
    RoleUpdate,
)
from narthex.contracts.errors import Misconfigured, NotFound

app = typer.Typer(no_args_is_help=True, help="Roles: what may be done, given to people and service users.")

Name = Annotated[str, typer.Argument(help="The role's name.", autocompletion=complete.roles)]
User = Annotated[str, typer.Argument(help="E-mail address, name of a service user, or id.")]
Allowed = Annotated[
    list[str] | None,
    typer.Option("--permission", help="E.g. services.get; repeatable; see `roles permissions`."),
]
On = Annotated[str | None, typer.Option(metavar="deployment:NAME|service:NAME", help="On what; default: the project.")]

COLUMNS: list[Column[RoleBrief]] = [
    Column("NAME", lambda role: role.name),
    Column("ID", lambda role: role.id, wide=True),
    Column("DEFAULT", lambda role: role.default),
]

PERMISSIONS: list[Column[PermissionDetail]] = [Column("PERMISSION", lambda permission: permission.name)]


def resource_of(text: str | None) -> dict[str, str]:
    """The fields that `service:web` stands for."""
    if text is None:
        return {}
    kind, _, name = text.partition(":")
    if kind not in ("deployment", "service") or not name:
        raise Misconfigured(f"--on {text!r} must look like deployment:NAME or service:NAME")
    return {"resource": name, "resource_type": kind}


@app.command("list")
def list_roles(context: typer.Context, project: Project = None, json: Json = False) -> None:
    """The roles of a project; default ones are the same in every project."""
    with connect(context, project) as api:
        show_list(api.roles.list(), COLUMNS, json)


@app.command("get")
def get_role(context: typer.Context, name: Name, project: Project = None, json: Json = False) -> None:
    """One role with its permissions."""
    with connect(context, project) as api:
        show_one(api.roles.get(name), json)


@app.command("create")
def create_role(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="The role's name.")],
    permission: Allowed = None,
    project: Project = None,
    json: Json = False,
) -> None:
    """Make a role of permissions that you have yourself."""
    if not permission:
        raise Misconfigured("give at least one --permission; `narthex roles permissions` lists them")
    with connect(context, project) as api:
        show_one(api.roles.create(body(RoleCreate, name=name, permissions=permission)), json)


@app.command("update")
def update_role(
    context: typer.Context,
    name: Name,
    new_name: Annotated[str | None, typer.Option(help="Rename it.")] = None,
    permission: Allowed = None,
    project: Project = None,
    json: Json = False,
) -> None:
    """Change a role for everybody who has it; permissions replace the old ones."""
    wanted = body(RoleUpdate, name=new_name, permissions=permission or None)
    with connect(context, project) as api:
        show_one(api.roles.update(name, wanted), json)


@app.command("delete")
def delete_role(context: typer.Context, name: Name, project: Project = None) -> None:
    """Delete a role, and take it from everybody who has it."""
    with connect(context, project) as api:
        api.roles.delete(name)
    notice(f"deleted role {name}")


@app.command("permissions")
def list_permissions(context: typer.Context, json: Json = False) -> None:
    """Everything that a role can permit."""
    with connect(context) as api:
        show_list(api.installation.permissions(), PERMISSIONS, json)


@app.command("assignments")
def list_assignments(
    context: typer.Context,
    user: Annotated[str | None, typer.Option(help="Only those of this person or service user.")] = None,
    on: On = None,
    project: Project = None,
    json: Json = False,
) -> None:
    """Who has which role on what."""
    resource = resource_of(on)
    with connect(context, project) as api:
        known = {each.id: each.email for each in api.members.list(user_type="all")}
        assignee = people.member_id(api, user) if user is not None else None
        columns: list[Column[RoleAssignmentDetail]] = [
            Column("ID", lambda given: given.id, wide=True),
            Column("WHO", lambda given: known.get(given.assignee, given.assignee), flexible=True),
            Column("ROLE", lambda given: given.role),
            Column("ON", lambda given: f"{given.resource_type} {given.resource}", flexible=True),
        ]
        show_list(api.assignments.list(assignee=assignee, **resource), columns, json)


@app.command("assign")
def assign(
    context: typer.Context, role: Name, user: User, on: On = None, project: Project = None, json: Json = False
) -> None:
    """Give somebody of the project a role."""
    resource = resource_of(on)
    with connect(context, project) as api:
        id = people.member_id(api, user)
        wanted = body(RoleAssignmentCreate, resource, role=role, assignee=id, assignee_type="user")
        show_one(api.assignments.create(wanted), json)


@app.command("unassign")
def unassign(context: typer.Context, role: Name, user: User, on: On = None, project: Project = None) -> None:
    """Take a role back."""
    resource = resource_of(on)
    with connect(context, project) as api:
        given = _given(api, role, people.member_id(api, user), resource)
        api.assignments.delete(given.id)
    notice(f"took {role} on {given.resource_type} {given.resource} from {user}")


def _given(api: Client, role: str, user_id: str, resource: dict[str, str]) -> RoleAssignmentDetail:
    kind = resource.get("resource_type", "project")
    for given in api.assignments.list(assignee=user_id, resource_type=kind, resource=resource.get("resource")):
        if given.role == role:
            return given
    where = f"{kind} {resource['resource']}" if resource else "the project"
    raise NotFound(f"the role {role} is not given to them on {where}; `narthex roles assignments` lists what is")
