"""Domains of their owners' own under which a service is reached too."""

from aiohttp import web

from narthex.contracts import api
from narthex_registry import domains, services
from narthex_registry.api.endpoint import endpoint
from narthex_registry.api.signature import r200, r201, r204
from narthex_registry.api.state import PROJECT_ID, cause, state


@endpoint("services.get")
async def list_domains(request: web.Request, project: str, service: str, /) -> r200[list[api.DomainDetail]]:
    """The domains of a service, and what is to be published to show that they are yours."""
    async with state(request).database.read() as session:
        found = await services.find(session, request[PROJECT_ID], service)
        return [domains.detail(each, found.name) for each in await domains.listed(session, found)]


@endpoint("services.update")
async def add_domain(
    request: web.Request, project: str, service: str, /, body: api.DomainCreate
) -> r201[api.DomainDetail]:
    """Claim a domain for a service. It is served once it was shown to be yours: publish the text, then verify."""
    registry = state(request)
    async with registry.database.change(cause(request)) as change:
        found = await services.find(change.session, request[PROJECT_ID], service)
        return domains.detail(await domains.add(change, found, body.host, registry.domain), found.name)


@endpoint("services.update")
async def verify_domain(request: web.Request, project: str, service: str, domain: str, /) -> r200[api.DomainDetail]:
    """Look for the proof now. `problem` says what was missing."""
    registry = state(request)
    async with registry.database.read() as session:
        found = await services.find(session, request[PROJECT_ID], service)
        claim = await domains.find(session, found, domain)
    problem = "" if claim.verified else await registry.proof.find(claim.host, claim.token)
    async with registry.database.change(cause(request)) as change:
        # It is looked up again: while the proof was sought, the claim may have been made anew.
        now = await domains.find(change.session, found, domain)
        if now.token == claim.token:
            await domains.settle(change, now, problem)
        return domains.detail(now, found.name)


@endpoint("services.delete")
async def remove_domain(request: web.Request, project: str, service: str, domain: str, /) -> r204:
    """Let go of a domain: its certificate and key are thrown away. It is kept for this project for 30 days."""
    async with state(request).database.change(cause(request)) as change:
        found = await services.find(change.session, request[PROJECT_ID], service)
        await domains.remove(change, await domains.find(change.session, found, domain))


ROUTES = [
    web.get("/projects/{project}/services/{service}/domains", list_domains),
    web.post("/projects/{project}/services/{service}/domains", add_domain),
    web.post("/projects/{project}/services/{service}/domains/{domain}/verify", verify_domain),
    web.delete("/projects/{project}/services/{service}/domains/{domain}", remove_domain),
]
