"""What has to be looked at for each request, because it depends on its method and target. Pure.

Most shapes have no entrance: their caller was admitted by a token, and no page of another origin asks. Who is refused
has one, for a browser may be sent to the sign-in page instead; and browsers come back through the paths below
`/.narthex/`, which applications of protected services never see of callers without `Authorization`.
"""

import os
import re
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import quote

from narthex.contracts.passes import Pass, PassKind, read, sign
from narthex.routing.entry import Entry
from narthex_router.doors import cors, session
from narthex_router.doors.question import Question, Refusal
from narthex_router.doors.sign_out import SESSION_S, ended
from narthex_router.exchange import Exchange
from narthex_router.http1 import affinity_key
from narthex_router.responses import date_line
from narthex_router.route import Route
from narthex_router.shape import Entrance

OWN_PATHS = b"/.narthex/"
SIGN_IN, SHARE, SIGN_OUT = b"/.narthex/sign-in", b"/.narthex/share", b"/.narthex/sign-out"
JOURNEY_S = 900.0  # at the sign-in page
TARGET_KEPT = 2048  # bytes of the target to come back to; a longer one becomes /
SAFE = frozenset((b"GET", b"HEAD", b"OPTIONS"))
FINAL = frozenset(("project_suspended", "address_denied"))  # whatever somebody brings
_TICKET = re.compile(rb"[^?]*\?(?:code|ticket)=([A-Za-z0-9_.-]{1,4096})")
_SECRET = re.compile(rb"[0-9a-f]{32}")
_REASONS = {200: b"OK", 204: b"No Content", 303: b"See Other"}
_SIGNED_OUT = b"""<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Signed out</title>
<body style="font-family: system-ui, sans-serif; margin: 15vh auto; max-width: 24rem; text-align: center">
<h1>You have signed out</h1><p><a href="/">Sign in again</a></p></body></html>
"""
_HTML_FIELDS = (
    b"content-type: text/html; charset=utf-8\r\n"
    b"content-security-policy: default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'\r\n"
)


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer of the router's that is no refusal."""

    code: str  # what it is, for logs
    status: int
    fields: bytes
    body: bytes = b""
    ends: Entry | None = None  # the session that is over by it

    def message(self, request_id: bytes, *, close: bool, head_only: bool) -> bytes:
        length = b"" if self.status == 204 else b"content-length: %d\r\n" % len(self.body)
        return b"HTTP/1.1 %d %b\r\n%b%b%bcache-control: no-store\r\nx-request-id: %b\r\n%b\r\n%b" % (
            self.status,
            _REASONS[self.status],
            date_line(),
            self.fields,
            length,
            request_id,
            b"connection: close\r\n" if close else b"",
            b"" if head_only else self.body,
        )


class Desk(Protocol):
    """What signs passes, and where people sign in: the porter."""

    pass_key: bytes  # empty: not there yet
    sign_in_url: str  # empty: there is no sign-in page


def look(entrance: Entrance, exchange: Exchange, desk: Desk, now: float) -> Reply | Question | Refusal | None:
    """What becomes of a request: an answer, a question to be asked first, a refusal; None: it may go on."""
    refusal = entrance.refusal
    if refusal is not None and refusal.code in FINAL:
        return refusal
    if entrance.preflight and exchange.method == b"OPTIONS":
        return Reply("preflight", 204, entrance.preflight)
    if entrance.browser and exchange.target.startswith(OWN_PATHS) and desk.pass_key:
        return _own(exchange, desk.pass_key, now)
    if entrance.question is not None:
        return entrance.question
    if refusal is not None:
        return _sign_in(exchange, desk, now) if _wants_sign_in(exchange, refusal, desk) else refusal
    # Cookies and client certificates go along by themselves, whichever page asks; but only who has no browser sends a
    # certificate and does not say where it was asked.
    changes = entrance.browser and (exchange.method not in SAFE or exchange.upgrade())
    if changes and not _own_page(exchange, unsaid=not entrance.by_cookie):
        return Refusal("cross_origin", "A page of another origin may not do this in the name of who is here")
    return None


def _own(exchange: Exchange, key: bytes, now: float) -> Reply | Refusal:
    """A path of the router's own. What it brings is no business of those who read request records."""
    path = exchange.target.partition(b"?")[0]
    ticket = _TICKET.fullmatch(exchange.target)
    text = ticket[1].decode("ascii") if ticket else ""
    exchange.target = path
    if path == SIGN_OUT:
        return _sign_out(exchange, key, now)
    if exchange.method == b"GET" and path == SIGN_IN:
        return _signed_in(exchange, key, text, now)
    if exchange.method == b"GET" and path == SHARE:
        return _shared(exchange.route, key, text, now)
    return Refusal("token_missing", "There is no such path of the router's; below /.narthex/ all paths are its own")


def _signed_in(exchange: Exchange, key: bytes, text: str, now: float) -> Reply | Refusal:
    """Somebody comes back from the sign-in page: their code becomes a session, in the browser they left with only."""
    code = read(key, PassKind.CODE, text, now)
    secret = affinity_key(exchange.shape.fields.forward, session.JOURNEY_COOKIE, cookie=True)
    route = exchange.route
    if code is None or code.service_id != route.service_id or session.browser_digest(secret) != code.browser:
        return Refusal("token_invalid", "This sign-in has expired or was begun in another browser; open the page again")
    made = Pass(
        PassKind.SESSION,
        route.service_id,
        int(now + SESSION_S),
        issued_ms=code.issued_ms,
        subject_id=code.subject_id,
        token_id=code.token_id,
    )
    taken = session.set_cookie(session.JOURNEY_COOKIE, b"", 0)
    cookie = session.set_cookie(session.COOKIE, sign(key, made).encode(), SESSION_S)
    return Reply("sign_in", 303, onward(code.target) + cookie + taken)


