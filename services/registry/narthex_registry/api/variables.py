"""Environment variables of projects, deployments and versions."""

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncSession

from narthex.contracts import api
from narthex_registry import deployments, projects, variables, versions
from narthex_registry.api.endpoint import endpoint
from narthex_registry.api.signature import r200, r201, r204
from narthex_registry.api.state import cause, state
from narthex_registry.variables import Owner


@endpoint("projects.get")
async def list_project_variables(request: web.Request, project: str, /) -> r200[list[api.EnvironmentVariable]]:
    """The variables of a project."""
    return await _list(request)


@endpoint("projects.update")
async def create_project_variable(
    request: web.Request, project: str, /, body: api.EnvironmentVariableCreate
) -> r201[api.EnvironmentVariable]:
    """A new variable of a project."""
    return await _create(request, body)


@endpoint("projects.get")
async def get_project_variable(request: web.Request, project: str, id: str, /) -> r200[api.EnvironmentVariable]:
    """One variable of a project."""
    return await _get(request)


@endpoint("projects.update")
async def update_project_variable(
    request: web.Request, project: str, id: str, /, body: api.EnvironmentVariableCreate
) -> r200[api.EnvironmentVariable]:
    """Set a variable of a project anew."""
    return await _update(request, body)


@endpoint("projects.update")
async def delete_project_variable(request: web.Request, project: str, id: str, /) -> r204:
    """Delete a variable of a project."""
    await _delete(request)


@endpoint("deployments.get")
async def list_deployment_variables(
    request: web.Request, project: str, deployment: str, /
) -> r200[list[api.EnvironmentVariable]]:
    """The variables of a deployment, with those that it inherits."""
    return await _list(request)


@endpoint("deployments.update")
async def create_deployment_variable(
    request: web.Request, project: str, deployment: str, /, body: api.EnvironmentVariableCreate
) -> r201[api.EnvironmentVariable]:
    """A new variable of a deployment."""
    return await _create(request, body)


@endpoint("deployments.get")
async def get_deployment_variable(
    request: web.Request, project: str, deployment: str, id: str, /
) -> r200[api.EnvironmentVariable]:
    """One variable of a deployment."""
    return await _get(request)


@endpoint("deployments.update")
async def update_deployment_variable(
    request: web.Request, project: str, deployment: str, id: str, /, body: api.EnvironmentVariableCreate
) -> r200[api.EnvironmentVariable]:
    """Set a variable of a deployment anew."""
    return await _update(request, body)


@endpoint("deployments.update")
async def delete_deployment_variable(request: web.Request, project: str, deployment: str, id: str, /) -> r204:
    """Delete a variable of a deployment."""
    await _delete(request)


@endpoint("deployments.update")
async def copy_deployment_variables(
    request: web.Request, project: str, deployment: str, /, body: api.EnvironmentVariableCopy
) -> r200[list[api.EnvironmentVariable]]:
    """Give a deployment the variables of another deployment or version."""
    return await _copy(request, body)


@endpoint("deployments.versions.get")
async def list_version_variables(
    request: web.Request, project: str, deployment: str, version: str, /
) -> r200[list[api.EnvironmentVariable]]:
    """The variables of a version, with those that it inherits."""
    return await _list(request)


@endpoint("deployments.versions.update")
async def create_version_variable(
    request: web.Request, project: str, deployment: str, version: str, /, body: api.EnvironmentVariableCreate
) -> r201[api.EnvironmentVariable]:
    """A new variable of a version."""
    return await _create(request, body)


@endpoint("deployments.versions.get")
async def get_version_variable(
    request: web.Request, project: str, deployment: str, version: str, id: str, /
) -> r200[api.EnvironmentVariable]:
    """One variable of a version."""
    return await _get(request)


@endpoint("deployments.versions.update")
async def update_version_variable(
    request: web.Request, project: str, deployment: str, version: str, id: str, /, body: api.EnvironmentVariableCreate
) -> r200[api.EnvironmentVariable]:
    """Set a variable of a version anew."""
    return await _update(request, body)


@endpoint("deployments.versions.update")
async def delete_version_variable(
    request: web.Request, project: str, deployment: str, version: str, id: str, /
) -> r204:
    """Delete a variable of a version."""
    await _delete(request)


