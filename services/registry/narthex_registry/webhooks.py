"""Webhooks of a project: whom to call about what."""

import base64
import secrets
from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from narthex.contracts import api
from narthex.contracts.errors import Conflict, Invalid, NotFound
from narthex.contracts.reach import Network
from narthex.runtime.sealing import Sealer
from narthex_registry import deployments, services, tables, versions
from narthex_registry.database import Change
from narthex_registry.fields import given, matches_labels
from narthex_registry.occurrences import DEPLOYMENT, EVENTS_OF, SERVICE
from narthex_registry.outbound import check_url

ANY = "*"  # in place of an object's name: all of them
HIDDEN = "(protected)"
REQUIRED = frozenset({"name", "url", "event"})
DEFAULTS: dict[str, Any] = {
    "headers": [],
    "timeout": 10,
    "enabled": True,
    "retry": False,
    "include_result": False,
    "labels": {},
    "description": "",
}


class Webhooks:
    """The operations on webhooks; they need to know what may be called, and the key that seals secrets."""

    def __init__(self, sealer: Sealer, networks: Sequence[Network]) -> None:
        self._sealer = sealer
        self._networks = networks

    async def create(self, change: Change, project_id: str, body: api.WebhookCreate) -> tuple[tables.Webhook, str]:
        """A new webhook and its signing secret, which is shown this once."""
        await self._name_is_free(change.session, project_id, body.name)
        check_url(body.url, self._networks)
        object_id, version_id = await self.target(change.session, project_id, body)
        values = DEFAULTS | given(body, required=REQUIRED | {"object_type", "object_name"}, defaults=DEFAULTS)
        secret = "whsec_" + base64.b64encode(secrets.token_bytes(24)).decode()
        for name in ("object_name", "version"):
            values.pop(name, None)
        webhook = tables.Webhook(
            project_id=project_id, object_id=object_id, version_id=version_id, signing_secret="", **values
        )
        change.session.add(webhook)
        await change.session.flush()
        webhook.headers = self.sealed(body.headers or [], webhook.id)
        webhook.signing_secret = self._sealer.seal(secret.encode(), _context(webhook.id))
        await change.session.flush()
        return webhook, secret

    async def update(self, change: Change, webhook: tables.Webhook, body: api.WebhookUpdate) -> None:
        values = given(body, required=REQUIRED, defaults=DEFAULTS)
        if values.get("name", webhook.name) != webhook.name:
            await self._name_is_free(change.session, webhook.project_id, values["name"])
        if "url" in values:
            check_url(values["url"], self._networks)
        if "event" in values:
            check_event(webhook.object_type, values["event"])
        if "headers" in values:
            values["headers"] = self.sealed(body.headers or [], webhook.id, webhook.headers)
        for name, value in values.items():
            setattr(webhook, name, value)
        await change.session.flush()

    async def target(
        self, session: AsyncSession, project_id: str, body: api.WebhookCreate | api.WebhookTestCreate
    ) -> tuple[str | None, str | None]:
        """The ids of the object and version that a webhook is about; None: all of them."""
        check_event(body.object_type, body.event)
        if body.version is not None and (body.object_type != DEPLOYMENT or body.object_name == ANY):
            raise Invalid("version: only a webhook of one deployment can be about a version")
        if body.object_name == ANY:
            return None, None
        if body.object_type == SERVICE:
            try:
                return (await services.find(session, project_id, body.object_name)).id, None
            except NotFound as error:
                raise Invalid(f"object_name: {error.message} (object_name is {body.object_name})") from None
        try:
            deployment = await deployments.find(session, project_id, body.object_name)
        except NotFound:
            raise Invalid(f"object_name: there is no deployment {body.object_name}") from None
        if body.version is None:
            return deployment.id, None
        return deployment.id, (await versions.named_in_body(session, deployment, body.version)).id

    def sealed(
        self, headers: Sequence[api.WebhookHeader], owner: str, held: Sequence[dict[str, Any]] = ()
    ) -> list[dict[str, Any]]:
        """Headers as they are kept. The value that answers show for a protected one means: as it is."""
        kept = {header["key"].lower(): header for header in held}
        found = []
        for header in headers:
            before = kept.get(header.key.lower())
            if header.protected and header.value == HIDDEN and before is not None:
                found.append(before)
                continue
            value = header.value
            if header.protected:
                value = self._sealer.seal(value.encode(), _context(owner, header.key))
            found.append({"key": header.key, "value": value, "protected": header.protected})
        return found

    def opened(self, headers: Sequence[dict[str, Any]], owner: str) -> dict[str, str]:
        """Headers as they are sent."""
        return {
            header["key"]: self._sealer.open(header["value"], _context(owner, header["key"])).decode()
            if header["protected"]
            else header["value"]
            for header in headers
        }

    def secret_of(self, webhook: tables.Webhook) -> bytes:
        """The key of a webhook's signatures."""
        text = self._sealer.open(webhook.signing_secret, _context(webhook.id)).decode()
        return base64.b64decode(text.removeprefix("whsec_"))

    def seal_anew(self, webhook: tables.Webhook) -> None:
        """Have its secrets sealed under the present key."""
        webhook.signing_secret = self._sealer.renewed(webhook.signing_secret, _context(webhook.id))
        webhook.headers = [
            {**header, "value": self._sealer.renewed(header["value"], _context(webhook.id, header["key"]))}
            if header["protected"]
            else header
            for header in webhook.headers
        ]

    @staticmethod
    async def _name_is_free(session: AsyncSession, project_id: str, name: str) -> None:
        if await _lookup(session, project_id, name) is not None:
            raise Conflict(f"name: there is already a webhook {name}")


