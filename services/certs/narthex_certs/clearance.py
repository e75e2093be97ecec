"""Throws away the certificates and keys of what is gone, and has them revoked where that is wanted."""

import logging
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Protocol

from narthex_certs.acme.client import Client
from narthex_certs.acme.problem import CaAway, Problem
from narthex_certs.certificate import Issued
from narthex_certs.order import OrderRecord, Trouble
from narthex_certs.records import Records
from narthex_certs.wanted import Wanted

log = logging.getLogger(__name__)

CESSATION_OF_OPERATION = 5  # RFC 5280 section 5.3.1
MOST_GONE = 10
MOST_GONE_SHARE = 0.3


class Shelf(Protocol):
    """Where certificates are put for routers to serve."""

    async def show(self, issued: Issued) -> None: ...

    async def take_down(self, issued: Issued) -> None: ...


def too_many(gone: int, held: int) -> bool:
    """Whether so many are not wanted any more at once that it is rather a fault of who says so."""
    return gone > MOST_GONE and gone > held * MOST_GONE_SHARE


class Clearance:
    """Removes what nobody wants."""

    def __init__(self, records: Records, shelf: Shelf, enter: Callable[[], Awaitable[Client]], *, revoke: bool) -> None:
        self._records = records
        self._shelf = shelf
        self._enter = enter
        self._revoke = revoke

    async def clear(self, wanted: Mapping[str, Wanted], working: Collection[str]) -> None:
        """Remove all but what is wanted and what is being worked on; nothing, if that were most of it."""
        held = self._records.all("certificate", Issued)
        gone = [issued for id, issued in held.items() if id not in wanted and id not in working]
        if too_many(len(gone), len(held)):
            fields = {"unwanted": len(gone), "held": len(held)}
            log.error("so many certificates are not wanted any more that none is removed", extra={"fields": fields})
            return
        for issued in gone:
            if self._revoke and not await self._revoked(issued):
                continue
            await self._shelf.take_down(issued)
            await self._records.remove("certificate", issued.id)
            log.info("certificate removed", extra={"fields": {"hosts": issued.hosts}})
        for noun, ids in (
            ("order", self._records.all("order", OrderRecord).keys()),
            ("trouble", self._records.all("trouble", Trouble).keys()),
        ):
            for id in ids - wanted.keys() - set(working):
                await self._records.remove(noun, id)

    async def _revoked(self, issued: Issued) -> bool:
        """Whether the CA has taken it back, or will hear nothing of it."""
        try:
            await (await self._enter()).revoke(issued.certificates[0], CESSATION_OF_OPERATION)
        except Problem as problem:
            log.warning("certificate not revoked", extra={"fields": {"hosts": issued.hosts, "reason": problem.message}})
        except CaAway:
            return False
        return True
