"""HTTP/1.1 messages, bytes in and bytes out. Pure; strict: what is ambiguous is refused, never repaired.

A head is checked by one compiled expression as a whole and only then taken apart; what is forwarded is put
together again from the parts. Lists of pairs, never dicts: a repeated field is seen. Rules are from RFC 9110
(semantics) and RFC 9112 (HTTP/1.1).
"""

import re
from dataclasses import dataclass

# tchar without "_": backends that fold "-" and "_" together (CGI, WSGI) would see our own fields forged.
_TCHAR = rb"[!#$%&'*+\-.^`|~0-9A-Za-z]"
# field-value: no control characters but HTAB; bytes above 127 pass unchanged (RFC 9110 section 5.5).
_VALUE = rb"[^\x00-\x08\x0a-\x1f\x7f]"

REQUEST_LINE = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]{1,32}) ([!\"$-~]+) HTTP/1\.([01])\r\n")
STATUS_LINE = re.compile(rb"HTTP/1\.([01]) ([1-9][0-9][0-9])(?: (" + _VALUE + rb"{0,512}))?\r\n")
_BLOCK = re.compile(rb"(?:" + _TCHAR + rb"{1,256}+:" + _VALUE + rb"*+\r\n)*+")
_FIELD = re.compile(rb"(" + _TCHAR + rb"+):[ \t]*(" + _VALUE + rb"*)\r\n")
_RESPONSE_TCHAR = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]"  # an instance may name its fields as it likes
_RESPONSE_BLOCK = re.compile(rb"(?:" + _RESPONSE_TCHAR + rb"++:" + _VALUE + rb"*+\r\n)*+")
_RESPONSE_FIELD = re.compile(rb"(" + _RESPONSE_TCHAR + rb"+):[ \t]*(" + _VALUE + rb"*)\r\n")
# chunk-size with its extensions (RFC 9112 section 7.1.1), which are checked and dropped: what another reader
# could take for the end of the line, or for no extension at all, is refused.
_CHUNK_LINE = re.compile(
    rb"([0-9A-Fa-f]{1,16})"
    rb"(?:[ \t]*+;[ \t]*+" + _RESPONSE_TCHAR + rb"++"
    rb"(?:[ \t]*+=[ \t]*+(?:"
    + _RESPONSE_TCHAR
    + rb'++|"(?:[\t \x21\x23-\x5b\x5d-\x7e\x80-\xff]|\\[\t\x20-\x7e\x80-\xff])*+"))?+)*+'
)
_LENGTH = re.compile(rb"[0-9]{1,18}")
_AUTHORITY = re.compile(rb"([0-9A-Za-z.\-_]+|\[[0-9A-Fa-f:.]+\])(?::([0-9]{1,5}))?")
_ABSOLUTE = re.compile(rb"[Hh][Tt][Tt][Pp][Ss]?://([^/?#]+)((?:/[^#]*)?)")

# A line end that cannot become CR LF, or a NUL: refused at once rather than when the head's time is over.
HOPELESS = re.compile(rb"(?<!\r)\n|\r(?!\n|\Z)|\x00")

MAX_CHUNK_LINE = 1024  # a size and a few extensions; more is an attack (Go CVE-2023-39326)
MAX_TRAILER = 8192
# Trailers are dropped, so these could not do harm; but who sends them is up to no good (RFC 9110 section 6.5.1).
_NEVER_TRAILERS = frozenset({b"content-length", b"transfer-encoding", b"host"})


class BadMessage(Exception):
    """A message that breaks the rules. `status` is what a client is answered; the text names the rule."""

    def __init__(self, text: str, status: int = 400, code: str = "bad_request") -> None:
        super().__init__(text)
        self.status = status
        self.code = code


# How the fields that matter to us are told apart; everything else is end-to-end and passes.
(
    _HOST,
    _LENGTH_FIELD,
    _TRANSFER,
    _CONNECTION,
    _EXPECT,
    _UPGRADE,
    _AUTHORIZATION,
    _AGENT,
    _TRACE,
    _WS_KEY,
    _DROP,
    _CONTENT_TYPE,
) = range(12)

