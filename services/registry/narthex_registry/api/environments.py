"""Environments and their tags: names that versions carry, all of them ready."""

from aiohttp import web

from narthex.contracts import api
from narthex_registry import environments
from narthex_registry.api.endpoint import endpoint
from narthex_registry.api.signature import r200
from narthex_registry.api.state import PROJECT_ID, state
from narthex_registry.fields import matches_labels


@endpoint("environments.list")
async def list_environments(
    request: web.Request, project: str, /, labels: str = "", system: bool | None = None
) -> r200[list[api.EnvironmentDetail]]:
    """The environments that are there in every project (`system`), and those that versions of this one name."""
    async with state(request).database.read() as session:
        found = await environments.listed(session, project, request[PROJECT_ID], system=system)
    return [environment for environment in found if matches_labels(environment.labels, labels)]


@endpoint("environments.get")
async def get_environment(request: web.Request, project: str, environment: str, /) -> r200[api.EnvironmentDetail]:
    """One environment."""
    async with state(request).database.read() as session:
        return await environments.find(session, project, request[PROJECT_ID], environment)


@endpoint("environments.get")
async def list_tags(
    request: web.Request, project: str, environment: str, /, supports_request_format: bool | None = None
) -> r200[list[api.EnvironmentTag]]:
    """The tags of an environment; all of them support what is asked."""
    async with state(request).database.read() as session:
        found = await environments.find(session, project, request[PROJECT_ID], environment)
        return await environments.tags(session, found, request[PROJECT_ID])


@endpoint("environments.get")
async def get_tag(request: web.Request, project: str, environment: str, tag: str, /) -> r200[api.EnvironmentTag]:
    """One tag; it is available."""
    async with state(request).database.read() as session:
        found = await environments.find(session, project, request[PROJECT_ID], environment)
        return await environments.find_tag(session, found, request[PROJECT_ID], tag)


ROUTES = [
    web.get("/projects/{project}/environments", list_environments),
    web.get("/projects/{project}/environments/{environment}", get_environment),
    web.get("/projects/{project}/environments/{environment}/tags", list_tags),
    web.get("/projects/{project}/environments/{environment}/tags/{tag}", get_tag),
]
