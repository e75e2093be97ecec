"""Who calls, and whether they may: what requests with the same header lines have in common. Pure.

`admit` knows tokens by itself; the other ways in are each in a module of `doors`.
"""

from dataclasses import dataclass
from typing import Protocol

from narthex.contracts.passes import Pass
from narthex_router.doors import bearer, certificate, session
from narthex_router.doors.certificate import Asked
from narthex_router.doors.question import Question, Unsettled, Way, question
from narthex_router.doors.question import Refusal as Refusal
from narthex_router.table import Caller, Route

FORM = "Authorization must be: Token <token>, or Bearer <token>"
_OR_SHOW = ", or show a client certificate"


class Callers(Protocol):
    """Who is known: the table."""

    in_step: bool  # what is known is not behind

    def caller(self, token: bytes) -> Caller | None: ...
    def visitor(self, session: Pass) -> Caller | None: ...


class Porter(Protocol):
    """What was found out about credentials that take time to check."""

    pass_key: bytes

    def settled(self, question: Question, now: float) -> Caller | Refusal | None: ...


@dataclass(slots=True)
class Knock:
    """What somebody brings."""

    peer: str
    authorization: bytes | None
    session: bytes = b""  # the cookie of a browser that has signed in
    asked: Asked | None = None  # what the handshake asked of the client; None: nothing


def read_authorization(authorization: bytes) -> tuple[bytes, bytes]:
    """The scheme in lower case, and the credential."""
    scheme, _, credential = authorization.partition(b" ")
    return scheme.lower(), credential.strip(b" ")


def admit(route: Route, knock: Knock, callers: Callers, porter: Porter, now: float) -> Caller | None:
    """The caller, None for a public service; raises Refusal, or Unsettled. `now` is Unix time in seconds."""
    if route.suspended:
        raise Refusal("project_suspended", "The service's project was suspended; its owner knows more")
    if route.doors is not None and not route.doors.let_in(knock.peer):
        raise Refusal("address_denied", f"This service is not open to {knock.peer}")
    if not route.authentication_required:
        return None
    caller = _comes(route, knock, callers, porter, now)
    if caller.expires_at <= now:
        raise Refusal("token_expired", "Ask for a new token")
    if not caller.may_call(route):
        raise Refusal("permission_denied", "The token's owner may not create requests on this deployment")
    return caller


def _comes(route: Route, knock: Knock, callers: Callers, porter: Porter, now: float) -> Caller:
    """Who somebody is, by the first thing they bring that is a way in here."""
    door = route.doors.client_certificates if route.doors is not None else None
    asked = knock.asked
    if door is None or (asked is not None and asked.authorities != door.authorities):
        asked = None  # whatever the connection was asked for, it was not for this service
    shown = asked if asked is not None and asked.names else None
    if knock.authorization is not None and (shown is None or _takes_authorization(route)):
        return _by_authorization(route, knock.authorization, callers, porter, now)
    if door is not None and shown is not None:
        return certificate.holder(route, door, shown)
    if knock.session:
        return session.visitor(route, knock.session, porter.pass_key, callers.visitor, now)
    if door is not None and asked is None:
        raise Refusal("misdirected", "Open a new connection: this one was not asked for this service's certificates")
    raise Refusal("token_missing", "Send the header: Authorization: Token <token>" + (_OR_SHOW if door else ""))


def _takes_authorization(route: Route) -> bool:
    """Whether `Authorization` is a way in; else it is the application's business."""
    doors = route.doors
    return route.token_enabled or (doors is not None and bool(doors.basic_users or doors.jwt))


def _by_authorization(route: Route, authorization: bytes, callers: Callers, porter: Porter, now: float) -> Caller:
    scheme, credential = read_authorization(authorization)
    doors = route.doors
    if doors is not None and scheme == b"basic" and doors.basic_users:
        depends = "\0".join(f"{name}:{kept}" for name, kept in sorted(doors.basic_users.items()))
        return _settled(question(Way.BASIC, route, depends, credential), porter, now)
    if scheme not in (b"token", b"bearer") or not credential:
        raise Refusal("token_invalid", FORM)
    if doors is not None and doors.jwt is not None and bearer.looks_like_one(credential):
        depends = repr((doors.jwt, doors.calling_roles))
        return _settled(question(Way.JWT, route, depends, credential), porter, now)
    if not route.token_enabled:
        raise Refusal("token_invalid", "This service takes no tokens")
    # A token is looked up by its digest, so its timing says nothing about how much of it was right.
    caller = callers.caller(credential)
    if caller is None and not callers.in_step:
        raise Refusal("access_unknown", "This router has not heard of new tokens for a while; try again in a moment")
    if caller is None:
        raise Refusal("token_invalid", "No such token, or it was revoked")
    return caller


def _settled(asked: Question, porter: Porter, now: float) -> Caller:
    found = porter.settled(asked, now)
    if found is None:
        raise Unsettled(asked)
    if isinstance(found, Refusal):
        raise found
    return found
