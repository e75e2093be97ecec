"""Writes orders down before they are made, unless a limit puts them off: the ledger's, or one that the CA told."""

import asyncio
from datetime import datetime

from narthex_certs import ledger
from narthex_certs.ledger import Limits, Note
from narthex_certs.records import Records


class Bookings:
    """The ledger's notes, asked and written by one order at a time."""

    def __init__(self, records: Records, limits: Limits) -> None:
        self._records = records
        self._limits = limits
        self._holds: dict[str, datetime] = {}  # registered domain -> until when the CA wants no order for it
        self._one = asyncio.Lock()

    async def book(self, note: Note) -> tuple[datetime, str] | None:
        """Write an order down; or until when it must wait, and why."""
        async with self._one:
            hold = self._asked_to_wait(note) or ledger.hold(self._notes().values(), note, self._limits)
            if hold is None:
                await self._records.put("note", note.id, note)
            return hold

    async def failed(self, id: str) -> None:
        """Count an order among those that came to nothing."""
        note = self._records.get("note", id, Note)
        if note is not None:
            await self._records.put("note", id, note.model_copy(update={"failed": True}))

    def wait(self, host: str, until: datetime) -> None:
        """The CA wants no order for this host's registered domain before a time."""
        self._holds[ledger.registered_domain(host)] = until

    async def forget_old(self, now: datetime) -> None:
        """Let go of the notes that no limit reaches back to."""
        for id, note in self._notes().items():
            if ledger.old(note, now):
                await self._records.remove("note", id)

    def _notes(self) -> dict[str, Note]:
        return self._records.all("note", Note)

    def _asked_to_wait(self, note: Note) -> tuple[datetime, str] | None:
        until = self._holds.get(note.domain)
        if until is None or until <= note.time:
            return None
        return until, f"the CA asked to wait with orders for {note.domain}"
