"""How discovery is: one entry for each provider that ever ran."""

from aiohttp import web
from sqlalchemy import select

from narthex.contracts import api
from narthex_registry import tables
from narthex_registry.api.endpoint import endpoint
from narthex_registry.api.needs import Standing
from narthex_registry.api.signature import r200
from narthex_registry.api.state import State, state
from narthex_registry.discovery.status import OFF, STARTING, WITHOUT_RUNNER


@endpoint(Standing.ADMINISTRATOR)
async def list_providers(request: web.Request) -> r200[list[api.DiscoveryProvider]]:
    """The providers of discovery: whether each sees its source, what it names, and what was not taken and why."""
    registry = state(request)
    async with registry.database.read() as session:
        query = select(tables.DiscoveryProvider).order_by(tables.DiscoveryProvider.name)
        rows = {row.name: row for row in (await session.execute(query)).scalars()}
    return [_shown(registry, name, rows.get(name)) for name in sorted(registry.providers | rows.keys())]


def _shown(registry: State, name: str, row: tables.DiscoveryProvider | None) -> api.DiscoveryProvider:
    if row is None:
        return api.DiscoveryProvider(name=name, state=STARTING)
    shown = api.DiscoveryProvider(name=name, runner=row.holder, **row.status)
    if row.expires <= registry.clock.now():
        state = WITHOUT_RUNNER if name in registry.providers else OFF
        return shown.model_copy(update={"state": state, "runner": None})
    return shown


ROUTES = [web.get("/discovery", list_providers)]
