"""Message heads that go out: a request's to an instance, a response's to a client. Pure.

They are put together from what was read, never passed along (DESIGN section 7).
"""

from narthex_router.bodies import NO_BODY, Body, ChunkedBody, LengthBody, UntilClose
from narthex_router.doors import cors, session
from narthex_router.exchange import Exchange
from narthex_router.http1 import ResponseFields, ResponseHead

SWITCHING = b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n"
_INTERIM = {100: b"Continue", 102: b"Processing", 103: b"Early Hints"}


def plain_request(exchange: Exchange) -> bytes:
    """A request that has no body and negotiates nothing: most of them."""
    trace = exchange.id.replace(b"-", b"")
    return b"".join(  # half of what formatting takes (measured)
        (
            exchange.method,
            b" ",
            exchange.target,
            b" HTTP/1.1\r\n",
            exchange.shape.lines,
            b"x-request-id: ",
            exchange.id,
            b"\r\ntraceparent: 00-",
            trace,
            b"-",
            trace[:16],
            b"-01\r\n\r\n" if exchange.traced else b"-00\r\n\r\n",
        )
    )


def request_head(exchange: Exchange, *, expects: bool) -> bytes:
    """The head of any other request; `expects`: its body has yet to come, and the client may wait to be told so."""
    shape, fields = exchange.shape, exchange.shape.fields
    parts = [b"%b %b HTTP/1.1\r\n%bx-request-id: %b\r\n" % (exchange.method, exchange.target, shape.lines, exchange.id)]
    if not fields.traceparent:
        trace = exchange.id.replace(b"-", b"")
        parts.append(b"traceparent: 00-%b-%b-0%d\r\n" % (trace, trace[:16], exchange.traced))
    if expects and fields.expect_continue and shape.version == b"1":
        parts.append(b"expect: 100-continue\r\n")
    if exchange.upgrade():
        parts.append(b"connection: upgrade\r\nupgrade: websocket\r\n")
    parts.append(b"\r\n")
    return b"".join(parts)


def framing(exchange: Exchange, head: ResponseHead, body: Body) -> bytes | None:
    """The line that frames a response's body for this client; None where only closing can end it."""
    status, fields = head.status, head.fields
    if type(body) is LengthBody:
        return b"content-length: %d\r\n" % body.left
    if type(body) is ChunkedBody or type(body) is UntilClose:
        return b"transfer-encoding: chunked\r\n" if exchange.shape.version == b"1" else None
    if fields.length is not None and status != 204:
        return b"content-length: %d\r\n" % fields.length
    if body is NO_BODY and status not in (204, 304) and exchange.method != b"HEAD":
        return b"content-length: 0\r\n"
    return b""


def response_head(exchange: Exchange, head: ResponseHead, framed: bytes, *, keep_alive: bool) -> bytes:
    """The head of a final response, put together for this client."""
    if not keep_alive:
        framed += b"connection: close\r\n"
    elif exchange.shape.version == b"0":
        framed += b"connection: keep-alive\r\n"
    return b"HTTP/1.1 %d %b\r\n%bx-request-id: %b\r\n%b\r\n" % (
        head.status,
        head.reason,
        end_to_end(exchange, head.fields),
        exchange.id,
        framed,
    )


def end_to_end(exchange: Exchange, fields: ResponseFields) -> bytes:
    """An instance's fields as this client gets them."""
    forward = fields.forward
    if fields.wide_cookies and exchange.route.is_ours():
        forward = session.host_only(forward)
    if exchange.shape.said:
        forward = cors.without_cors(forward) + exchange.shape.said
    return forward


def interim(status: int, fields: ResponseFields) -> bytes:
    """A 1xx response."""
    return b"HTTP/1.1 %d %b\r\n%b\r\n" % (status, _INTERIM.get(status, b""), fields.forward)
