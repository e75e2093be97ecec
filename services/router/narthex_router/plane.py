"""What all connections of a worker share."""

import os
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from narthex.runtime.tasks import Background
from narthex_router.bounds import Bounds
from narthex_router.journal import Journal
from narthex_router.table import Table

if TYPE_CHECKING:
    from narthex_router.downstream import Downstream
    from narthex_router.upstream import Endpoints


class RequestIds:
    """Request ids: UUIDv7 text, made from the time, a counter and a random number of this worker.

    RFC 9562 section 6.2 (method 1) allows a counter in place of fresh random bits; one format call a request
    instead of a system call and a UUID object.
    """

    __slots__ = ("_count", "_tail")

    def __init__(self) -> None:
        self._count = 0
        self._tail = os.urandom(6).hex().encode()

    def next(self, unix_s: float) -> bytes:
        count = self._count = self._count + 1 & 0x3FFFFFF
        time_ms = int(unix_s * 1000) & 0xFFFFFFFFFFFF
        return b"%08x-%04x-7%03x-%04x-%b" % (
            time_ms >> 16,
            time_ms & 0xFFFF,
            count >> 14,
            0x8000 | count & 0x3FFF,
            self._tail,
        )


@dataclass(slots=True)
class Plane:
    """The data plane of one worker: the table it serves by, its connections, its journal, its clock."""

    table: Table
    endpoints: "Endpoints"
    journal: Journal
    bounds: Bounds
    tasks: Background
    https_port: int
    serve_plain: bool = False
    draining: bool = False
    now: float = field(default_factory=time.monotonic)  # coarse: set by the sweeper
    ids: RequestIds = field(default_factory=RequestIds)
    connections: "set[Downstream]" = field(default_factory=set)
    answered: int = 0  # answers the router made itself, for requests that no service could be named for

    def sweep(self, now: float) -> None:
        """Look at every time limit; called a few times a second instead of a timer a request."""
        self.now = now
        for connection in list(self.connections):
            connection.check_time(now)
        self.endpoints.sweep(now)
