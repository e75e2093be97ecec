"""Deletes, now and then, what was kept for long enough: published facts, lines of the audit trail, events, calls."""

import logging
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Delete, delete, select
from sqlalchemy.orm import InstrumentedAttribute

from narthex.contracts.errors import Unavailable
from narthex.runtime.clock import Clock
from narthex_registry.config import RegistrySettings, WebhookSettings
from narthex_registry.database import Database
from narthex_registry.tables import AuditEvent, Outbox, ProjectEvent, WebhookCall

log = logging.getLogger(__name__)

LOOK_EVERY_S = 60.0
PORTION = 500  # rows in one change: others wait for it


async def forget_what_is_old(
    database: Database, clock: Clock, settings: RegistrySettings, webhooks: WebhookSettings
) -> None:
    """For ever."""
    while True:
        now = clock.now()
        try:
            for statement in (
                older(Outbox.sequence, Outbox.sent, now - timedelta(seconds=settings.outbox_keep_s)),
                older(ProjectEvent.id, ProjectEvent.date, now - timedelta(seconds=settings.events_keep_s)),
                older(AuditEvent.id, AuditEvent.date, now - timedelta(seconds=settings.audit_keep_s)),
                older(
                    WebhookCall.id,
                    WebhookCall.created,
                    now - timedelta(seconds=webhooks.keep_s),
                    WebhookCall.next_attempt.is_(None),
                ),
            ):
                while await _deleted(database, statement) == PORTION:
                    pass
        except Unavailable as error:
            log.info("not pruned", extra={"fields": {"reason": error.message}})
        await clock.sleep(LOOK_EVERY_S)


def older(
    key: InstrumentedAttribute[Any], moment: InstrumentedAttribute[Any], than: datetime, *which: ColumnElement[bool]
) -> Delete:
    """A statement that deletes a portion of the rows whose moment has passed."""
    return delete(key.class_).where(key.in_(select(key).where(moment < than, *which).limit(PORTION)))


async def _deleted(database: Database, statement: Delete) -> int:
    async with database.change() as change:
        done: Any = await change.session.execute(statement, execution_options={"synchronize_session": False})
        return int(done.rowcount)
