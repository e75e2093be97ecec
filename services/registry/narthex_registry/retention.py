"""Deletes, now and then, what was kept for long enough: published facts, lines of the audit trail and of events."""

import logging
from datetime import timedelta

from sqlalchemy import delete

from narthex.contracts.errors import Unavailable
from narthex.runtime.clock import Clock
from narthex_registry.config import RegistrySettings
from narthex_registry.database import Database
from narthex_registry.tables import AuditEvent, Outbox, ProjectEvent

log = logging.getLogger(__name__)

LOOK_EVERY_S = 60.0


async def forget_what_is_old(database: Database, clock: Clock, settings: RegistrySettings) -> None:
    """For ever."""
    while True:
        now = clock.now()
        old = (
            delete(Outbox).where(Outbox.sent < now - timedelta(seconds=settings.outbox_keep_s)),
            delete(ProjectEvent).where(ProjectEvent.date < now - timedelta(seconds=settings.events_keep_s)),
            delete(AuditEvent).where(AuditEvent.date < now - timedelta(seconds=settings.audit_keep_s)),
        )
        try:
            for statement in old:  # one at a time: writers take turns
                async with database.change() as change:
                    await change.session.execute(statement)
        except Unavailable as error:
            log.info("not pruned", extra={"fields": {"reason": error.message}})
        await clock.sleep(LOOK_EVERY_S)
