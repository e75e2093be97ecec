"""The calls that webhooks make: written down when something occurs, made soon after, tried again where that is wanted.

A call is signed as Standard Webhooks has it: `webhook-id`, `webhook-timestamp` and `webhook-signature: v1,` with the
base64 HMAC-SHA-256 of `<id>.<timestamp>.<body>`. It may be made twice, with the same id.
"""

import asyncio
import base64
import hashlib
import hmac
import json
import logging
from collections.abc import Iterable, Sequence
from datetime import timedelta
from uuid import NAMESPACE_URL, uuid5

import aiohttp
from prometheus_client import Counter
from sqlalchemy import and_, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from narthex.contracts.errors import Invalid, Unavailable
from narthex.contracts.reach import Network
from narthex.runtime.clock import Clock
from narthex.runtime.tasks import background
from narthex_registry import tables
from narthex_registry.database import Database
from narthex_registry.occurrences import Occurrence
from narthex_registry.outbound import check_url, open_outbound
from narthex_registry.webhooks import Webhooks

log = logging.getLogger(__name__)

CALLS = Counter("narthex_webhook_calls_total", "Webhook calls made", ["result"])

# Seconds to the next try: five within two hours, then every few hours, for a day in all.
RETRIES = (5, 60, 300, 1800, 5400, 10_800, 14_400, 21_600, 28_800)
AT_ONCE = 20  # calls under way
LOOK_EVERY_S = 5.0


def call_id(webhook_id: str, occurrence: Occurrence) -> str:
    """The same occurrence gives the same call, however often its event is delivered."""
    return str(uuid5(NAMESPACE_URL, f"{webhook_id}:{occurrence.id}:{occurrence.event}"))


def signature(secret: bytes, id: str, timestamp: int, body: str) -> str:
    """The value of `webhook-signature`."""
    digest = hmac.digest(secret, f"{id}.{timestamp}.{body}".encode(), hashlib.sha256)
    return "v1," + base64.b64encode(digest).decode()


async def enqueue(session: AsyncSession, occurrences: Iterable[Occurrence]) -> int:
    """Write down the calls that webhooks make about some occurrences; how many there are."""
    count = 0
    for occurrence in occurrences:
        for webhook in await _waiting(session, occurrence):
            id = call_id(webhook.id, occurrence)
            if await session.get(tables.WebhookCall, id) is None:
                session.add(_call(webhook, id, occurrence))
                count += 1
    return count