_REQUEST_FIELDS = {
    b"host": _HOST,
    b"content-length": _LENGTH_FIELD,
    b"transfer-encoding": _TRANSFER,
    b"connection": _CONNECTION,
    b"expect": _EXPECT,
    b"upgrade": _UPGRADE,
    b"authorization": _AUTHORIZATION,
    b"user-agent": _AGENT,
    b"traceparent": _TRACE,
    b"sec-websocket-key": _WS_KEY,
    b"te": _DROP,  # trailers are dropped
    b"content-type": _CONTENT_TYPE,
    # Hop-by-hop, or ours to say: never taken from a client (THREATS T46-T48).
    b"keep-alive": _DROP,
    b"proxy-connection": _DROP,
    b"proxy-authorization": _DROP,
    b"http2-settings": _DROP,
    b"trailer": _DROP,
    b"x-request-id": _DROP,
    b"x-forwarded-for": _DROP,
    b"x-forwarded-host": _DROP,
    b"x-forwarded-proto": _DROP,
    b"x-forwarded-port": _DROP,
    b"x-forwarded-server": _DROP,
    b"x-forwarded-ssl": _DROP,
    b"x-forwarded-scheme": _DROP,
    b"x-forwarded-prefix": _DROP,
    b"x-real-ip": _DROP,
    b"x-client-ip": _DROP,
    b"true-client-ip": _DROP,
    b"cf-connecting-ip": _DROP,
    b"x-client-cert": _DROP,
    b"x-original-url": _DROP,
    b"x-rewrite-url": _DROP,
    b"forwarded": _DROP,
    b"x-narthex-user": _DROP,
    b"x-narthex-project": _DROP,
    b"x-narthex-service": _DROP,
    b"x-narthex-error": _DROP,
    b"x-narthex-instance": _DROP,
}

# Fields that may be there once only: a second one would let two readers see two messages.
_SINGLE = frozenset({_HOST, _LENGTH_FIELD, _TRANSFER, _EXPECT, _UPGRADE, _AUTHORIZATION, _WS_KEY, _CONTENT_TYPE})

# What a Connection field may not remove: its absence would change who is asked, who asks, or what is framed.
_KEPT_IN_SPITE_OF_CONNECTION = frozenset(
    {b"host", b"content-length", b"transfer-encoding", b"authorization", b"cookie", b"content-type"}
)

UPGRADE_WEBSOCKET = b"websocket"


@dataclass(slots=True)
class Fields:
    """A request's header fields, read. The same for every request with the same bytes; never changed."""

    host: bytes = b""  # as sent; empty when there was none
    length: int | None = None
    chunked: bool = False
    close: bool = False
    keep_alive: bool = False
    upgrade: bool = False  # to WebSocket
    expect_continue: bool = False
    authorization: bytes | None = None
    user_agent: bytes = b""
    traceparent: bytes = b""
    websocket_key: bytes = b""
    forward: bytes = b""  # the end-to-end fields, put together again


def read_request_fields(block: bytes, max_fields: int = 100) -> Fields:
    """Read the header lines of a request (each ended by CR LF). Raises BadMessage."""
    if _BLOCK.fullmatch(block) is None:
        raise BadMessage(_what_is_wrong(block))
    found = _FIELD.findall(block)
    if len(found) > max_fields:
        raise BadMessage(f"more than {max_fields} header fields", 431, "header_too_large")
    trailing = b" \r\n" in block or b"\t\r\n" in block
    fields = Fields()
    named: set[bytes] | None = None
    forward: list[bytes] = []
    keep = forward.append
    seen = 0
    for name, value in found:
        if trailing:
            value = value.rstrip(b" \t")
        kind = _REQUEST_FIELDS.get(name.lower())
        if kind is None:
            keep(b"%b: %b\r\n" % (name, value))
            continue
        if kind in _SINGLE:
            if seen >> kind & 1:
                raise BadMessage(f"{name.decode('ascii')} is there twice")
            seen |= 1 << kind
        if kind == _HOST:
            fields.host = value
        elif kind == _LENGTH_FIELD:
            fields.length = read_length(value)
        elif kind == _TRANSFER:
            if value.lower() != b"chunked":
                raise BadMessage("Transfer-Encoding must be chunked, alone", 501 if value else 400)
            fields.chunked = True
        elif kind == _CONNECTION:
            named = _read_connection(fields, value, named)
        elif kind == _EXPECT:
            if value.lower() != b"100-continue":
                raise BadMessage("Expect can only be 100-continue", 417)
            fields.expect_continue = True
        elif kind == _UPGRADE:
            fields.upgrade = value.lower() == UPGRADE_WEBSOCKET
        elif kind == _AUTHORIZATION:
            fields.authorization = value
        elif kind == _CONTENT_TYPE:
            keep(b"%b: %b\r\n" % (name, value))
        elif kind == _AGENT:
            fields.user_agent = value
            keep(b"%b: %b\r\n" % (name, value))
        elif kind == _TRACE:
            fields.traceparent = value
            keep(b"%b: %b\r\n" % (name, value))
        elif kind == _WS_KEY:
            fields.websocket_key = value
            keep(b"%b: %b\r\n" % (name, value))
    if seen >> _HOST & 1 and _AUTHORITY.fullmatch(fields.host) is None:
        raise BadMessage("Host is not a host name")
    if fields.chunked and fields.length is not None:
        raise BadMessage("both Content-Length and Transfer-Encoding")
    # Without a key no instance can prove that it agreed (RFC 6455 section 4.2.1): then it stays HTTP.
    fields.upgrade = fields.upgrade and named is not None and b"upgrade" in named and fields.websocket_key != b""
    if named:
        forward = _without(forward, named)
        if b"traceparent" in named:
            fields.traceparent = b""  # taken out with the others: the router writes its own
    fields.forward = b"".join(forward)
    return fields


