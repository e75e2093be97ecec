"""Two versions that share a service's requests while a rollout is under way: which of them gets one. Pure.

A service that is shared so has two routes, which differ in version and instances. Requests of other services never
come here: what has to be decided for each request is behind the shape's entrance, where most have none.
"""

from collections.abc import Callable
from dataclasses import replace
from zlib import crc32

from narthex_router.exchange import Exchange
from narthex_router.http1 import affinity_key
from narthex_router.route import WHOLE, Route, Split
from narthex_router.shape import Shape


def share(exchange: Exchange, random: Callable[[], float]) -> None:
    """Give a request to one of the two versions. One without an instance gets none while the other has some."""
    split, base = exchange.route.split, exchange.route
    if split is None or split.other is None:
        return
    other = split.other
    if not other.targets or (base.targets and not _is_for_other(split, exchange.shape.fields.forward, random)):
        return
    exchange.route, exchange.shape = other, _shape_of(exchange.shape, other)


def fall_back(exchange: Exchange, base: Route | None) -> bool:
    """Give a request that the new version's instances could not take to the other one; False where that is not so."""
    split = exchange.route.split
    if split is None or split.other is not None or base is None or not base.targets:
        return False
    exchange.route, exchange.shape = base, _anew(exchange.shape, base)
    return True


def _is_for_other(split: Split, forward: bytes, random: Callable[[], float]) -> bool:
    """By the value that makes requests belong together, which stays with the new version as its weight grows."""
    key = affinity_key(forward, split.sticky, cookie=split.sticky_cookie) if split.sticky else b""
    return (crc32(key, split.salt) if key else random() * WHOLE) < split.below


def _shape_of(shape: Shape, route: Route) -> Shape:
    """What requests of a shape have in common when they take the other route; made once."""
    held = shape.other
    if held is None or held.route is not route or held.caller is not shape.caller:
        held = shape.other = _anew(shape, route)
    return held


def _anew(shape: Shape, route: Route) -> Shape:
    """The same for another route, without what was written of the one it had."""
    return replace(shape, route=route, other=None, record="", wanted="", wanted_by=b"", attempts={})
