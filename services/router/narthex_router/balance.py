"""Which instance gets a request. Pure: it sees loads, not connections."""

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar


class Loaded(Protocol):
    """What is known of an endpoint when one is chosen."""

    in_flight: int
    turn: int  # when it was last chosen; larger is later
    weight: int


EndpointT = TypeVar("EndpointT", bound=Loaded)


def lighter(one: EndpointT, other: EndpointT) -> EndpointT:
    """The one with fewer requests in flight for its weight; in a tie the one that waited longer."""
    left, right = one.in_flight * other.weight, other.in_flight * one.weight
    if left == right:
        return one if one.turn < other.turn else other
    return one if left < right else other


def choose(endpoints: Sequence[EndpointT], random: Callable[[], float]) -> EndpointT:
    """The lighter of two random ones ("power of two choices", Mitzenmacher 2001).

    Two endpoints are always compared with each other, so two idle replicas answer in turn.
    """
    count = len(endpoints)
    if count == 1:
        return endpoints[0]
    first = int(random() * count)
    second = int(random() * (count - 1))
    if second >= first:
        second += 1
    return lighter(endpoints[first], endpoints[second])
