"""After the sealing key was changed: everything that is sealed in the database is sealed anew, a few rows at a time."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import inspect, select, update

from narthex.contracts.errors import Unavailable
from narthex.runtime.key_file import NOT_RENEWED
from narthex.runtime.tasks import backoff
from narthex_registry import variables
from narthex_registry.database import Database
from narthex_registry.tables import EnvironmentVariable, Webhook
from narthex_registry.tokens import Keys
from narthex_registry.webhooks import Webhooks

log = logging.getLogger(__name__)

PORTION = 200


async def seal_anew(database: Database, webhooks: Webhooks, keys: Keys) -> None:
    """Look through the database whenever the keys have changed, for ever. With one key there is nothing to do."""
    attempt = 0
    changed = asyncio.Event()
    changed.set()  # perhaps while nobody ran
    keys.listeners.append(changed.set)
    while True:
        await changed.wait()
        changed.clear()
        try:
            if len(keys.secrets) > 1:
                await renew_all(database, webhooks, keys)
            attempt = 0
        except Unavailable as error:
            log.warning("secrets not sealed anew yet", extra={"fields": {"reason": error.message}})
            await asyncio.sleep(backoff(attempt))
            attempt += 1
            changed.set()


async def renew_all(database: Database, webhooks: Webhooks, keys: Keys) -> None:
    """Seal everything under the present key."""
    kinds: list[tuple[type[Any], Callable[[Any], None]]] = [
        (EnvironmentVariable, lambda row: variables.seal_anew(row, keys.sealer)),
        (Webhook, webhooks.seal_anew),
    ]
    renewed, failed = 0, 0
    for table, renew in kinds:
        last = ""
        while ids := await _portion(database, table, last):
            last = ids[-1]
            done, not_done = await _renew(database, table, ids, renew)
            renewed, failed = renewed + done, failed + not_done
    NOT_RENEWED.set(failed)
    log.info("secrets sealed anew", extra={"fields": {"renewed": renewed, "not_opened": failed}})


async def _portion(database: Database, table: type[Any], after: str) -> Sequence[str]:
    async with database.read() as session:
        query = select(table.id).where(table.id > after).order_by(table.id).limit(PORTION)
        return (await session.execute(query)).scalars().all()


async def _renew(
    database: Database, table: type[Any], ids: Sequence[str], renew: Callable[[Any], None]
) -> tuple[int, int]:
    """How many rows were sealed anew, and how many could not be. Nobody else writes meanwhile: see `database`."""
    renewed, failed = 0, 0
    async with database.change() as change:
        for row in (await change.session.execute(select(table).where(table.id.in_(ids)))).scalars().all():
            try:
                renew(row)
            except ValueError as error:
                failed += 1
                fields = {"of": table.noun, "id": row.id, "why": str(error)}
                log.error("secret cannot be opened", extra={"fields": fields})
                continue
            changed = {name: getattr(row, name) for name in table.secret if _differs(row, name)}
            change.session.expunge(row)  # written past the trail: nothing has changed that anybody can see
            if changed:
                values = {**changed, "updated": table.updated}
                await change.session.execute(update(table).where(table.id == row.id).values(values))
                renewed += 1
    return renewed, failed


def _differs(row: Any, name: str) -> bool:
    history = inspect(row).attrs[name].history
    return bool(history.added) and list(history.added) != list(history.deleted)
