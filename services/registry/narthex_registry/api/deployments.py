"""Deployments and their versions."""

from aiohttp import web

from narthex.contracts import api
from narthex_registry import deployments, switching, versions
from narthex_registry.api.endpoint import endpoint
from narthex_registry.api.moments import WaitS
from narthex_registry.api.needs import Permission
from narthex_registry.api.preconditions import about
from narthex_registry.api.signature import r200, r201, r204
from narthex_registry.api.state import GRANTS, PROJECT_ID, cause, state
from narthex_registry.fields import matches_labels


@endpoint(Permission("deployments.list", somewhere=True))
async def list_deployments(
    request: web.Request, project: str, /, labels: str = "", supports_request_format: bool | None = None
) -> r200[list[api.DeploymentDetail]]:
    """The deployments of a project."""
    async with state(request).database.read() as session:
        found = await deployments.listed(session, request[PROJECT_ID])
    return [
        deployments.detail(deployment, project, default)
        for deployment, default in found
        if matches_labels(deployment.labels, labels)
        and request[GRANTS].allows("deployments.list", deployment.id)
        and supports_request_format in (None, deployment.supports_request_format)
    ]


@endpoint("deployments.create")
async def create_deployment(
    request: web.Request, project: str, /, body: api.DeploymentCreate
) -> r201[api.DeploymentDetail]:
    """Create a deployment."""
    async with state(request).database.change(cause(request)) as change:
        deployment = await deployments.create(change, request[PROJECT_ID], body)
    about(request, deployment)
    return deployments.detail(deployment, project, None)


@endpoint("deployments.get")
async def get_deployment(request: web.Request, project: str, deployment: str, /) -> r200[api.DeploymentDetail]:
    """One deployment."""
    async with state(request).database.read() as session:
        found = await deployments.find(session, request[PROJECT_ID], deployment)
        about(request, found)
        return deployments.detail(found, project, await deployments.default_version_name(session, found))


@endpoint("deployments.update")
async def update_deployment(
    request: web.Request,
    project: str,
    deployment: str,
    /,
    body: api.DeploymentUpdate,
    force: bool = False,
    wait_s: WaitS = 0.0,
) -> r200[api.DeploymentDetail]:
    """Change a deployment, or which of its versions is the default. A default without healthy instances is not taken
    over to from one that has some: `wait_s` waits for them, `force` goes on without."""

    async def update() -> api.DeploymentDetail:
        async with state(request).database.change(cause(request)) as change:
            found = await deployments.find(change.session, request[PROJECT_ID], deployment)
            about(request, found)
            await deployments.update(change, found, body, force=force)
            default = await deployments.default_version_name(change.session, found)
        return deployments.detail(found, project, default)

    return await switching.waiting(update, wait_s)


@endpoint("deployments.delete")
async def delete_deployment(request: web.Request, project: str, deployment: str, /) -> r204:
    """Delete a deployment with its versions and instances; refused while a service refers to it."""
    async with state(request).database.change(cause(request)) as change:
        found = await deployments.find(change.session, request[PROJECT_ID], deployment)
        about(request, found)
        await deployments.delete(change, found)


@endpoint("deployments.versions.list")
async def list_versions(
    request: web.Request, project: str, deployment: str, /, labels: str = ""
) -> r200[list[api.VersionDetail]]:
    """The versions of a deployment."""
    async with state(request).database.read() as session:
        found = await deployments.find(session, request[PROJECT_ID], deployment)
        rows = await versions.listed(session, found)
    return [versions.detail(row, found) for row in rows if matches_labels(row.labels, labels)]


@endpoint("deployments.versions.create")
async def create_version(
    request: web.Request, project: str, deployment: str, /, body: api.VersionCreate
) -> r201[api.VersionDetail]:
    """Create a version; the first one becomes the default."""
    async with state(request).database.change(cause(request)) as change:
        found = await deployments.find(change.session, request[PROJECT_ID], deployment)
        version = await versions.create(change, found, body)
    about(request, version)
    return versions.detail(version, found)


@endpoint("deployments.versions.get")
async def get_version(request: web.Request, project: str, deployment: str, version: str, /) -> r200[api.VersionDetail]:
    """One version."""
    async with state(request).database.read() as session:
        found, row = await versions.find_with_deployment(session, request[PROJECT_ID], deployment, version)
    about(request, row)
    return versions.detail(row, found)


@endpoint("deployments.versions.update")
async def update_version(
    request: web.Request, project: str, deployment: str, version: str, /, body: api.VersionUpdate
) -> r200[api.VersionDetail]:
    """Change a version, its health check among the rest."""
    async with state(request).database.change(cause(request)) as change:
        found, row = await versions.find_with_deployment(change.session, request[PROJECT_ID], deployment, version)
        about(request, row)
        await versions.update(change, found, row, body)
    return versions.detail(row, found)


@endpoint("deployments.versions.delete")
async def delete_version(request: web.Request, project: str, deployment: str, version: str, /) -> r204:
    """Delete a version with its instances; refused while it is a default with others beside it, or in use."""
    async with state(request).database.change(cause(request)) as change:
        found, row = await versions.find_with_deployment(change.session, request[PROJECT_ID], deployment, version)
        about(request, row)
        await versions.delete(change, found, row)


ROUTES = [
    web.get("/projects/{project}/deployments", list_deployments),
    web.post("/projects/{project}/deployments", create_deployment),
    web.get("/projects/{project}/deployments/{deployment}", get_deployment),
    web.patch("/projects/{project}/deployments/{deployment}", update_deployment),
    web.delete("/projects/{project}/deployments/{deployment}", delete_deployment),
    web.get("/projects/{project}/deployments/{deployment}/versions", list_versions),
    web.post("/projects/{project}/deployments/{deployment}/versions", create_version),
    web.get("/projects/{project}/deployments/{deployment}/versions/{version}", get_version),
    web.patch("/projects/{project}/deployments/{deployment}/versions/{version}", update_version),
    web.delete("/projects/{project}/deployments/{deployment}/versions/{version}", delete_version),
]
