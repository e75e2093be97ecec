"""Bounds on what peers may send and how long they may take.

A plain dataclass: workers hold it without importing the settings library, which costs 13 MB a process.
"""

from dataclasses import dataclass
from math import inf

from narthex_router.limits import Quota

KIB = 1024
# Of the drain time an idle connection gets to ask once more: closing it is what a request that is on its way is lost
# by, and the fewer are left to close, the fewer that is. The rest is for what came last to be answered in.
QUIET = 0.75


@dataclass(frozen=True, slots=True)
class Policy:
    """How one service's requests are balanced and bounded."""

    balancing: str = "least_of_two"  # entities.Balancing
    affinity: bytes = b""  # lower-case field name, or cookie name
    affinity_cookie: bool = False
    connect_s: float = 2.0
    first_byte_s: float = 300.0
    idle_s: float = 300.0
    total_s: float = inf
    max_body: float = inf  # bytes
    max_in_flight: int = 0  # requests an instance gets from this worker at a time; 0: no limit
    max_wait_s: float = 0.0  # for an instance with room
    slow_start_s: float = 0.0  # until an instance that became healthy has its whole share
    quota: Quota | None = None  # None: no limits


@dataclass(frozen=True, slots=True)
class Bounds:
    """Sizes in bytes, times in seconds; each default says why."""

    max_head: int = 32 * KIB  # bytes of a request's head; browsers stay below 16 KiB
    max_target: int = 8 * KIB  # bytes of the request target, as nginx and Apache
    max_fields: int = 100
    buffer: int = 256 * KIB  # bytes held in each direction before the sender is stopped
    head_s: float = 10.0  # from a request's first byte to the end of its head
    keep_alive_s: float = 75.0  # an idle client connection; above the usual 60 s of load balancers
    body_s: float = 60.0  # without a byte of a request's body
    body_rate: float = 240.0  # bytes of it a second that there must have been by then; as Kestrel. 0: any
    connect_s: float = 2.0  # to an instance; a local network answers in 1 ms
    first_byte_s: float = 300.0  # a large model may think for minutes
    idle_s: float = 300.0  # without a byte of a response
    tunnel_idle_s: float = 3600.0  # without a byte of a WebSocket, either way
    upstream_idle_s: float = 4.0  # an idle connection to an instance; below uvicorn's and Node's 5 s
    upstream_fresh_s: float = 1.0  # a request that cannot be repeated takes no connection idle for longer
    half_closed_s: float = 0.5  # without a byte of the answer to a client that sends no more: it has gone
    linger_s: float = 2.0  # reading on after an early answer, so that the client gets to see it
    drain_s: float = 8.0  # for requests under way when the router stops
    quiet_s: float = 6.0  # a draining router waits so long for the next request of an idle connection, see `QUIET`
    waiting: int = 1000  # requests of a service that may wait for an instance with room
    workers: int = 1  # processes that share an instance's capacity

    def policy(self) -> Policy:
        """What holds for a service that says nothing else."""
        return Policy(connect_s=self.connect_s, first_byte_s=self.first_byte_s, idle_s=self.idle_s)
