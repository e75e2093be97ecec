"""Denied calls leave a line in the audit trail: at most one a minute for a caller and what was asked for."""

import logging

from narthex.contracts.errors import NarthexError
from narthex.runtime.clock import Clock
from narthex_registry.database import Database
from narthex_registry.facts import Cause
from narthex_registry.trail import remark

log = logging.getLogger(__name__)

QUIET_S = 60.0
MOST = 20_000


class Denials:
    """Writes them down."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._noted: dict[tuple[str, str], float] = {}  # caller and what was asked for; oldest first

    async def note(self, cause: Cause, asked: str, project_id: str | None, project: str, why: str) -> None:
        """`project` is the name of the project in question; without one it is the installation."""
        if not self._is_news((cause.user_id or "", asked)):
            return
        line = remark(
            cause,
            self._clock.now(),
            f"Denied: {why}",
            object_type="project" if project_id else "installation",
            object_id=project_id or "",
            object_name=project,
            project_id=project_id,
        )
        try:
            async with self._database.change(cause) as change:
                change.session.add(line)
        except NarthexError as error:  # the refusal stands all the same
            log.warning("denied call not written down", extra={"fields": {"reason": error.message}})

    def _is_news(self, key: tuple[str, str]) -> bool:
        now = self._clock.monotonic()
        if now - self._noted.get(key, -QUIET_S) < QUIET_S:
            return False
        self._noted.pop(key, None)
        self._noted[key] = now
        if len(self._noted) > MOST:
            del self._noted[next(iter(self._noted))]
        return True
