"""Browsers: the cookie that says who has signed in, for one service alone, and how it gets there. Pure.

A cookie is a signed pass (`narthex.contracts.passes`). It names somebody; whether they may call is looked up in the
table like for a token, so what is taken from them is taken from their browsers too. It is host-only (`__Host-`), and
names its service: the cookie of one is refused by all others.
"""

import hashlib
from collections.abc import Callable

from msgspec import structs

from narthex.contracts.passes import Pass, PassKind, read
from narthex_router.doors.question import Refusal
from narthex_router.http1 import affinity_key
from narthex_router.route import Caller, Route

COOKIE = b"__Host-narthex"
JOURNEY_COOKIE = b"__Host-narthex-journey"  # a secret of the browser's, while it is at the sign-in page
SIGN_IN_AGAIN = "You are not signed in any more; sign in again"
_ATTRIBUTES = b"Path=/; Secure; HttpOnly; SameSite=Lax"

FindVisitor = Callable[[Pass], Caller | None]  # whose browser it is; None: that is over


def session_text(forward: bytes) -> bytes:
    """The session in a request's fields; empty when there is none."""
    return affinity_key(forward, COOKIE, cookie=True) if COOKIE in forward else b""


def visitor(route: Route, text: bytes, key: bytes, find: FindVisitor, now: float) -> Caller:
    """Who has signed in with this browser. Raises Refusal."""
    session = held_session(route, text, key, now)
    if session is None:
        raise Refusal("token_expired", SIGN_IN_AGAIN)
    if session.share_id:
        return guest(route, session.share_id, session.generation, session.expires)
    caller = find(session)
    if caller is None:
        raise Refusal("token_expired", SIGN_IN_AGAIN)
    return structs.replace(caller, expires_at=min(caller.expires_at, session.expires))


def held_session(route: Route, text: bytes, key: bytes, now: float) -> Pass | None:
    """What a cookie says, if it is one of this service's and in time."""
    session = read(key, PassKind.SESSION, text.decode("latin-1"), now) if key else None
    return session if session is not None and session.service_id == route.service_id else None


def guest(route: Route, share_id: str, generation: int, expires: float) -> Caller:
    """Whoever has a share link. Raises Refusal when the service's links were withdrawn."""
    if generation != share_generation(route):
        raise Refusal("token_expired", "This link was withdrawn; ask for a new one")
    return Caller(
        token_id=f"share-{share_id}",
        subject_id=f"share-{share_id}",
        name="share link",
        expires_at=expires,
        everything=False,
        projects=frozenset(),
        deployments=frozenset(),
        services=frozenset((route.service_id,)),
        header=b"share link",
    )


def share_generation(route: Route) -> int:
    return route.doors.share_generation if route.doors is not None else 0


def set_cookie(name: bytes, value: bytes, seconds: float) -> bytes:
    """The line that sets a cookie, or with 0 seconds takes it away."""
    return b"set-cookie: %b=%b; Max-Age=%d; %b\r\n" % (name, value, seconds, _ATTRIBUTES)


def browser_digest(secret: bytes) -> str:
    """What a pass says of the browser it is for."""
    return hashlib.sha256(b"narthex browser\0" + secret).hexdigest()


def without_our_cookies(forward: bytes) -> bytes:
    """A request's fields without cookies that are the router's business."""
    if COOKIE not in forward:
        return forward
    return b"".join(_without_ours(line) for line in forward.split(b"\r\n") if line)


def _without_ours(line: bytes) -> bytes:
    name, _, value = line.partition(b": ")
    if name.lower() != b"cookie":
        return line + b"\r\n"
    kept = [pair for pair in value.split(b";") if pair.strip(b" \t").partition(b"=")[0].strip(b" \t") not in _OURS]
    return b"%b: %b\r\n" % (name, b";".join(kept).strip(b" \t")) if kept else b""


def host_only(forward: bytes) -> bytes:
    """An answer's fields with cookies for this host only: those for a parent domain would reach other tenants."""
    return b"".join(_host_only(line) + b"\r\n" for line in forward.split(b"\r\n") if line)


def _host_only(line: bytes) -> bytes:
    name, _, value = line.partition(b": ")
    if name.lower() != b"set-cookie":
        return line
    cookie, *attributes = value.split(b";")
    kept = [each for each in attributes if each.partition(b"=")[0].strip(b" \t").lower() != b"domain"]
    return b"%b: %b" % (name, b";".join((cookie, *kept)))


_OURS = frozenset((COOKIE, JOURNEY_COOKIE))
