"""What requests with the same header bytes on one connection have in common: decided once, used until it changes.

Requests in a row mostly differ in their first line alone. Reading the fields, finding the route, admitting the
caller and putting the forwarded lines together costs more than all the rest of a request; a shape holds the
outcome, and `fits` says whether it still holds. Pure.
"""

from dataclasses import dataclass, field
from enum import IntEnum
from math import inf

from narthex_router.access import Knock, Porter, Refusal, admit
from narthex_router.doors import cors, session
from narthex_router.doors.certificate import Asked
from narthex_router.doors.question import Question, Unsettled
from narthex_router.gate import Gate
from narthex_router.http1 import NOT_SERVED, REQUEST_LINE, BadMessage, Fields, affinity_key, host_name
from narthex_router.table import Caller, Route, Table


class Ruling(IntEnum):
    """What becomes of requests of a shape."""

    PASS = 0
    UNKNOWN = 1  # no service at this host
    MISDIRECTED = 2  # a service, but not under this connection's certificate
    REDIRECT = 3  # plain HTTP, where only HTTPS is served
    REFUSED = 4  # the caller may not


@dataclass(slots=True)
class Entrance:
    """What has to be looked at for each request of a shape; see `doors.entrance`."""

    refusal: Refusal | None = None
    question: Question | None = None
    preflight: bytes = b""  # the lines that answer it, if it is an OPTIONS
    browser: bool = False  # a protected service and no `Authorization`: the router's own paths are there
    by_cookie: bool = False  # the caller is whoever has signed in with the browser


@dataclass(slots=True)
class Shape:
    """The outcome for one block of header lines."""

    block: bytes  # the header lines, as sent
    version: bytes  # b"0" or b"1": the client's minor version
    fields: Fields
    host: bytes  # the name in Host
    peer: str
    keep_alive: bool
    asked: Asked | None = None  # of the client, in the connection's handshake
    access: object = None  # the state of tokens and permissions it was ruled by
    route: Route | None = None
    ruling: Ruling = Ruling.UNKNOWN
    entrance: Entrance | None = None  # None for most: nothing is left to be looked at
    caller: Caller | None = None
    expires_at: float = inf  # Unix seconds: the caller's token, or the refusal
    said: bytes = b""  # lines that all answers get: what pages of other origins may do with them
    gate: Gate | None = None  # to the service's limits, if it has any
    plain: bool = False  # no body and nothing to negotiate: most requests
    lines: bytes = b""  # the lines that go upstream with each of them
    tail: bytes = b""  # of a plain request: all after its first line
    # The first line of the last plain request, and what was made of it: requests in a row are often the same.
    line: bytes | None = None
    method: bytes = b""
    target: bytes = b""
    head: bytes = b""  # what goes upstream of it, up to the request id
    wanted: str = ""  # what is written of it; made when its first record is
    wanted_by: bytes = b""  # the target that this says
    record: str = ""  # the part of their records that is the same; made when the first is written
    attempts: dict[str, str] = field(default_factory=dict)  # what is written of each instance that answered at once
    other: "Shape | None" = None  # for requests that take the other route of a split, see `split`

    def fits(self, block: bytes, version: bytes, table: Table, now: float) -> bool:
        """Whether a request with this block may be treated as the one that the shape was made for."""
        return block == self.block and version == self.version and self.holds(table, now)

    def holds(self, table: Table, now: float) -> bool:
        """Whether what was decided is still so, for a request with the same block and version."""
        route = self.route
        return (
            route is not None  # a host without a service is looked up each time: it may have one by now
            and table.routes.get(self.host) is route
            and table.access is self.access
            and self.expires_at > now
        )

    def reads(self, line: bytes) -> bool:
        """Read the first line of a plain request; False where it is not a usual one, which others deal with."""
        match = REQUEST_LINE.fullmatch(line)
        if match is None or match[3] != self.version or match[1] in NOT_SERVED or match[2][0] != 0x2F:  # "/"
            return False
        self.line, self.method, self.target = line, match[1], match[2]
        self.head = b"%b %b HTTP/1.1\r\n%bx-request-id: " % (match[1], match[2], self.lines)
        return True


