"""When tokens were last used: noted in memory as they are, written in one go once a minute."""

import logging
from datetime import datetime

from sqlalchemy import update

from narthex.contracts.errors import NarthexError
from narthex.runtime.clock import Clock
from narthex_registry import tables
from narthex_registry.database import Database

log = logging.getLogger(__name__)

WRITE_EVERY_S = 60.0
AT_A_TIME = 500  # tokens a transaction: others wait for their turn


class LastUsed:
    """Notes uses; at most one is kept for a token."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._noted: dict[str, datetime] = {}

    def note(self, token_id: str) -> None:
        self._noted[token_id] = self._clock.now()

    def of(self, token: tables.Token) -> datetime | None:
        """When a token was last used, written down or not yet."""
        return self._noted.get(token.id, token.last_used)

    async def run(self) -> None:
        """Write what was noted, for ever, and once more at the end."""
        try:
            while True:
                await self._clock.sleep(WRITE_EVERY_S)
                await self.write()
        finally:
            await self.write()

    async def write(self) -> None:
        while self._noted:
            some = [self._noted.popitem() for _ in range(min(AT_A_TIME, len(self._noted)))]
            try:
                async with self._database.change() as change:
                    for token_id, used in some:
                        at = update(tables.Token).where(tables.Token.id == token_id)
                        await change.session.execute(at.values(last_used=used, updated=tables.Token.updated))
            except NarthexError as error:  # a minute's uses are lost, no more
                log.info("uses of tokens not written", extra={"fields": {"reason": error.message}})
                return
