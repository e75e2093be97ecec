"""Keeps the certificate in the routing table, whatever happens to Valkey."""

import logging
from collections.abc import Iterable

from narthex.contracts.errors import Unavailable
from narthex.routing import Entry, Kind, TableStore
from narthex.runtime.clock import Clock
from narthex.runtime.tasks import background
from narthex_certs.keeper import Keeper

log = logging.getLogger(__name__)

OLD_FILES = "the table holds a newer certificate than the data directory; writing ours above it"


def overtaken(wanted: Entry, held: Iterable[Entry]) -> int | None:
    """The revision at which the table holds something else than what is wanted, where it would refuse ours."""
    for entry in held:
        if entry.key == wanted.key and entry.revision >= wanted.revision and entry.payload != wanted.payload:
            return entry.revision
    return None


def corrections(wanted: Entry, held: Iterable[Entry]) -> list[Entry]:
    """What to write so that the table holds what is wanted and no certificate of an earlier domain."""
    held = list(held)
    writes = [
        Entry(entry.kind, entry.key, entry.revision + 1, 0, None)
        for entry in held
        if entry.key != wanted.key and entry.payload is not None
    ]
    return writes if wanted in held else [*writes, wanted]


class Table:
    """Compares and corrects, every few seconds."""

    def __init__(self, store: TableStore, keeper: Keeper, clock: Clock, interval_s: float) -> None:
        self._store = store
        self._keeper = keeper
        self._clock = clock
        self._interval_s = interval_s
        self.problem = "the routing table has not been looked at yet"  # empty while the table is right

    async def run(self) -> None:
        """Keep the table right for ever."""
        while True:
            self._keeper.changed.clear()
            try:
                await self._correct()
            except (Unavailable, OSError) as error:  # OSError: the raised revision could not be kept on disk
                if self.problem != str(error):
                    log.warning("routing table not right", extra={"fields": {"error": str(error)}})
                self.problem = str(error)
            else:
                self.problem = ""
            await self._rest()

    async def _correct(self) -> None:
        held = [entry async for entry in self._store.load([Kind.CERTIFICATE])]
        wanted = self._keeper.issued.entry()
        above = overtaken(wanted, held)
        if above is not None:
            log.warning(OLD_FILES, extra={"fields": {"certificate": wanted.key, "revision": above}})
            wanted = self._keeper.raise_revision(above).entry()
        writes = corrections(wanted, held)
        if writes:
            await self._store.apply(writes)
            log.info("certificate written to the table", extra={"fields": {"entries": [entry.key for entry in writes]}})

    async def _rest(self) -> None:
        """Wait for the next look, or for a new certificate."""
        async with background() as tasks:
            tasks.start(self._ring(), "next look at the table")
            await self._keeper.changed.wait()

    async def _ring(self) -> None:
        await self._clock.sleep(self._interval_s)
        self._keeper.changed.set()
