"""Rollouts: a service goes over from one version to another in steps, and back when that goes wrong."""

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncSession

from narthex.contracts import api
from narthex_registry import rollouts, services, switching, tables
from narthex_registry.api.endpoint import endpoint
from narthex_registry.api.moments import WaitS
from narthex_registry.api.signature import r200, r201
from narthex_registry.api.state import PROJECT_ID, cause, state

_ROLLOUTS = "/projects/{project}/services/{service}/rollouts"


@endpoint("services.get")
async def list_rollouts(request: web.Request, project: str, service: str, /) -> r200[list[api.RolloutDetail]]:
    """The rollouts of a service, newest first."""
    async with state(request).database.read() as session:
        found = await services.find(session, request[PROJECT_ID], service)
        return [rollouts.detail(found, rollout) for rollout in await rollouts.listed(session, found)]


@endpoint("services.update")
async def create_rollout(
    request: web.Request,
    project: str,
    service: str,
    /,
    body: api.RolloutCreate,
    force: bool = False,
    wait_s: WaitS = 0.0,
) -> r201[api.RolloutDetail]:
    """Begin to go over to another version. It must have a healthy instance, as with a change of the service's version:
    `wait_s` waits for one, `force` goes on without."""
    registry = state(request)

    async def begin() -> api.RolloutDetail:
        async with registry.database.change(cause(request)) as change:
            found, behind = await services.find_with_deployment(change.session, request[PROJECT_ID], service)
            made = await rollouts.begin(change, found, behind, body, registry.clock.now(), force=force)
            return rollouts.detail(found, made)

    made = await switching.waiting(begin, wait_s)
    registry.pilot.wake()
    return made


@endpoint("services.get")
async def get_rollout(request: web.Request, project: str, service: str, rollout: str, /) -> r200[api.RolloutDetail]:
    """One rollout: its steps, where it is, what routers saw of both versions, and what happened."""
    async with state(request).database.read() as session:
        return rollouts.detail(*await _find(session, request, service, rollout))


@endpoint("services.update")
async def update_rollout(
    request: web.Request, project: str, service: str, rollout: str, /, body: api.RolloutUpdate, force: bool = False
) -> r200[api.RolloutDetail]:
    """Stop a rollout where it is, go on, go to a step, go back to the old version, or give the new one the service."""
    registry = state(request)
    async with registry.database.change(cause(request)) as change:
        found, asked = await _find(change.session, request, service, rollout)
        await rollouts.ask(change, found, asked, body, registry.clock.now(), force=force)
        await change.session.flush()
        shown = rollouts.detail(found, asked)
    registry.pilot.wake()
    return shown


async def _find(
    session: AsyncSession, request: web.Request, service: str, rollout: str
) -> tuple[tables.Service, tables.Rollout]:
    found = await services.find(session, request[PROJECT_ID], service)
    return found, await rollouts.find(session, found, rollout)


ROUTES = [
    web.get(_ROLLOUTS, list_rollouts),
    web.post(_ROLLOUTS, create_rollout),
    web.get(_ROLLOUTS + "/{rollout}", get_rollout),
    web.patch(_ROLLOUTS + "/{rollout}", update_rollout),
]
