"""Projects, what is in them, and who."""

from enum import Enum

from aiohttp import web

from narthex.contracts import api
from narthex.contracts.errors import Invalid
from narthex_registry import members, people, projects, resources, service_users
from narthex_registry.api.endpoint import endpoint
from narthex_registry.api.needs import Standing
from narthex_registry.api.signature import r200, r201, r204
from narthex_registry.api.state import PROJECT_ID, USER, cause, state
from narthex_registry.fields import matches_labels


@endpoint(Standing.SIGNED_IN)
async def list_projects(
    request: web.Request, organization: str = "", labels: str = ""
) -> r200[list[api.ProjectDetail]]:
    """The projects that the caller may see, or those of one organization or with a label."""
    async with state(request).database.read() as session:
        found = await projects.listed(session, request[USER])
    return [
        projects.detail(project, owner)
        for project, owner in found
        if organization in ("", owner) and matches_labels(project.labels, labels)
    ]


@endpoint(Standing.PERSON)
async def create_project(request: web.Request, body: api.ProjectCreate) -> r201[api.ProjectDetail]:
    """Create a project in an organization whose admin the caller is."""
    async with state(request).database.change(cause(request)) as change:
        creator = await people.find(change.session, request[USER].id)
        project = await projects.create(change, body, creator)
    return projects.detail(project, body.organization_name)


@endpoint("projects.get")
async def get_project(request: web.Request, project: str, /) -> r200[api.ProjectDetail]:
    """One project."""
    async with state(request).database.read() as session:
        found = await projects.find(session, project)
        return projects.detail(found, await projects.organization_of(session, found))


@endpoint("projects.update")
async def update_project(request: web.Request, project: str, /, body: api.ProjectUpdate) -> r200[api.ProjectDetail]:
    """Change a project."""
    async with state(request).database.change(cause(request)) as change:
        found = await projects.find(change.session, project)
        await projects.update(change, found, body)
        organization = await projects.organization_of(change.session, found)
    return projects.detail(found, organization)


@endpoint("projects.delete")
async def delete_project(request: web.Request, project: str, /) -> r204:
    """Delete a project without deployments; its service users, members and roles go with it."""
    async with state(request).database.change(cause(request)) as change:
        await projects.delete(change, await projects.find(change.session, project))


@endpoint("projects.get")
async def get_resources(request: web.Request, project: str, /) -> r200[api.ResourceUsage]:
    """How much there is in a project."""
    async with state(request).database.read() as session:
        return await resources.usage(session, request[PROJECT_ID])


@endpoint("projects.get")
async def list_quotas(request: web.Request, project: str, /) -> r200[list[api.QuotaDetail]]:
    """How much there may be; null: as much as the machine can hold."""
    return resources.quotas()


@endpoint("projects.users.list")
async def list_members(request: web.Request, project: str, /, user_type: str = "") -> r200[list[api.ProjectUserDetail]]:
    """The people in a project; with `user_type=service_user` its service users."""
    wanted = UserType.parse(user_type)
    async with state(request).database.read() as session:
        found = await members.listed(session, request[PROJECT_ID]) if wanted is not UserType.SERVICE_USER else []
        if wanted is not UserType.USER:
            found += [user for user, _ in await service_users.listed(session, request[PROJECT_ID])]
    return [members.detail(user) for user in found]


@endpoint("projects.users.create")
async def add_member(request: web.Request, project: str, /, body: api.ProjectUserCreate) -> r201[api.ProjectUserDetail]:
    """Let somebody of the organization into a project; they may do nothing before they are given a role."""
    async with state(request).database.change(cause(request)) as change:
        user = await members.add(change, await projects.find(change.session, project), body.user_id)
    return members.detail(user)


@endpoint("projects.users.get")
async def get_member(request: web.Request, project: str, user: str, /) -> r200[api.ProjectUserDetail]:
    """One person in a project."""
    async with state(request).database.read() as session:
        return members.detail((await members.find(session, request[PROJECT_ID], user))[0])


@endpoint("projects.users.delete")
async def remove_member(request: web.Request, project: str, user: str, /) -> r204:
    """Let somebody go, with all their roles in the project."""
    async with state(request).database.change(cause(request)) as change:
        _, member = await members.find(change.session, request[PROJECT_ID], user)
        await members.remove(change, member)


class UserType(Enum):
    """What `user_type` selects."""

    USER = "user"
    SERVICE_USER = "service_user"
    ALL = "all"

    @classmethod
    def parse(cls, text: str) -> "UserType":
        try:
            return cls(text or "user")
        except ValueError:
            raise Invalid(f"user_type: must be one of {', '.join(each.value for each in cls)}") from None


ROUTES = [
    web.get("/projects", list_projects),
    web.post("/projects", create_project),
    web.get("/projects/{project}", get_project),
    web.patch("/projects/{project}", update_project),
    web.delete("/projects/{project}", delete_project),
    web.get("/projects/{project}/resources", get_resources),
    web.get("/projects/{project}/quotas", list_quotas),
    web.get("/projects/{project}/users", list_members),
    web.post("/projects/{project}/users", add_member),
    web.get("/projects/{project}/users/{user}", get_member),
    web.delete("/projects/{project}/users/{user}", remove_member),
]