def _context(owner: str, header: str = "") -> str:
    """What a secret of a webhook is sealed for: its signatures, or one of its headers."""
    return f"webhook:{owner}:{header.lower()}" if header else f"webhook:{owner}"


def check_event(object_type: str, event: str) -> None:
    if event not in EVENTS_OF[object_type]:
        raise Invalid(f"event: must be one of {', '.join(EVENTS_OF[object_type])} for a {object_type}")


async def find(session: AsyncSession, project_id: str, name: str) -> tables.Webhook:
    found = await _lookup(session, project_id, name)
    if found is None:
        raise NotFound(f"there is no webhook {name}")
    return found


async def listed(
    session: AsyncSession, project_id: str, *, labels: str, object_type: str, event: str
) -> list[tables.Webhook]:
    query = select(tables.Webhook).where(tables.Webhook.project_id == project_id).order_by(tables.Webhook.name)
    if object_type:
        query = query.where(tables.Webhook.object_type == object_type)
    if event:
        query = query.where(tables.Webhook.event == event)
    return [row for row in (await session.execute(query)).scalars() if matches_labels(row.labels, labels)]


async def detail(session: AsyncSession, webhook: tables.Webhook, secret: str | None = None) -> api.WebhookDetail:
    return api.WebhookDetail(
        id=webhook.id,
        name=webhook.name,
        object_type=webhook.object_type,
        object_name=await _object_name(session, webhook),
        version=await _version_name(session, webhook),
        url=webhook.url,
        headers=[
            api.WebhookHeaderShown(
                key=header["key"],
                value=HIDDEN if header["protected"] else header["value"],
                protected=header["protected"],
            )
            for header in webhook.headers
        ],
        event=webhook.event,
        creation_date=webhook.created,
        last_updated=webhook.updated,
        description=webhook.description,
        labels=webhook.labels,
        timeout=webhook.timeout,
        enabled=webhook.enabled,
        retry=webhook.retry,
        include_result=webhook.include_result,
        signing_secret=secret,
    )


async def _object_name(session: AsyncSession, webhook: tables.Webhook) -> str:
    if webhook.object_id is None:
        return ANY
    table = tables.Service if webhook.object_type == SERVICE else tables.Deployment
    found = (await session.execute(select(table.name).where(table.id == webhook.object_id))).scalar_one_or_none()
    return found or ""


async def _version_name(session: AsyncSession, webhook: tables.Webhook) -> str | None:
    if webhook.version_id is None:
        return None
    query = select(tables.Version.name).where(tables.Version.id == webhook.version_id)
    return (await session.execute(query)).scalar_one_or_none()


async def _lookup(session: AsyncSession, project_id: str, name: str) -> tables.Webhook | None:
    query = select(tables.Webhook).where(tables.Webhook.project_id == project_id, tables.Webhook.name == name)
    return (await session.execute(query)).scalar_one_or_none()