def read_length(value: bytes) -> int:
    """A Content-Length: digits only, below 10^18. `5, 5`, `+5` and `0x5` are refused."""
    if _LENGTH.fullmatch(value) is None:
        raise BadMessage("Content-Length must be a plain decimal number")
    return int(value)


def read_authority(target: bytes) -> tuple[bytes, bytes]:
    """Take an absolute-form target apart: (authority, origin-form target). Raises BadMessage."""
    match = _ABSOLUTE.fullmatch(target)
    if match is None or _AUTHORITY.fullmatch(match[1]) is None:
        raise BadMessage("the request target must start with /")
    path = match[2] or b"/"
    return match[1], path


def host_name(host: bytes) -> bytes:
    """The name in a Host field that was read: lower case, without port and trailing dot."""
    match = _AUTHORITY.fullmatch(host)
    if match is None or (match[2] and not 0 < int(match[2]) < 65536):
        raise BadMessage("Host is not a host name")
    return match[1].lower().removesuffix(b".")


@dataclass(slots=True)
class ResponseHead:
    """A response's status line and fields, read. The same for every response with the same bytes."""

    minor: int
    status: int
    reason: bytes
    fields: "ResponseFields"
    length: int  # of the body, where it has one of a known length that is not empty; else 0
    usual: bytes  # the head as most clients get it, but for the request id and the last line; empty: none


@dataclass(slots=True)
class ResponseFields:
    """A response's header fields, read."""

    length: int | None = None
    chunked: bool = False
    close: bool = False
    keep_alive: bool = False
    upgrade: bool = False
    websocket_accept: bytes = b""
    forward: bytes = b""


_RESPONSE_FIELDS = {
    b"content-length": _LENGTH_FIELD,
    b"transfer-encoding": _TRANSFER,
    b"connection": _CONNECTION,
    b"upgrade": _UPGRADE,
    b"sec-websocket-accept": _WS_KEY,
    b"keep-alive": _DROP,
    b"proxy-connection": _DROP,
    b"proxy-authenticate": _DROP,
    b"trailer": _DROP,
    b"te": _DROP,
    b"x-request-id": _DROP,
    b"x-narthex-error": _DROP,
}


def read_response_head(head: bytes) -> ResponseHead:
    """Read a status line and the header lines after it, each ended by CR LF. Raises BadMessage."""
    line = STATUS_LINE.match(head)
    if line is None:
        raise BadMessage("the response's status line is malformed")
    minor, status, reason = int(line[1]), int(line[2]), line[3] or b""
    fields = read_response_fields(head[line.end() :])
    if minor == 0 and fields.chunked:
        raise BadMessage("Transfer-Encoding is not part of HTTP/1.0")  # faulty framing by RFC 9112 section 6.1
    usual = b""
    if fields.chunked or fields.length:
        framing = b"content-length: %d\r\n" % fields.length if fields.length else b"transfer-encoding: chunked\r\n"
        usual = b"HTTP/1.1 %d %b\r\n%b%b" % (status, reason, fields.forward, framing)
    length = fields.length or 0 if status not in (204, 304) and status >= 200 else 0
    return ResponseHead(minor, status, reason, fields, length, usual)


