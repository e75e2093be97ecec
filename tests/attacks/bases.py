"""Good requests that the mutations start from: every framing, every form of target, one and several in a row."""

_HOST = b"Host: svc.test\r\n"

GET = b"GET /a?b=c HTTP/1.1\r\n" + _HOST + b"Accept: */*\r\nCookie: a=b; c=d\r\n\r\n"
POST = (
    b"POST /submit HTTP/1.1\r\n"
    + _HOST
    + b"Content-Type: text/plain\r\nContent-Length: 11\r\nX-A: b c\r\n\r\nhello world"
)
CHUNKED = (
    b"POST /chunked HTTP/1.1\r\n" + _HOST + b"Transfer-Encoding: chunked\r\n\r\n"
    b'5\r\nhello\r\n6;a=b;c="d e"\r\n world\r\n0\r\nX-Sum: 1\r\n\r\n'
)
# What a desync looks for: a request inside the body, and one after it.
_SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: smuggled.test\r\n\r\n"
_AFTER = b"GET /after HTTP/1.1\r\n" + _HOST + b"\r\n"
CARRIER = (
    b"POST /carrier HTTP/1.1\r\n" + _HOST + b"Transfer-Encoding: chunked\r\n\r\n"
    b"%x\r\n%b\r\n0\r\n\r\n" % (len(_SMUGGLED), _SMUGGLED) + _AFTER
)
LENGTH_CARRIER = (
    b"POST /carrier HTTP/1.1\r\n" + _HOST + b"Content-Length: %d\r\n\r\n"
    b"0\r\n\r\n%b" % (len(_SMUGGLED) + 5, _SMUGGLED) + _AFTER
)

BASES: dict[str, bytes] = {
    "get": GET,
    "post": POST,
    "chunked": CHUNKED,
    "carrier": CARRIER,
    "length-carrier": LENGTH_CARRIER,
    "head": b"HEAD /h HTTP/1.1\r\n" + _HOST + b"\r\n",
    "get-with-body": b"GET /g HTTP/1.1\r\n" + _HOST + b"Content-Length: 5\r\n\r\nhello",
    "head-with-body": b"HEAD /h HTTP/1.1\r\n" + _HOST + b"Content-Length: 5\r\n\r\nhello",
    "options-with-body": b"OPTIONS /o HTTP/1.1\r\n" + _HOST + b"Content-Length: 5\r\n\r\nhello",
    "options": b"OPTIONS * HTTP/1.1\r\n" + _HOST + b"\r\n",
    "absolute": b"GET http://svc.test/abs?x HTTP/1.1\r\nHost: svc.test:8080\r\n\r\n",
    "http-1.0": b"POST /old HTTP/1.0\r\n" + _HOST + b"Connection: keep-alive\r\nContent-Length: 3\r\n\r\nabc",
    "expect": b"PUT /e HTTP/1.1\r\n" + _HOST + b"Expect: 100-continue\r\nContent-Length: 4\r\n\r\nbody",
    "upgrade": (
        b"GET /ws HTTP/1.1\r\n" + _HOST + b"Connection: Upgrade\r\nUpgrade: websocket\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    ),
    "named": (
        b"GET /n HTTP/1.1\r\n" + _HOST + b"Connection: close, x-a, x-request-id, host, content-length\r\n"
        b"X-A: 1\r\nX-Forwarded-For: 6.6.6.6\r\nTE: trailers\r\nAuthorization: Bearer t\r\n\r\n"
    ),
    "pipelined": GET + POST + CHUNKED + GET,
}