def _shared(route: Route, key: bytes, text: str, now: float) -> Reply | Refusal:
    """A share link becomes a session that ends when the link does."""
    ticket = read(key, PassKind.SHARE, text, now)
    if ticket is None or ticket.service_id != route.service_id:
        return Refusal("token_invalid", "This link has expired, or is one of another service; ask for a new one")
    try:
        session.guest(route, ticket.share_id, ticket.generation, ticket.expires)
    except Refusal as refusal:
        return refusal
    made = Pass(
        PassKind.SESSION,
        route.service_id,
        ticket.expires,
        share_id=ticket.share_id,
        generation=ticket.generation,
    )
    cookie = session.set_cookie(session.COOKIE, sign(key, made).encode(), ticket.expires - now)
    return Reply("share", 303, onward(ticket.target) + cookie)


def onward(target: str) -> bytes:
    """The lines that lead on to a target on the same host: never to `//another.host`."""
    location = target.encode("ascii", "ignore") if re.fullmatch(r"/(?![/\\])[!-~]*", target) else b"/"
    return b"location: %b\r\nreferrer-policy: no-referrer\r\n" % location


def _sign_out(exchange: Exchange, key: bytes, now: float) -> Reply | Refusal:
    """End the session: for whoever opens the path, or posts to it from a page of the service.

    One that a share link has opened is only taken away: the link would open another.
    """
    forward = exchange.shape.fields.forward
    opened = affinity_key(forward, b"sec-fetch-mode", cookie=False) in (b"", b"navigate")
    if not (opened and exchange.method == b"GET") and not _own_page(exchange):
        return Refusal("cross_origin", "A page of another origin may not sign anybody out")
    held = session.held_session(exchange.route, session.session_text(forward), key, now)
    ends = ended(held) if held is not None and not held.share_id else None
    return Reply("sign_out", 200, _HTML_FIELDS + session.set_cookie(session.COOKIE, b"", 0), _SIGNED_OUT, ends)


def _wants_sign_in(exchange: Exchange, refusal: Refusal, desk: Desk) -> bool:
    """Whether it is a browser that opens a page and has no credential, or one that has expired."""
    doors, fields = exchange.route.doors, exchange.shape.fields
    if doors is None or not doors.browser_sign_in or not desk.sign_in_url or not desk.pass_key:
        return False
    if exchange.method != b"GET" or fields.authorization is not None:
        return False
    if refusal.code not in ("token_missing", "token_expired"):
        return False
    mode = affinity_key(fields.forward, b"sec-fetch-mode", cookie=False)
    return mode in (b"", b"navigate") and b"text/html" in affinity_key(fields.forward, b"accept", cookie=False).lower()


def _sign_in(exchange: Exchange, desk: Desk, now: float) -> Reply:
    """To the sign-in page, with a journey that leads back here."""
    fields = exchange.shape.fields
    secret = affinity_key(fields.forward, session.JOURNEY_COOKIE, cookie=True)
    if _SECRET.fullmatch(secret) is None:  # a second tab keeps that of the first
        secret = os.urandom(16).hex().encode()
    journey = Pass(
        PassKind.JOURNEY,
        exchange.route.service_id,
        int(now + JOURNEY_S),
        browser=session.browser_digest(secret),
        host=fields.host.decode("ascii"),
        target=exchange.target.decode("ascii") if len(exchange.target) <= TARGET_KEPT else "/",
    )
    location = f"{desk.sign_in_url}?journey={quote(sign(desk.pass_key, journey))}".encode("ascii")
    cookie = session.set_cookie(session.JOURNEY_COOKIE, secret, JOURNEY_S)
    return Reply("sign_in", 303, b"location: %b\r\nreferrer-policy: no-referrer\r\n%b" % (location, cookie))


def _own_page(exchange: Exchange, *, unsaid: bool = False) -> bool:
    """Whether the request was made by a page of the service itself, or of an origin that it trusts with cookies;
    `unsaid` where nothing tells."""
    fields, doors = exchange.shape.fields, exchange.route.doors
    origin = affinity_key(fields.forward, b"origin", cookie=False)
    if not origin:
        site = affinity_key(fields.forward, b"sec-fetch-site", cookie=False)
        return site in (b"same-origin", b"none") or (unsaid and not site)
    if origin.lower() == b"https://" + fields.host.lower():
        return True
    trusted = doors.cors if doors is not None else None
    return trusted is not None and trusted.credentials and cors.allowed_origin(trusted, origin) == origin


def refusal_fields(refusal: Refusal, route: Route) -> bytes:
    """More lines of a refusal: where names and passwords are a way in, a browser is told to ask for them."""
    doors = route.doors
    asked = refusal.code in ("token_missing", "token_invalid") and doors is not None and doors.basic_users
    return b'www-authenticate: Basic realm="narthex", charset="UTF-8"\r\n' if asked else b""
