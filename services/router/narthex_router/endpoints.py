"""Instances as services reach them: their load, their connections, and which of them gets a request.

Keyed by target (service, instance, address, port), never by address alone: a connection of one service is never
used for another (DESIGN section 12).
"""

import asyncio
import errno
import random
from collections import deque
from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

from narthex.contracts.reach import ANYWHERE, Reach
from narthex_router import balance
from narthex_router.evidence import Place, place_of
from narthex_router.exchange import CONNECT_FAILED, ROUTER_EXHAUSTED, Exchange
from narthex_router.http1 import ResponseHead, affinity_key, read_response_head
from narthex_router.identity import Asking
from narthex_router.retries import RetryBudget
from narthex_router.table import Route, Target
from narthex_router.upstream import Upstream

if TYPE_CHECKING:
    from narthex_router.forwarding import Forwarding

# What we lack, and not the instance; see also `evidence.kind_of`.
OURS = {
    errno.EMFILE: "descriptors",
    errno.ENFILE: "descriptors",
    errno.ENOBUFS: "memory",
    errno.ENOMEM: "memory",
    errno.EADDRNOTAVAIL: "local ports",
}
FORGET_AFTER_S = 60.0  # without a request
FORGET_EVERY_S = 10.0


class Endpoint:
    """One instance as one service reaches it: its load and its connections."""

    __slots__ = (
        "_idle",
        "_reach",
        "buffer",
        "head",
        "head_bytes",
        "in_flight",
        "key",
        "last_used",
        "target",
        "turn",
        "weight",
    )

    def __init__(self, target: Target, buffer: int, reach: Reach) -> None:
        self.target = target
        self._reach = reach
        self.weight = target.weight
        self.key = target.instance_id.encode()
        self.buffer = buffer
        self.in_flight = 0
        self.turn = 0
        self.last_used = 0.0
        self._idle: list[Upstream] = []
        # Responses in a row mostly have the same head: read once, used until it differs.
        self.head_bytes = b"\0"  # with the empty line; no response begins like this
        self.head: ResponseHead | None = None

    def read_head(self, data: bytes) -> ResponseHead:
        """Read a response's head, given with the empty line that ends it."""
        head = self.head
        if head is None or self.head_bytes != data:
            head = self.head = read_response_head(data[:-2])
            self.head_bytes = data
        return head

    def take(self, idle_since: float) -> Upstream | None:
        """A pooled connection that went idle after `idle_since`, the most recent first."""
        idle = self._idle
        while idle:
            upstream = idle.pop()
            if upstream.closed or upstream.transport.is_closing():
                continue
            if upstream.idle_since < idle_since:
                idle.append(upstream)
                return None
            return upstream
        return None

    def give_back(self, upstream: Upstream, now: float) -> None:
        upstream.idle_since = now
        self._idle.append(upstream)

    def forget(self, upstream: Upstream) -> None:
        if upstream in self._idle:
            self._idle.remove(upstream)

    async def connect(self, timeout_s: float) -> Upstream:
        """A new connection; raises OSError or TimeoutError."""
        loop, address, port = asyncio.get_running_loop(), self.target.address, self.target.port
        self._may_be_at(address)
        async with asyncio.timeout(timeout_s):
            if self.target.identity:
                return await self._connect_to_itself(self.target.identity)
            _, upstream = await loop.create_connection(lambda: Upstream(self), address, port)
        try:  # a name may lead elsewhere each time: what counts is where it did, before anything is sent there
            self._may_be_at(upstream.transport.get_extra_info("peername", (address,))[0])
        except PermissionError:
            upstream.close()
            raise
        return upstream

    async def _connect_to_itself(self, identity: str) -> Upstream:
        """A connection to the instance that has this identity, and to no other one at its address."""
        target = self.target
        host = f"[{target.address}]" if ":" in target.address else target.address
        asking = Asking(target.identity_path, f"{host}:{target.port}", identity)
        transport, _ = await asyncio.get_running_loop().create_connection(lambda: asking, target.address, target.port)
        try:
            self._may_be_at(transport.get_extra_info("peername", (target.address,))[0])
            asking.ask()
            await asking.over
        except BaseException:
            transport.abort()
            raise
        upstream = Upstream(self)
        upstream.connection_made(transport)
        transport.set_protocol(upstream)
        return upstream

    def _may_be_at(self, address: str) -> None:
        if refusal := self._reach.refusal(address, self.target.port):
            raise PermissionError(refusal)

    def sweep(self, idle_before: float) -> None:
        """Close what has been idle for too long; the oldest are at the front."""
        while self._idle and self._idle[0].idle_since < idle_before:
            self._idle.pop(0).close()

    def unused(self, since: float) -> bool:
        return not self._idle and not self.in_flight and self.last_used < since