def new_shape(block: bytes, version: bytes, fields: Fields, peer: str, asked: Asked | None = None) -> Shape:
    """A shape that is not ruled on yet. Raises BadMessage where version and fields do not go together."""
    if version == b"0":
        if fields.chunked:
            raise BadMessage("Transfer-Encoding is not part of HTTP/1.0")
        keep_alive = fields.keep_alive and not fields.close
    else:
        if not fields.host:
            raise BadMessage("Host is missing")
        keep_alive = not fields.close
    host = host_name(fields.host) if fields.host else b""
    return Shape(block, version, fields, host, peer, keep_alive, asked)


def rule(
    shape: Shape, table: Table, porter: Porter, now: float, *, covered: bool, redirect: bool, forwarded: bytes
) -> None:
    """Decide what becomes of requests of this shape.

    `covered`: the connection's certificate is good for the host. `redirect`: services are not served here.
    `forwarded`: the lines that tell the instance about the client.
    """
    shape.access = table.access
    shape.line = None  # what was made of it may not hold any more
    route = shape.route = table.route(shape.host)
    if route is None:
        shape.ruling = Ruling.UNKNOWN
    elif not covered:
        shape.ruling = Ruling.MISDIRECTED
    elif redirect:
        shape.ruling = Ruling.REDIRECT
    else:
        admit_shape(shape, route, table, porter, now)
        if shape.ruling is Ruling.PASS:  # else it goes nowhere
            shape.lines = _lines(shape, route, forwarded)
        fields = shape.fields
        shape.plain = not (
            fields.length or fields.chunked or fields.expect_continue or fields.upgrade or fields.traceparent
        )
        if shape.plain:
            shape.tail = shape.block + b"\r\n"


def admit_shape(shape: Shape, route: Route, table: Table, porter: Porter, now: float) -> None:
    """Let the caller in or not, as far as their header lines say."""
    browser = shape.fields.authorization is None and route.authentication_required
    knock = knock_of(shape)
    refusal: Refusal | None = None
    asked: Question | None = None
    shape.expires_at = inf
    try:
        caller = shape.caller = admit(route, knock, table, porter, now)
    except Refusal as refused:
        refusal, shape.ruling, shape.expires_at = refused.kept(), Ruling.REFUSED, refused.until
    except Unsettled as unsettled:
        asked, shape.ruling = unsettled.question, Ruling.PASS
    else:
        shape.ruling = Ruling.PASS
        if caller is not None:
            shape.expires_at = caller.expires_at
    preflight = _say(shape, route) if route.doors is not None and route.doors.cors is not None else b""
    plain = refusal is None and asked is None and not preflight and not browser and route.split is None
    shape.entrance = None if plain else Entrance(refusal, asked, preflight, browser, browser and knock.session != b"")


def knock_of(shape: Shape) -> Knock:
    """What a request brings."""
    authorization = shape.fields.authorization
    cookie = session.session_text(shape.fields.forward) if authorization is None else b""
    return Knock(shape.peer, authorization, cookie, shape.asked)


def _say(shape: Shape, route: Route) -> bytes:
    """What answers say to pages of other origins; returns what answers a preflight, if it may be one."""
    assert route.doors is not None
    assert route.doors.cors is not None
    forward = shape.fields.forward
    origin = affinity_key(forward, b"origin", cookie=False)
    shape.said = cors.answer_lines(route.doors.cors, origin)
    if not origin or not affinity_key(forward, b"access-control-request-method", cookie=False):
        return b""
    headers = affinity_key(forward, b"access-control-request-headers", cookie=False)
    return cors.preflight_lines(route.doors.cors, origin, headers)


def _lines(shape: Shape, route: Route, forwarded: bytes) -> bytes:
    """The header lines that all requests of a shape have in common on their way to an instance."""
    fields, caller = shape.fields, shape.caller
    lines = [
        b"host: %b\r\n" % (fields.host or route.host),
        forwarded,
        b"x-forwarded-host: %b\r\n" % fields.host,
        session.without_our_cookies(fields.forward),
    ]
    if caller is not None:
        lines.append(
            b"x-narthex-user: %b\r\nx-narthex-project: %b\r\nx-narthex-service: %b\r\n"
            % (caller.header, route.project_id.encode("ascii"), route.service_id.encode("ascii"))
        )
        if caller.roles:
            lines.append(b"x-narthex-roles: %b\r\n" % caller.roles)
    if fields.authorization is not None and route.header_pass_through:
        lines.append(b"authorization: %b\r\n" % fields.authorization)
    if fields.chunked:
        lines.append(b"transfer-encoding: chunked\r\n")
    elif fields.length is not None:
        lines.append(b"content-length: %d\r\n" % fields.length)
    return b"".join(lines)
