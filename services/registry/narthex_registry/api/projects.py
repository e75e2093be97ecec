"""Projects."""

from aiohttp import web
from aiohttp_pydantic.oas.typing import r200, r201, r204

from narthex.contracts import api
from narthex_registry import projects
from narthex_registry.api.endpoint import endpoint
from narthex_registry.api.needs import Standing
from narthex_registry.api.state import USER, cause, state
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


@endpoint(Standing.SIGNED_IN)
async def create_project(request: web.Request, body: api.ProjectCreate) -> r201[api.ProjectDetail]:
    """Create a project."""
    async with state(request).database.change(cause(request)) as change:
        project = await projects.create(change, body)
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
    """Delete an empty project."""
    async with state(request).database.change(cause(request)) as change:
        await projects.delete(change, await projects.find(change.session, project))


ROUTES = [
    web.get("/projects", list_projects),
    web.post("/projects", create_project),
    web.get("/projects/{project}", get_project),
    web.patch("/projects/{project}", update_project),
    web.delete("/projects/{project}", delete_project),
]
