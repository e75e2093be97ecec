"""The one instance type and its group: instances run where their owner started them."""

from typing import Annotated

from aiohttp import web
from pydantic import Field

from narthex.contracts import api
from narthex_registry import instance_types, versions
from narthex_registry.api.endpoint import endpoint
from narthex_registry.api.needs import Permission
from narthex_registry.api.signature import r200
from narthex_registry.api.state import GRANTS, PROJECT_ID, state

Limit = Annotated[int, Field(ge=1, le=1000)]
_SEE = Permission("instances.list", somewhere=True)


@endpoint(_SEE)
async def list_types(
    request: web.Request, project: str, /, cursor: str = "", limit: Limit = 50
) -> r200[api.InstanceTypePage]:
    """The one type, which says that Narthex does not know the machine."""
    return api.InstanceTypePage(results=[instance_types.TYPE])


@endpoint(_SEE)
async def list_groups(
    request: web.Request, project: str, /, cursor: str = "", limit: Limit = 50
) -> r200[api.InstanceTypeGroupPage]:
    """The one group, with the one type in it."""
    return api.InstanceTypeGroupPage(results=[instance_types.GROUP])


@endpoint(_SEE)
async def get_group(request: web.Request, project: str, group: str, /) -> r200[api.InstanceTypeGroup]:
    """The group, by its id."""
    return instance_types.find_group(group)


@endpoint(_SEE)
async def list_uses(
    request: web.Request, project: str, group: str, /, cursor: str = "", limit: Limit = 50
) -> r200[api.InstanceTypeGroupUsePage]:
    """The versions whose instances are of the group: all of them. `next` and `previous` are values for `cursor`."""
    found = instance_types.find_group(group)
    async with state(request).database.read() as session:
        page = await versions.of_project(session, request[PROJECT_ID], cursor=cursor, limit=limit)
    results = [
        api.InstanceTypeGroupUse(
            id=version.id,
            deployment=deployment,
            version=version.name,
            instance_type_group_id=found.id,
            instance_type_group_name=found.name,
        )
        for version, deployment in page.rows
        if request[GRANTS].allows("deployments.versions.list", version.deployment_id)
    ]
    return api.InstanceTypeGroupUsePage(next=page.next, previous=page.previous, results=results)


ROUTES = [
    web.get("/projects/{project}/instance-types", list_types),
    web.get("/projects/{project}/instance-type-groups", list_groups),
    web.get("/projects/{project}/instance-type-groups/{group}", get_group),
    web.get("/projects/{project}/instance-type-groups/{group}/usage", list_uses),
]