@endpoint("deployments.versions.update")
async def copy_version_variables(
    request: web.Request, project: str, deployment: str, version: str, /, body: api.EnvironmentVariableCopy
) -> r200[list[api.EnvironmentVariable]]:
    """Give a version the variables of another deployment or version."""
    return await _copy(request, body)


async def _list(request: web.Request) -> list[api.EnvironmentVariable]:
    async with state(request).database.read() as session:
        return await variables.inherited(session, await _owners(session, request))


async def _create(request: web.Request, body: api.EnvironmentVariableCreate) -> api.EnvironmentVariable:
    registry = state(request)
    async with registry.database.change(cause(request)) as change:
        owner = (await _owners(change.session, request))[0]
        return variables.shown(await variables.create(change, owner, body, registry.keys.sealer))


async def _get(request: web.Request) -> api.EnvironmentVariable:
    async with state(request).database.read() as session:
        owner = (await _owners(session, request))[0]
        return variables.shown(await variables.find(session, owner, request.match_info["id"]))


async def _update(request: web.Request, body: api.EnvironmentVariableCreate) -> api.EnvironmentVariable:
    registry = state(request)
    async with registry.database.change(cause(request)) as change:
        owner = (await _owners(change.session, request))[0]
        row = await variables.find(change.session, owner, request.match_info["id"])
        await variables.update(change, owner, row, body, registry.keys.sealer)
        return variables.shown(row)


async def _delete(request: web.Request) -> None:
    async with state(request).database.change(cause(request)) as change:
        owner = (await _owners(change.session, request))[0]
        await change.session.delete(await variables.find(change.session, owner, request.match_info["id"]))


async def _copy(request: web.Request, body: api.EnvironmentVariableCopy) -> list[api.EnvironmentVariable]:
    registry = state(request)
    async with registry.database.change(cause(request)) as change:
        owners = await _owners(change.session, request)
        project = await projects.find(change.session, request.match_info["project"])
        deployment = await deployments.named_in_body(
            change.session, project.id, body.source_deployment, "source_deployment"
        )
        version = None
        if body.source_version is not None:
            version = await versions.named_in_body(change.session, deployment, body.source_version, "source_version")
        source = variables.owners_of(project, deployment, version)[0]
        rows = await variables.copy(change, source, owners[0], registry.keys.sealer)
        return [variables.shown(row) for row in rows]


async def _owners(session: AsyncSession, request: web.Request) -> list[Owner]:
    """What the path names, and what that inherits from."""
    path = request.match_info
    project = await projects.find(session, path["project"])
    if "deployment" not in path:
        return variables.owners_of(project)
    deployment = await deployments.find(session, project.id, path["deployment"])
    version = await versions.find(session, deployment, path["version"]) if "version" in path else None
    return variables.owners_of(project, deployment, version)


_PROJECT = "/projects/{project}"
_DEPLOYMENT = _PROJECT + "/deployments/{deployment}"
_VERSION = _DEPLOYMENT + "/versions/{version}"

ROUTES = [
    web.get(_PROJECT + "/environment-variables", list_project_variables),
    web.post(_PROJECT + "/environment-variables", create_project_variable),
    web.get(_PROJECT + "/environment-variables/{id}", get_project_variable),
    web.patch(_PROJECT + "/environment-variables/{id}", update_project_variable),
    web.delete(_PROJECT + "/environment-variables/{id}", delete_project_variable),
    web.get(_DEPLOYMENT + "/environment-variables", list_deployment_variables),
    web.post(_DEPLOYMENT + "/environment-variables", create_deployment_variable),
    web.get(_DEPLOYMENT + "/environment-variables/{id}", get_deployment_variable),
    web.patch(_DEPLOYMENT + "/environment-variables/{id}", update_deployment_variable),
    web.delete(_DEPLOYMENT + "/environment-variables/{id}", delete_deployment_variable),
    web.post(_DEPLOYMENT + "/copy-environment-variables", copy_deployment_variables),
    web.get(_VERSION + "/environment-variables", list_version_variables),
    web.post(_VERSION + "/environment-variables", create_version_variable),
    web.get(
        _VERSION + "/environment-variables/{id}",
        get_version_variable,
    ),
    web.patch(
        _VERSION + "/environment-variables/{id}",
        update_version_variable,
    ),
    web.delete(
        _VERSION + "/environment-variables/{id}",
        delete_version_variable,
    ),
    web.post(
        _VERSION + "/copy-environment-variables",
        copy_version_variables,
    ),
]