class Caller:
    """Makes the calls that are due, for ever."""

    def __init__(self, database: Database, webhooks: Webhooks, networks: Sequence[Network], clock: Clock) -> None:
        self._database = database
        self._webhooks = webhooks
        self._networks = networks
        self._clock = clock
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """There may be something to do."""
        self._woken.set()

    async def run(self) -> None:
        async with open_outbound(self._networks) as session, background() as tasks:
            places = asyncio.Semaphore(AT_ONCE)
            while True:
                self._woken.clear()
                try:
                    claimed = await self._claim()
                except Unavailable:
                    claimed = []
                for id in claimed:
                    await places.acquire()
                    tasks.start(self._make(session, id, places), f"webhook call {id}")
                if not claimed:
                    await self._rest()

    async def _rest(self) -> None:
        try:
            async with asyncio.timeout(LOOK_EVERY_S):
                await self._woken.wait()
        except TimeoutError:
            pass

    async def _claim(self) -> list[str]:
        """Take calls that are due: another registry does not see them until this one must have ended them."""
        now = self._clock.now()
        due = tables.WebhookCall.next_attempt <= now
        async with self._database.read() as session:
            ids = (await session.execute(select(tables.WebhookCall.id).where(due).limit(AT_ONCE))).scalars().all()
        if not ids:
            return []
        async with self._database.change() as change:
            query = select(tables.WebhookCall).where(tables.WebhookCall.id.in_(ids), due)
            rows = (await change.session.execute(query)).scalars().all()
            for row in rows:
                row.next_attempt = now + timedelta(seconds=90)
        return [row.id for row in rows]

    async def _make(self, session: aiohttp.ClientSession, id: str, places: asyncio.Semaphore) -> None:
        try:
            await self._try(session, id)
        except Unavailable as error:
            log.info("webhook call not recorded", extra={"fields": {"call": id, "reason": error.message}})
        finally:
            places.release()

    async def _try(self, session: aiohttp.ClientSession, id: str) -> None:
        async with self._database.read() as reading:
            call = await reading.get(tables.WebhookCall, id)
            webhook = await reading.get(tables.Webhook, call.webhook_id) if call and call.webhook_id else None
        if call is None:
            return
        if call.webhook_id is not None and (webhook is None or not webhook.enabled):
            await self._ended(id, None, "the webhook was deleted or disabled", retry=False)
            return
        status, error = await self._send(session, call, webhook)
        await self._ended(id, status, error, retry=webhook is not None and webhook.retry)

    async def _send(
        self, session: aiohttp.ClientSession, call: tables.WebhookCall, webhook: tables.Webhook | None
    ) -> tuple[int | None, str]:
        """Call; returns the status that was answered, and what went wrong (empty: nothing)."""
        url = webhook.url if webhook is not None else call.target["url"]
        timeout = webhook.timeout if webhook is not None else call.target["timeout"]
        owner = webhook.id if webhook is not None else call.id
        headers = self._webhooks.opened(webhook.headers if webhook is not None else call.target["headers"], owner)
        headers |= {"content-type": "application/json", "user-agent": "narthex-webhook/1"}
        if webhook is not None:
            timestamp = int(self._clock.now().timestamp())
            signed = signature(self._webhooks.secret_of(webhook), call.id, timestamp, call.body)
            headers |= {"webhook-id": call.id, "webhook-timestamp": str(timestamp), "webhook-signature": signed}
        try:
            check_url(url, self._networks)
            async with session.post(
                url, data=call.body.encode(), headers=headers, allow_redirects=False,
                timeout=aiohttp.ClientTimeout(total=timeout),
            ) as answer:  # fmt: skip
                ok = 200 <= answer.status < 300
                return answer.status, "" if ok else f"the receiver answered {answer.status}"
        except TimeoutError:
            return None, f"no answer within {timeout} s"
        except Invalid as error:
            return None, error.message
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return None, str(error)[:300] or type(error).__name__

    async def _ended(self, id: str, status: int | None, error: str, *, retry: bool) -> None:
        CALLS.labels("failed" if error else "success").inc()
        async with self._database.change() as change:
            call = await change.session.get(tables.WebhookCall, id)
            if call is None:
                return
            again = error and retry and call.attempts < len(RETRIES)
            wait = timedelta(seconds=RETRIES[call.attempts]) if again else timedelta()
            call.next_attempt = self._clock.now() + wait if again else None
            call.attempts += 1
            call.status = "pending" if again else "failed" if error else "success"
            call.response_status, call.error = status, error


def _call(webhook: tables.Webhook, id: str, occurrence: Occurrence) -> tables.WebhookCall:
    body = {
        "type": occurrence.event,
        "timestamp": occurrence.time.isoformat(),
        "data": {
            "object_type": occurrence.object_type,
            "object_id": occurrence.object_id,
            "project_id": webhook.project_id,
            "webhook": webhook.name,
            **occurrence.data,
        },
    }
    return tables.WebhookCall(
        id=id,
        project_id=webhook.project_id,
        webhook_id=webhook.id,
        created=tables.now(),
        event=occurrence.event,
        body=json.dumps(body),
        next_attempt=tables.now(),
    )


async def _waiting(session: AsyncSession, occurrence: Occurrence) -> Sequence[tables.Webhook]:
    """The webhooks that wait for an occurrence."""
    webhook = tables.Webhook
    its_own = webhook.object_id == occurrence.object_id
    in_project = and_(webhook.project_id == occurrence.project_id, or_(webhook.object_id.is_(None), its_own))
    query = select(webhook).where(
        webhook.enabled,
        webhook.object_type == occurrence.object_type,
        webhook.event == occurrence.event,
        or_(webhook.version_id.is_(None), webhook.version_id == occurrence.version_id),
        # An event that names no project can only be meant for the object itself.
        in_project if occurrence.project_id is not None else its_own,
    )
    return (await session.execute(query)).scalars().all()