def read_response_fields(block: bytes, max_fields: int = 200) -> ResponseFields:
    """Read the header lines of a response. Raises BadMessage, as for a request.

    Field names with `_` are the instance's own affair: they pass.
    """
    if _RESPONSE_BLOCK.fullmatch(block) is None:
        raise BadMessage(_what_is_wrong(block))
    found = _RESPONSE_FIELD.findall(block)
    if len(found) > max_fields:
        raise BadMessage(f"more than {max_fields} header fields")
    fields = ResponseFields()
    named: set[bytes] | None = None
    forward: list[bytes] = []
    for name, value in found:
        value = value.rstrip(b" \t")
        kind = _RESPONSE_FIELDS.get(name.lower())
        if kind is None:
            forward.append(b"%b: %b\r\n" % (name, value))
        elif kind == _LENGTH_FIELD:
            if fields.length is not None:
                raise BadMessage("Content-Length is there twice")
            fields.length = read_length(value)
        elif kind == _TRANSFER:
            if fields.chunked or value.lower() != b"chunked":
                raise BadMessage("Transfer-Encoding must be chunked, alone")
            fields.chunked = True
        elif kind == _CONNECTION:
            named = _read_connection(fields, value, named)
        elif kind == _UPGRADE:
            fields.upgrade = value.lower() == UPGRADE_WEBSOCKET
        elif kind == _WS_KEY:
            fields.websocket_accept = value
            forward.append(b"%b: %b\r\n" % (name, value))
    if fields.chunked and fields.length is not None:
        raise BadMessage("both Content-Length and Transfer-Encoding")
    if named:
        forward = _without(forward, named)
    fields.forward = b"".join(forward)
    return fields


def _read_connection(fields: Fields | ResponseFields, value: bytes, named: set[bytes] | None) -> set[bytes]:
    names = {option.strip(b" \t").lower() for option in value.split(b",")}
    if b"close" in names:
        fields.close = True
    if b"keep-alive" in names:
        fields.keep_alive = True
    return names if named is None else named | names


def _without(forward: list[bytes], named: set[bytes]) -> list[bytes]:
    """The fields that a Connection field did not name (RFC 9110 section 7.6.1)."""
    gone = named - _KEPT_IN_SPITE_OF_CONNECTION
    return [field for field in forward if field[: field.index(b":")].lower() not in gone]


def _what_is_wrong(block: bytes) -> str:
    """The rule that a refused block of header lines breaks; slow, for the answer only."""
    for line in block.split(b"\r\n"):
        if not line:
            continue
        name, colon, value = line.partition(b":")
        if line[:1] in b" \t":
            return "a header line starts with a space (folded lines are obsolete)"
        if not colon:
            return "a header line has no colon"
        if name != name.rstrip(b" \t"):
            return "a header line has a space before its colon"
        if b"_" in name:
            return "a header name has an underscore"
        if re.fullmatch(_TCHAR + rb"{1,256}", name) is None:
            return "a header name has a character that is not allowed, is empty or longer than 256"
        if re.fullmatch(_VALUE + rb"*", value) is None:
            return "a header value has a control character"
    return "the header lines are malformed"


def affinity_key(forward: bytes, name: bytes, *, cookie: bool) -> bytes:
    """The value of a field, or of a cookie, in fields that were read; empty when it is not there."""
    wanted = b"cookie" if cookie else name
    for line in forward.split(b"\r\n"):
        field, _, value = line.partition(b": ")
        if field.lower() != wanted:
            continue
        if not cookie:
            return value
        for pair in value.split(b";"):
            key, equals, text = pair.strip(b" \t").partition(b"=")
            if equals and key == name:
                return text
    return b""


# -- bodies -------------------------------------------------------------------------------------------------


class LengthBody:
    """A body of a known length."""

    __slots__ = ("left",)

    def __init__(self, length: int) -> None:
        self.left = length

    @property
    def done(self) -> bool:
        return self.left == 0

    def feed(self, data: bytes) -> tuple[bytes, bytes]:
        """Take what belongs to the body: (body to forward, what is left over)."""
        size = len(data)
        if size <= self.left:
            self.left -= size
            return data, b""
        body, rest = data[: self.left], data[self.left :]
        self.left = 0
        return body, rest


_SIZE, _DATA, _DATA_END, _TRAILER = range(4)


