"""Webhooks of a project, their calls, and test calls."""

from typing import Annotated, Literal

from aiohttp import web
from pydantic import Field
from sqlalchemy import select

from narthex.contracts import api
from narthex.contracts.errors import NotFound
from narthex.contracts.ids import new_id
from narthex_registry import tables, webhooks
from narthex_registry.api.endpoint import endpoint
from narthex_registry.api.signature import r200, r201, r204
from narthex_registry.api.state import PROJECT_ID, cause, state
from narthex_registry.outbound import check_url

Limit = Annotated[int, Field(ge=1, le=250)]
Offset = Annotated[int, Field(ge=0, le=1_000_000)]


@endpoint("webhooks.list")
async def list_webhooks(
    request: web.Request, project: str, /, labels: str = "", object_type: str = "", event: str = ""
) -> r200[list[api.WebhookDetail]]:
    """The webhooks of a project."""
    async with state(request).database.read() as session:
        found = await webhooks.listed(session, request[PROJECT_ID], labels=labels, object_type=object_type, event=event)
        return [await webhooks.detail(session, webhook) for webhook in found]


@endpoint("webhooks.create")
async def create_webhook(request: web.Request, project: str, /, body: api.WebhookCreate) -> r201[api.WebhookDetail]:
    """A new webhook; the answer has the secret that its calls are signed with, this once."""
    registry = state(request)
    async with registry.database.change(cause(request)) as change:
        webhook, secret = await registry.webhooks.create(change, request[PROJECT_ID], body)
        return await webhooks.detail(change.session, webhook, secret)


@endpoint("webhooks.get")
async def get_webhook(request: web.Request, project: str, webhook: str, /) -> r200[api.WebhookDetail]:
    """One webhook."""
    async with state(request).database.read() as session:
        return await webhooks.detail(session, await webhooks.find(session, request[PROJECT_ID], webhook))


@endpoint("webhooks.update")
async def update_webhook(
    request: web.Request, project: str, webhook: str, /, body: api.WebhookUpdate
) -> r200[api.WebhookDetail]:
    """Change a webhook; what it is about stays."""
    registry = state(request)
    async with registry.database.change(cause(request)) as change:
        found = await webhooks.find(change.session, request[PROJECT_ID], webhook)
        await registry.webhooks.update(change, found, body)
        return await webhooks.detail(change.session, found)


@endpoint("webhooks.delete")
async def delete_webhook(request: web.Request, project: str, webhook: str, /) -> r204:
    """Delete a webhook; calls that are waiting are not made."""
    async with state(request).database.change(cause(request)) as change:
        await change.session.delete(await webhooks.find(change.session, request[PROJECT_ID], webhook))


@endpoint("webhooks.get")
async def list_calls(
    request: web.Request,
    project: str,
    webhook: str,
    /,
    status: Literal["", "pending", "success", "failed"] = "",
    limit: Limit = 50,
    offset: Offset = 0,
) -> r200[list[api.WebhookCall]]:
    """The calls of a webhook, newest first, and how they went."""
    table = tables.WebhookCall
    async with state(request).database.read() as session:
        found = await webhooks.find(session, request[PROJECT_ID], webhook)
        query = select(table).where(table.webhook_id == found.id).order_by(table.created.desc(), table.id)
        if status:
            query = query.where(table.status == status)
        rows = (await session.execute(query.limit(limit).offset(offset))).scalars()
        return [api.WebhookCall.model_validate(row, from_attributes=True) for row in rows]


@endpoint("webhooks.create")
async def create_test(request: web.Request, project: str, /, body: api.WebhookTestCreate) -> r201[api.WebhookTest]:
    """Call an address once, as a webhook with these settings would."""
    registry = state(request)
    async with registry.database.change(cause(request)) as change:
        await registry.webhooks.target(change.session, request[PROJECT_ID], body)
        check_url(body.url, registry.networks)
        id = new_id()
        headers = registry.webhooks.sealed(body.headers or [], id)
        call = tables.WebhookCall(
            id=id,
            project_id=request[PROJECT_ID],
            created=tables.now(),
            event=body.event,
            target={"url": body.url, "headers": headers, "timeout": body.timeout or webhooks.DEFAULTS["timeout"]},
            body=api.WebhookTestBody(type=body.event, timestamp=tables.now()).model_dump_json(),
            next_attempt=tables.now(),
        )
        change.session.add(call)
    registry.webhook_caller.wake()
    return api.WebhookTest(id=id, status="pending")


@endpoint("webhooks.get")
async def get_test(request: web.Request, project: str, id: str, /) -> r200[api.WebhookTest]:
    """How a test call went: pending, success or failed."""
    async with state(request).database.read() as session:
        call = await session.get(tables.WebhookCall, id)
    if call is None or call.project_id != request[PROJECT_ID] or call.webhook_id is not None:
        raise NotFound(f"there is no webhook test {id}")
    return api.WebhookTest(id=call.id, status=call.status, error_message=call.error or None)


ROUTES = [
    web.get("/projects/{project}/webhooks", list_webhooks),
    web.post("/projects/{project}/webhooks", create_webhook),
    web.get("/projects/{project}/webhooks/{webhook}", get_webhook),
    web.patch("/projects/{project}/webhooks/{webhook}", update_webhook),
    web.delete("/projects/{project}/webhooks/{webhook}", delete_webhook),
    web.get("/projects/{project}/webhooks/{webhook}/calls", list_calls),
    web.post("/projects/{project}/webhooks-tests", create_test),
    web.get("/projects/{project}/webhooks-tests/{id}", get_test),
]
