"""The provider `dns`: names whose addresses are instances, asked again when their TTL is over.

A look-up that fails says nothing about who is there. An answer without addresses (NXDOMAIN, or no record of the type)
says that nobody is, and is believed after a grace.
"""

import asyncio
import math
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import dns._asyncbackend
import dns.asyncbackend
import dns.asyncresolver
import dns.exception
import dns.name
import dns.nameserver
import dns.resolver
from dns.rdatatype import RdataType

from narthex.runtime.clock import Clock
from narthex_registry.discovery.admission import MAX_WEIGHT
from narthex_registry.discovery.found import Away, Found, Refused, Snapshot, Target, scope
from narthex_registry.discovery.settings import DnsName, DnsSettings

TYPES = {"address": ("A", "AAAA"), "A": ("A",), "AAAA": ("AAAA",), "SRV": ("SRV",)}
MOST_TARGETS = 1000  # of one SRV answer: each is another look-up
AT_ONCE = 20


@dataclass(frozen=True)
class Place:
    """Where an answer says that an instance is."""

    address: str
    port: int | None
    weight: int = 1


@dataclass(frozen=True)
class Answer:
    places: frozenset[Place] = frozenset()
    ttl_s: float = math.inf
    failure: str = ""  # why some of it is not known

    def __or__(self, other: "Answer") -> "Answer":
        ttl_s, failure = min(self.ttl_s, other.ttl_s), self.failure or other.failure
        return Answer(self.places | other.places, ttl_s, failure)


class WholeSockets(dns._asyncbackend.Backend):
    """dnspython's own sockets, none of which is lost.

    A look-up that is cancelled while its UDP socket is being made would leave it open, and uvloop's loop then hangs
    when it is closed.
    """

    def __init__(self) -> None:
        self._inner: Any = dns.asyncbackend.get_backend("asyncio")

    def name(self) -> str:
        return str(self._inner.name())

    async def make_socket(self, af: int, socktype: int, *more: Any, **options: Any) -> Any:
        if socktype != socket.SOCK_DGRAM:
            return await self._inner.make_socket(af, socktype, *more, **options)
        making = asyncio.ensure_future(self._inner.make_socket(af, socktype, *more, **options))
        try:
            return await asyncio.shield(making)
        except asyncio.CancelledError:
            await (await making).close()  # a turn of the loop away
            raise

    async def sleep(self, interval: float) -> None:
        await self._inner.sleep(interval)

    async def wait_for(self, awaitable: Any, timeout: float | None) -> Any:
        return await self._inner.wait_for(awaitable, timeout)


class Resolver:
    """Asks for addresses and SRV records."""

    def __init__(self, settings: DnsSettings) -> None:
        try:
            self._resolver = dns.asyncresolver.Resolver(configure=not settings.servers)
        except dns.resolver.NoResolverConfiguration:
            raise Away("this machine has no DNS servers configured; set NARTHEX_DISCOVERY_DNS_SERVERS") from None
        if settings.servers:
            self._resolver.nameservers = [_server(text.strip()) for text in settings.servers.split(",")]
        self._resolver.lifetime = settings.timeout_s
        self._backend = WholeSockets()
        self._places = asyncio.Semaphore(AT_ONCE)

    async def places(self, wanted: DnsName) -> Answer:
        if wanted.type == "SRV":
            return await self._services(wanted.name)
        return await self._addresses(wanted.name, TYPES[wanted.type], wanted.port, 1)

    async def _addresses(self, name: str, types: Sequence[str], port: int | None, weight: int) -> Answer:
        whole = Answer()
        for kind in types:
            records, ttl_s, failure = await self._ask(name, kind)
            whole |= Answer(frozenset(Place(each.address, port, weight) for each in records), ttl_s, failure)
        return whole

    async def _services(self, name: str) -> Answer:
        """The targets of the best priority (RFC 2782); the target `.` says that the service is not offered."""
        records, ttl_s, failure = await self._ask(name, "SRV")
        best = min((each.priority for each in records), default=0)
        chosen = [each for each in records if each.priority == best and each.target != dns.name.root]
        if len(chosen) > MOST_TARGETS:
            return Answer(failure=f"the answer has more than {MOST_TARGETS} targets")
        weights = scaled([each.weight for each in chosen])
        asked = (
            self._addresses(each.target.to_text(), TYPES["address"], each.port, weight)
            for each, weight in zip(chosen, weights, strict=True)
        )
        whole = Answer(ttl_s=ttl_s, failure=failure)
        for one in await asyncio.gather(*asked):
            whole |= one
        return whole

    async def _ask(self, name: str, kind: str) -> tuple[Sequence[Any], float, str]:
        """The records, how long they hold, and why they are not known."""
        try:
            async with self._places:
                answer = await self._resolver.resolve(
                    dns.name.from_text(name),
                    RdataType[kind],
                    raise_on_no_answer=False,
                    search=False,
                    backend=self._backend,
                )
        except dns.resolver.NXDOMAIN:
            return (), math.inf, ""
        except dns.resolver.LifetimeTimeout:
            return (), math.inf, f"look-up failed: no answer within {self._resolver.lifetime:g} s"
        except (dns.exception.DNSException, OSError) as error:
            return (), math.inf, f"look-up failed: {failure_of(error)}"
        return list(answer.rrset or ()), answer.chaining_result.minimum_ttl, ""


