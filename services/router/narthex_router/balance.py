"""Which instance gets a request. Pure: it sees loads, not connections."""

import zlib
from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from typing import Protocol, TypeVar


class Loaded(Protocol):
    """What is known of an endpoint when one is chosen."""

    in_flight: int
    turn: int  # when it was last chosen; larger is later
    weight: int
    key: bytes  # what it is told apart by, the same in every worker


Random = Callable[[], float]
LEAST_WARMTH = 0.02  # something has to warm it up

EndpointT = TypeVar("EndpointT", bound=Loaded)


def lighter(one: EndpointT, other: EndpointT) -> EndpointT:
    """The one with fewer requests in flight for its weight; in a tie the one that waited longer."""
    left, right = one.in_flight * other.weight, other.in_flight * one.weight
    if left == right:
        return one if one.turn < other.turn else other
    return one if left < right else other


def choose(
    endpoints: Sequence[EndpointT], random: Callable[[], float], balancing: str = "least_of_two", affinity: bytes = b""
) -> EndpointT:
    """The endpoint for a request under a service's way of balancing; `affinity` is the session's key, if any."""
    if len(endpoints) == 1:
        return endpoints[0]
    if balancing == "least_of_two":
        return least_of_two(endpoints, random)
    if balancing == "round_robin":
        return min(endpoints, key=lambda endpoint: endpoint.turn)
    if balancing == "affinity" and affinity:
        return nearest(endpoints, affinity)
    return reduce(lighter, endpoints)


def warmed(
    endpoints: Sequence[EndpointT], since: Mapping[bytes, float], slow_start_s: float, now: float, random: Random
) -> list[EndpointT]:
    """The endpoints that take part in a choice: one that became healthy lately, only as often as it is old.

    Whatever balances afterwards sees it at a rising share of the requests. When all are new, all take part.
    """
    chosen = [each for each in endpoints if warmth(now - since.get(each.key, 0.0), slow_start_s) > random()]
    return chosen or list(endpoints)


def warmth(age_s: float, slow_start_s: float) -> float:
    """The share of its requests that an endpoint of this age gets; more than 1: all."""
    return max(LEAST_WARMTH, age_s / slow_start_s) if age_s < slow_start_s else 2.0


def nearest(endpoints: Sequence[EndpointT], affinity: bytes) -> EndpointT:
    """Rendezvous hashing (Thaler and Ravishankar 1998): an endpoint that goes moves only its own sessions."""
    return max(endpoints, key=lambda endpoint: zlib.crc32(endpoint.key, zlib.crc32(affinity)))


def least_of_two(endpoints: Sequence[EndpointT], random: Callable[[], float]) -> EndpointT:
    """The lighter of two random ones ("power of two choices", Mitzenmacher 2001).

    Two endpoints are always compared with each other, so two idle replicas answer in turn.
    """
    count = len(endpoints)
    first = int(random() * count)
    second = int(random() * (count - 1))
    if second >= first:
        second += 1
    return lighter(endpoints[first], endpoints[second])