class Endpoints:
    """All endpoints of a worker. Keyed by target: service, instance, address, port; never by address alone."""

    def __init__(self, buffer: int, idle_s: float, reach: Reach = ANYWHERE) -> None:
        self._reach = reach
        self._buffer = buffer
        self._idle_s = idle_s
        self._by_target: dict[Target, Endpoint] = {}
        self._of_route: dict[bytes, tuple[Route, list[Endpoint]]] = {}
        self._waiting: dict[bytes, deque[Forwarding]] = {}
        self._shunned: set[Place] = set()
        self._stopped = False  # instances without an identity: nobody vouches for them, see `vouching`
        self._leaving: frozenset[str] = frozenset()  # draining: a request that holds an old route may still know them
        self.retries = RetryBudget()
        self._turn = 0
        self._forget_at = 0.0
        self.random = random.Random().random  # noqa: S311 - load balancing, not a secret

    def of(self, route: Route) -> list[Endpoint]:
        """The endpoints of a route that are not shunned, in the order of its targets."""
        held = self._of_route.get(route.key)
        if held is not None and held[0] is route:
            return held[1]
        targets = route.targets
        if self._stopped:
            targets = tuple(each for each in targets if each.identity)
        if self._leaving:
            targets = tuple(each for each in targets if each.instance_id not in self._leaving) or targets
        if self._shunned:  # never the last ones: what one router sees is no verdict
            targets = tuple(each for each in targets if place_of(each) not in self._shunned) or targets
        endpoints = [self._endpoint(target) for target in targets]
        self._of_route[route.key] = (route, endpoints)
        return endpoints

    def shun(self, places: Iterable[Place]) -> bool:
        """Send no requests to these, where there are others; whether that is news."""
        new = set(places) - self._shunned
        if new:
            self._shunned |= new
            self._of_route.clear()
        return bool(new)

    def leave(self, instance_ids: Iterable[str]) -> None:
        """Send no new requests to these, of all that drain."""
        leaving = frozenset(instance_ids)
        if leaving != self._leaving:
            self._leaving = leaving
            self._of_route.clear()

    def vouched(self, *, stale: bool) -> None:
        """Whether nobody has vouched for instances for so long that those without an identity get no requests."""
        self._stopped = stale
        self._of_route.clear()

    def under_way(self, instance_ids: Collection[str]) -> dict[str, int]:
        """How many requests each of these has now, from this worker."""
        counts = dict.fromkeys(instance_ids, 0)
        for target, endpoint in self._by_target.items():
            if target.instance_id in counts:
                counts[target.instance_id] += endpoint.in_flight
        return counts

    def readmit(self, places: Iterable[Place]) -> None:
        self._shunned -= set(places)
        self._of_route.clear()

    def choose(self, route: Route, exchange: Exchange, now: float) -> Endpoint | None:
        """The endpoint for the next attempt, counted as in flight; None when none is left or none has room."""
        policy = route.policy
        held = self._of_route.get(route.key)
        endpoints = held[1] if held is not None and held[0] is route else self.of(route)
        if exchange.attempts:
            others = [endpoint for endpoint in endpoints if not exchange.tried(endpoint.target)]
            endpoints = others or [endpoint for endpoint in endpoints if not exchange.failed_by(endpoint.target)]
        if policy.max_in_flight:
            endpoints = [endpoint for endpoint in endpoints if endpoint.in_flight < policy.max_in_flight]
        if not endpoints:
            return None
        if policy.slow_start_s:
            endpoints = balance.warmed(endpoints, route.since, policy.slow_start_s, exchange.started_at, self.random)
        if len(endpoints) == 1:
            endpoint = endpoints[0]
        elif len(endpoints) == 2 and policy.balancing == "least_of_two":  # the most usual, two calls shorter
            endpoint = balance.lighter(endpoints[0], endpoints[1])
        elif policy.balancing == "affinity":
            affinity = affinity_key(exchange.shape.fields.forward, policy.affinity, cookie=policy.affinity_cookie)
            endpoint = balance.choose(endpoints, self.random, policy.balancing, affinity)
        else:
            endpoint = balance.choose(endpoints, self.random, policy.balancing)
        self._turn = endpoint.turn = self._turn + 1
        endpoint.last_used = now
        endpoint.in_flight += 1
        return endpoint

    def release(self, endpoint: Endpoint, route: Route) -> None:
        """A request that `choose` gave to an endpoint is over there."""
        endpoint.in_flight -= 1
        if route.policy.max_in_flight:
            self.let_in(route.host)

    def in_flight(self, route: Route) -> int:
        """How many requests of a service its instances have now, from this worker."""
        return sum(endpoint.in_flight for endpoint in self.of(route))

    def wait(self, route: Route, forwarding: "Forwarding", most: int) -> bool:
        """Queue a request until an endpoint of its route has room; False when too many wait already."""
        queue = self._waiting.setdefault(route.host, deque())
        if len(queue) >= most:
            return False
        queue.append(forwarding)
        return True

    def let_in(self, host: bytes) -> None:
        """An endpoint of the host may have room: those that waited longest get their chance."""
        queue = self._waiting.get(host)
        while queue:
            forwarding = queue.popleft()
            if forwarding.waits() and not forwarding.attempt():
                queue.appendleft(forwarding)
                return
        self._waiting.pop(host, None)

    def sweep(self, now: float) -> None:
        """Close idle connections; forget, now and then, what has not been used for a minute."""
        for endpoint in self._by_target.values():
            endpoint.sweep(now - self._idle_s)
        for host in list(self._waiting):
            self.let_in(host)
        if now < self._forget_at:
            return
        self._forget_at = now + FORGET_EVERY_S
        unused = now - FORGET_AFTER_S
        self._of_route = {
            host: (route, endpoints)
            for host, (route, endpoints) in self._of_route.items()
            if not all(endpoint.unused(unused) for endpoint in endpoints)
        }
        kept = {endpoint.target for _, endpoints in self._of_route.values() for endpoint in endpoints}
        self._by_target = {
            target: endpoint
            for target, endpoint in self._by_target.items()
            if target in kept or not endpoint.unused(unused)
        }

    def _endpoint(self, target: Target) -> Endpoint:
        endpoint = self._by_target.get(target)
        if endpoint is None:
            endpoint = self._by_target[target] = Endpoint(target, self._buffer, self._reach)
        return endpoint


def reason_of(error: Exception) -> tuple[str, str]:
    """The code and the sentence for a connection that could not be made."""
    if isinstance(error, OSError) and error.errno in OURS:
        return ROUTER_EXHAUSTED, f"this router lacks {OURS[error.errno]} for one more connection"
    if isinstance(error, TimeoutError):
        return CONNECT_FAILED, "connect timed out"
    if isinstance(error, ConnectionRefusedError):
        return CONNECT_FAILED, "connection refused"
    return CONNECT_FAILED, str(error) or type(error).__name__