class ChunkedBody:
    """A chunked body, decoded. Extensions and trailers are dropped, sizes are checked (RFC 9112 section 7.1)."""

    __slots__ = ("_held", "_left", "_state", "_trailer_bytes", "done", "total")

    def __init__(self) -> None:
        self._state = _SIZE
        self._held = b""  # an incomplete line
        self._left = 0
        self._trailer_bytes = 0
        self.total = 0
        self.done = False

    def feed(self, data: bytes) -> tuple[bytes, bytes]:
        """Take what belongs to the body: (decoded data, what is left over). Raises BadMessage."""
        if self._held:
            data = self._held + data
            self._held = b""
        out: list[bytes] = []
        at = 0
        size = len(data)
        while at < size and not self.done:
            if self._state == _DATA:
                take = min(self._left, size - at)
                out.append(data[at : at + take])
                at += take
                self._left -= take
                self.total += take
                if self._left == 0:
                    self._state = _DATA_END
            elif self._state == _DATA_END:
                if size - at < 2:
                    if data[at : at + 1] != b"\r":
                        raise BadMessage("chunk data is longer than its size says")
                    break
                if data[at : at + 2] != b"\r\n":
                    raise BadMessage("chunk data is longer than its size says")
                at += 2
                self._state = _SIZE
            else:
                end = data.find(b"\n", at, at + MAX_CHUNK_LINE + 2)
                if end < 0:
                    if size - at > MAX_CHUNK_LINE:
                        raise BadMessage("a chunk size line is too long")
                    break
                if data[end - 1 : end] != b"\r" or end == at:
                    raise BadMessage("a line in a chunked body does not end in CR LF")
                line = data[at : end - 1]
                at = end + 1
                self._size_line(line) if self._state == _SIZE else self._trailer_line(line)
        if not self.done:
            self._held = data[at:]
            at = size
        return b"".join(out), data[at:]

    def _size_line(self, line: bytes) -> None:
        match = _CHUNK_LINE.fullmatch(line)
        if match is None:
            raise BadMessage("a chunk size is not a plain hexadecimal number")
        self._left = int(match[1], 16)
        if self._left > 1 << 62:
            raise BadMessage("a chunk size is too large")
        self._state = _DATA if self._left else _TRAILER

    def _trailer_line(self, line: bytes) -> None:
        if not line:
            self.done = True
            return
        self._trailer_bytes += len(line)
        if self._trailer_bytes > MAX_TRAILER:
            raise BadMessage("the trailer section is too large", 431, "header_too_large")
        if _RESPONSE_BLOCK.fullmatch(line + b"\r\n") is None:
            raise BadMessage(_what_is_wrong(line + b"\r\n"))
        if line[: line.index(b":")].lower() in _NEVER_TRAILERS:
            raise BadMessage("a trailer field that would change the message's framing or its host")


class UntilClose:
    """A response body that ends with the connection (RFC 9112 section 6.3, last rule)."""

    __slots__ = ()
    done = False

    def feed(self, data: bytes) -> tuple[bytes, bytes]:
        return data, b""


class NoBody:
    """No body at all."""

    __slots__ = ()
    done = True

    def feed(self, data: bytes) -> tuple[bytes, bytes]:
        return b"", data


NO_BODY = NoBody()
Body = LengthBody | ChunkedBody | UntilClose | NoBody

LAST_CHUNK = b"0\r\n\r\n"


def chunk(data: bytes) -> bytes:
    """One chunk with its framing; nothing for no data, since an empty chunk would end the body."""
    return b"%x\r\n%b\r\n" % (len(data), data) if data else b""


def first_bytes(body: Body, data: bytes, at: int) -> tuple[bytes, int]:
    """What of a body is in `data` from `at` on, and where in `data` it ends; looks no further than it has to."""
    if type(body) is NoBody:
        return b"", at
    if type(body) is LengthBody:
        out, _ = body.feed(data[at : at + body.left])
        return out, at + len(out)
    out, rest = body.feed(data[at:])
    return out, len(data) - len(rest)


def request_body(fields: Fields) -> Body:
    """How a request's body is framed (RFC 9112 section 6.3): without a length it has none."""
    if fields.chunked:
        return ChunkedBody()
    return LengthBody(fields.length) if fields.length else NO_BODY


def response_body(method: bytes, status: int, fields: ResponseFields) -> Body:
    """How a response's body is framed."""
    if method == b"HEAD" or status == 204 or status == 304 or status < 200:
        return NO_BODY
    if fields.chunked:
        return ChunkedBody()
    if fields.length is not None:
        return LengthBody(fields.length) if fields.length else NO_BODY
    return UntilClose()
