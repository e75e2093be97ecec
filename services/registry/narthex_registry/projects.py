"""Projects."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy import delete as delete_from
from sqlalchemy.ext.asyncio import AsyncSession

from narthex.contracts import api
from narthex.contracts.errors import Conflict, NotFound
from narthex.contracts.events import ProjectCreated, ProjectDeleted, ProjectUpdated
from narthex_registry import access, members, organizations, people, roles, service_users, tables, variables
from narthex_registry.database import Change
from narthex_registry.fields import defaults_of, given

REQUIRED = frozenset({"name"})
DEFAULTS = defaults_of(api.ProjectDetail, ("advanced_permissions", "credits", "labels", "cors_origins", "suspended"))


async def find(session: AsyncSession, name: str) -> tables.Project:
    found = (await session.execute(select(tables.Project).where(tables.Project.name == name))).scalar_one_or_none()
    if found is None:
        raise NotFound(f"there is no project {name}")
    return found


async def listed(session: AsyncSession, user: tables.User) -> Sequence[tuple[tables.Project, str]]:
    """The projects that a user may see, each with the name of its organization."""
    query = select(tables.Project, tables.Organization.name).join(tables.Organization).order_by(tables.Project.name)
    if not user.administrator:
        query = query.where(seen_by(user))
    return [(project, organization) for project, organization in await session.execute(query)]


def seen_by(user: tables.User) -> ColumnElement[bool]:
    """The projects of a service user, of a member, and of an admin of the organization."""
    joined = select(tables.ProjectMember.project_id).where(tables.ProjectMember.user_id == user.id)
    administered = select(tables.OrganizationMember.organization_id).where(
        tables.OrganizationMember.user_id == user.id, tables.OrganizationMember.admin
    )
    return or_(
        tables.Project.id == user.project_id,
        tables.Project.id.in_(joined),
        tables.Project.organization_id.in_(administered),
    )


async def create(change: Change, body: api.ProjectCreate, creator: tables.User) -> tables.Project:
    """A new project, whose creator is its first member and admin."""
    organization = await organizations.for_project_of(change.session, creator, body.organization_name)
    await _name_is_free(change.session, body.name)
    values = DEFAULTS | given(body, required=REQUIRED, defaults=DEFAULTS)
    del values["organization_name"]
    project = tables.Project(organization_id=organization.id, **values)
    change.session.add(project)
    await change.session.flush()
    change.facts.record(ProjectCreated, project)
    await members.welcome(change, project, creator)
    return project


async def update(change: Change, project: tables.Project, body: api.ProjectUpdate) -> None:
    values = given(body, required=REQUIRED, defaults=DEFAULTS)
    if "suspend" in values:
        values["suspended"] = bool(values.pop("suspend"))
    if values.get("name", project.name) != project.name:
        await _name_is_free(change.session, values["name"])
    for name, value in values.items():
        setattr(project, name, value)
    if change.session.is_modified(project):
        change.facts.record(ProjectUpdated, project)


async def delete(change: Change, project: tables.Project) -> None:
    """Only an empty project can be deleted: what is inside goes first, knowingly."""
    for inside, table in (("services", tables.Service), ("deployments", tables.Deployment)):
        query = select(table.name).where(table.project_id == project.id).order_by(table.name).limit(3)
        names = (await change.session.execute(query)).scalars().all()
        if names:
            raise Conflict(f"project {project.name} still has {inside} ({', '.join(names)}); delete them first")
    await _let_everybody_go(change, project)
    await _forget(change, project)
    change.facts.record(ProjectDeleted, project)
    await change.session.delete(project)
    await access.refresh(change, await access.administrators(change.session, project.organization_id))


def detail(project: tables.Project, organization: str) -> api.ProjectDetail:
    return api.ProjectDetail(
        id=project.id,
        name=project.name,
        creation_date=project.created,
        advanced_permissions=project.advanced_permissions,
        credits=project.credits,
        organization_name=organization,
        labels=project.labels,
        suspended=project.suspended,
        cors_origins=project.cors_origins,
    )


async def organization_of(session: AsyncSession, project: tables.Project) -> str:
    return (await session.get_one(tables.Organization, project.organization_id)).name


async def _let_everybody_go(change: Change, project: tables.Project) -> None:
    """Service users end, members lose what they had here, roles go."""
    for user, _ in await service_users.listed(change.session, project.id):
        await people.end(change, user)
    for user in await members.listed(change.session, project.id):
        await members.remove(change, (await members.find(change.session, project.id, user.id))[1])
    await access.withdraw(change, tables.RoleAssignment.project_id == project.id)
    for role in await roles.listed(change.session, project.id):
        if role.row is not None:
            await change.session.delete(role.row)
    await change.session.flush()


async def _forget(change: Change, project: tables.Project) -> None:
    """What a project has set up besides: nobody else's business."""
    query = select(tables.Webhook).where(tables.Webhook.project_id == project.id)
    for webhook in (await change.session.execute(query)).scalars().all():
        await change.session.delete(webhook)
    await variables.remove_all(change, project.id)
    await change.session.flush()
    metrics = select(tables.Metric.id).where(tables.Metric.project_id == project.id)
    for statement in (
        delete_from(tables.WebhookCall).where(tables.WebhookCall.project_id == project.id),
        delete_from(tables.Series).where(tables.Series.metric_id.in_(metrics)),
        delete_from(tables.Metric).where(tables.Metric.project_id == project.id),
    ):
        await change.session.execute(statement)


async def _name_is_free(session: AsyncSession, name: str) -> None:
    if (await session.execute(select(tables.Project.id).where(tables.Project.name == name))).first():
        raise Conflict(f"name: there is already a project {name}")
