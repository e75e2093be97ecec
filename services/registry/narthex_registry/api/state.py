"""What the handlers stand on, and what a request carries."""

import re
from dataclasses import dataclass

from aiohttp import web

from narthex.bus import Bus
from narthex.runtime.clock import Clock
from narthex_registry import tables
from narthex_registry.config import ApiSettings, RegistrySettings
from narthex_registry.database import Database
from narthex_registry.facts import Cause
from narthex_registry.feed import Feed
from narthex_registry.leases import Reaper
from narthex_registry.propagation import Workers
from narthex_registry.services import Address

_TRACEPARENT = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")  # W3C trace context


@dataclass(frozen=True)
class State:
    """The registry as its API sees it."""

    database: Database
    bus: Bus
    clock: Clock
    feed: Feed
    workers: Workers
    reaper: Reaper
    address: Address
    api: ApiSettings
    registry: RegistrySettings


STATE: web.AppKey[State] = web.AppKey("state", State)
USER: web.RequestKey[tables.User] = web.RequestKey("user", tables.User)
REQUEST_ID: web.RequestKey[str] = web.RequestKey("request_id", str)


def state(request: web.Request) -> State:
    return request.config_dict[STATE]


def cause(request: web.Request) -> Cause:
    """What facts say about the request that brought them about."""
    traceparent = request.headers.get("traceparent", "")
    return Cause(request[REQUEST_ID], traceparent if _TRACEPARENT.fullmatch(traceparent) else "")
