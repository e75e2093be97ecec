"""Keeps the certificates in the routing table, whatever happens to Valkey. Works while this worker leads."""

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping

from narthex.contracts.errors import Unavailable
from narthex.routing import Entry, Kind, TableStore
from narthex.runtime.clock import Clock
from narthex.runtime.tasks import background
from narthex_certs.certificate import Issued
from narthex_certs.keeper import Keeper

log = logging.getLogger(__name__)

OLD_FILES = "the table holds a newer certificate than the data directory; writing ours above it"
FEW = 20  # certificates that are compared one and all each time; of more, all are once in a while
ALL_EVERY = 20  # looks


def overtaken(wanted: Entry, held: Iterable[Entry]) -> int | None:
    """The revision at which the table holds something else than what is wanted, where it would refuse ours."""
    for entry in held:
        if entry.key == wanted.key and entry.revision >= wanted.revision and entry.payload != wanted.payload:
            return entry.revision
    return None


def corrections(wanted: Mapping[str, Entry], held: Iterable[Entry]) -> list[Entry]:
    """What to write so that the table holds what is wanted and no certificate besides."""
    held = list(held)
    gone = [
        Entry(entry.kind, entry.key, entry.revision + 1, 0, None)
        for entry in held
        if entry.key not in wanted and entry.payload is not None
    ]
    right = {entry.key for entry in held if entry.key in wanted and entry.payload == wanted[entry.key].payload}
    return [*gone, *(entry for key, entry in wanted.items() if key not in right)]


class Table:
    """Compares and corrects, every few seconds."""

    def __init__(
        self,
        store: TableStore,
        keeper: Keeper,
        obtained: Callable[[], Mapping[str, Issued]],
        clock: Clock,
        interval_s: float,
    ) -> None:
        self._store = store
        self._keeper = keeper
        self._obtained = obtained
        self._clock = clock
        self._interval_s = interval_s
        self._looks = 0
        self._asked = True  # everything is to be looked at
        self.problem = "the routing table has not been looked at yet"  # empty while the table is right

    async def run(self) -> None:
        """Keep the table right for ever."""
        self._asked = True
        while True:
            self._keeper.changed.clear()
            try:
                if self._asked or await self._doubtful():
                    self._asked = False
                    await self._correct()
            except (Unavailable, OSError) as error:  # OSError: the raised revision could not be kept on disk
                if self.problem != str(error):
                    log.warning("routing table not right", extra={"fields": {"error": str(error)}})
                self.problem = str(error)
                self._asked = True
            else:
                self.problem = ""
            await self._rest()

    async def show(self, issued: Issued) -> None:
        """Have routers serve a certificate from now on."""
        if not await self._store.apply([issued.entry()]):
            self._keeper.changed.set()  # the table holds it, or one with a higher revision: look at everything

    async def take_down(self, issued: Issued) -> None:
        held = await self._store.get(Kind.CERTIFICATE, issued.id)
        if held is not None and held.payload is not None:
            await self._store.apply([Entry(Kind.CERTIFICATE, issued.id, held.revision + 1, 0, None)])

    def _wanted(self) -> dict[str, Entry]:
        """Ours, and above it what the CA has issued."""
        ours = self._keeper.issued.entry()
        return {ours.key: ours} | {issued.id: issued.entry() for issued in self._obtained().values()}

    async def _doubtful(self) -> bool:
        """Whether everything is to be compared: always where it is little, else when a sample is not right."""
        self._looks += 1
        if self._looks % ALL_EVERY == 1 or len(self._obtained()) < FEW:
            return True
        ours = self._keeper.issued.entry()
        held = await self._store.get(Kind.CERTIFICATE, ours.key)
        return held is None or held.payload is None

    async def _correct(self) -> None:
        held = [entry async for entry in self._store.load([Kind.CERTIFICATE])]
        wanted = self._wanted()
        by_key = {entry.key: entry for entry in held}
        for key, entry in list(wanted.items()):
            above = overtaken(entry, [by_key[key]] if key in by_key else [])
            if above is not None:
                wanted[key] = self._raised(entry, above)
        writes = corrections(wanted, held)
        if writes:
            await self._store.apply(writes)
            log.info("certificate written to the table", extra={"fields": {"entries": [entry.key for entry in writes]}})

    def _raised(self, entry: Entry, above: int) -> Entry:
        """The entry, counted on from what the table holds."""
        log.warning(OLD_FILES, extra={"fields": {"certificate": entry.key, "revision": above}})
        if entry == self._keeper.issued.entry():
            return self._keeper.raise_revision(above).entry()
        return entry._replace(revision=above + 1)

    async def _rest(self) -> None:
        """Wait for the next look, or for a new certificate."""
        async with background() as tasks:
            next_look = tasks.start(self._clock.sleep(self._interval_s), "next look at the table")
            told = tasks.start(self._keeper.changed.wait(), "new certificate")
            await asyncio.wait({next_look, told}, return_when=asyncio.FIRST_COMPLETED)
            self._asked = self._asked or told.done()
