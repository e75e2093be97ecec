"""What the handlers stand on, and what a request carries."""

import re
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from narthex.bus import Bus
from narthex.contracts.reach import Network, Reach
from narthex.runtime.clock import Clock
from narthex_registry import tables, webhook_calls
from narthex_registry.callers import Caller, Callers
from narthex_registry.config import ApiSettings, RegistrySettings, SignInSettings
from narthex_registry.database import Database
from narthex_registry.denials import Denials
from narthex_registry.domain_proof import Proof
from narthex_registry.drains import Drains
from narthex_registry.facts import Cause
from narthex_registry.feed import Feed
from narthex_registry.last_used import LastUsed
from narthex_registry.leases import Reaper
from narthex_registry.passwords import Passwords
from narthex_registry.permissions import Grants
from narthex_registry.pilot import Pilot
from narthex_registry.probers import Probers
from narthex_registry.propagation import Workers
from narthex_registry.rates import Rate, Rates
from narthex_registry.service_views import Address
from narthex_registry.sign_in import SignIn
from narthex_registry.single_sign_on import SingleSignOn
from narthex_registry.sources import source
from narthex_registry.standings import Standings
from narthex_registry.tail import Tail
from narthex_registry.tokens import Keys
from narthex_registry.webhooks import Webhooks

_TRACEPARENT = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")  # W3C trace context


@dataclass(frozen=True)
class State:
    """The registry as its API sees it."""

    database: Database
    bus: Bus
    clock: Clock
    feed: Feed
    tail: Tail
    standings: Standings
    workers: Workers
    probers: Probers
    reaper: Reaper
    drains: Drains
    pilot: Pilot
    address: Address
    api: ApiSettings
    registry: RegistrySettings
    keys: Keys
    callers: Callers
    webhooks: Webhooks
    webhook_caller: webhook_calls.Caller
    networks: tuple[Network, ...]  # internal ones that webhooks may call
    last_used: LastUsed
    denials: Denials
    rates: Rates
    passwords: Passwords
    sign_in: SignIn
    sign_in_settings: SignInSettings
    single_sign_on: SingleSignOn
    domain: str
    providers: frozenset[str]  # of discovery, that this installation runs
    trusted: tuple[Network, ...]  # proxies whose X-Forwarded-For is believed
    proof: Proof  # of domains
    reach: Reach = field(default_factory=Reach)  # where instances may be


STATE: web.AppKey[State] = web.AppKey("state", State)
# Set by `layers.who`: the caller where one is asked for, and project and grants where the path names a project.
CALLER: web.RequestKey[Caller] = web.RequestKey("caller", Caller)
USER: web.RequestKey[tables.User] = web.RequestKey("user", tables.User)
PROJECT_ID: web.RequestKey[str] = web.RequestKey("project_id", str)
GRANTS: web.RequestKey[Grants] = web.RequestKey("grants", Grants)
ORGANIZATION_ID: web.RequestKey[str] = web.RequestKey("organization_id", str)  # where the path names one
RATE: web.RequestKey[Rate] = web.RequestKey("rate", Rate)
TOTAL: web.RequestKey[int] = web.RequestKey("total", int)  # of a list that is cut into pages, on all of them
BODY: web.RequestKey[Any] = web.RequestKey("body", object)  # set by `layers.body`, where there is one
TRACEPARENT: web.RequestKey[str] = web.RequestKey("traceparent", str)  # the request's place in a trace, if it has one
REQUEST_ID: web.RequestKey[str] = web.RequestKey("request_id", str)


def state(request: web.Request) -> State:
    return request.config_dict[STATE]


def source_of(request: web.Request) -> str:
    """Where a request comes from."""
    forwarded = ",".join(request.headers.getall("X-Forwarded-For", []))
    return source(request.remote or "", forwarded, state(request).trusted)


def cause(request: web.Request) -> Cause:
    """What facts say about the request that brought them about."""
    traceparent = request.get(TRACEPARENT, "")
    user = request.get(USER)
    return Cause(
        correlation_id=request[REQUEST_ID],
        traceparent=traceparent if _TRACEPARENT.fullmatch(traceparent) else "",
        user_id=user.id if user is not None else None,
        user_email=user.email if user is not None else "",
    )