@dataclass
class Seen:
    """What is known of one name."""

    places: frozenset[Place] = frozenset()
    unknown: bool = True  # there may be more than `places`
    failure: str = ""
    empty_since: float | None = None
    due: float = 0.0  # when to ask again

    def take(self, answer: Answer, now: float, settings: DnsSettings) -> None:
        self.failure = answer.failure
        if answer.failure:
            self.places |= answer.places
            self.unknown = True
        elif answer.places:
            self.places, self.unknown, self.empty_since = answer.places, False, None
        else:
            self._take_nothing(now, settings.grace_s)
        sure = answer.places and not answer.failure
        self.due = now + (
            min(max(answer.ttl_s, settings.ttl_min_s), settings.ttl_max_s) if sure else settings.ttl_min_s
        )
        if self.empty_since is not None and self.unknown and not self.failure:
            self.due = min(self.due, self.empty_since + settings.grace_s)

    def _take_nothing(self, now: float, grace_s: float) -> None:
        if self.empty_since is None:
            self.empty_since = now
        if now >= self.empty_since + grace_s:
            self.places, self.unknown = frozenset(), False


class DnsProvider:
    """Follows some names."""

    name = "dns"

    def __init__(self, settings: DnsSettings, project: str, clock: Clock) -> None:
        self.retry_within_s = settings.ttl_min_s
        self._settings = settings
        self._project = project
        self._clock = clock
        # Kept when all look-ups fail: the grace goes on.
        self._seen = {each: Seen() for each in settings.names}

    async def follow(self, tell: Callable[[Snapshot], None]) -> None:
        resolver = Resolver(self._settings)
        while True:
            now = self._clock.monotonic()
            due = [name for name, seen in self._seen.items() if seen.due <= now]
            answers = await asyncio.gather(*(resolver.places(name) for name in due))
            for name, answer in zip(due, answers, strict=True):
                self._seen[name].take(answer, self._clock.monotonic(), self._settings)
            if all(seen.failure for seen in self._seen.values()):
                for seen in self._seen.values():
                    seen.due = 0.0
                raise Away(next(f"{name.name}: {seen.failure}" for name, seen in self._seen.items()))
            tell(self._snapshot())
            await self._clock.sleep(max(0.0, min(each.due for each in self._seen.values()) - self._clock.monotonic()))

    def _snapshot(self) -> Snapshot:
        found: list[Found] = []
        refused: list[Refused] = []
        unknown: set[str] = set()
        for name, seen in self._seen.items():
            target = Target(name.project or self._project, name.deployment, name.version)
            found += (_found(target, name, place) for place in seen.places)
            if seen.unknown:
                unknown.add(scope(target, part(name)))
            if seen.failure:
                refused.append(Refused(name.name, seen.failure))
        return Snapshot(tuple(found), tuple(refused), frozenset(unknown))


def part(name: DnsName) -> str:
    return f"{name.type}/{name.name}"


def scaled(weights: Sequence[int]) -> list[int]:
    """SRV weights, up to 65535, in our range; 0 is the smallest share there is."""
    most = max(weights, default=0)
    if most <= MAX_WEIGHT:
        return [max(1, weight) for weight in weights]
    return [max(1, round(weight * MAX_WEIGHT / most)) for weight in weights]


def failure_of(error: Exception) -> str:
    """What a server said, in DNS's own word where there is one."""
    if isinstance(error, dns.resolver.NoNameservers):
        for tried in error.kwargs.get("errors", ()):
            return str(tried[3])[:100]
    return str(error)[:100] or type(error).__name__


def _found(target: Target, name: DnsName, place: Place) -> Found:
    where = place.address if place.port is None else f"{place.address}:{place.port}"
    return Found(target, where, place.address, place.port, place.weight, metadata={"dns": name.name}, part=part(name))


def _server(text: str) -> dns.nameserver.Nameserver:
    """`10.0.0.53`, `10.0.0.53:5353` or `[fd00::53]:5353`."""
    host, bracket, rest = text.removeprefix("[").partition("]")
    if bracket:
        return dns.nameserver.Do53Nameserver(host, int(rest.removeprefix(":") or 53))
    host, _, port = text.partition(":") if text.count(":") == 1 else (text, "", "")
    return dns.nameserver.Do53Nameserver(host, int(port or 53))
