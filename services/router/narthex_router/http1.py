"""Heads of HTTP/1.1 messages as they come in. Pure; strict: what is ambiguous is refused, never repaired.

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
# No group is possessive: before Python 3.11.5 one keeps what it had taken where it failed halfway.
_BLOCK = re.compile(rb"(?:" + _TCHAR + rb"{1,256}+:" + _VALUE + rb"*+\r\n)*")
_FIELD = re.compile(rb"(" + _TCHAR + rb"+):[ \t]*(" + _VALUE + rb"*)\r\n")
RESPONSE_TCHAR = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]"  # an instance may name its fields as it likes
RESPONSE_BLOCK = re.compile(rb"(?:" + RESPONSE_TCHAR + rb"++:" + _VALUE + rb"*+\r\n)*")
_RESPONSE_FIELD = re.compile(rb"(" + RESPONSE_TCHAR + rb"+):[ \t]*(" + _VALUE + rb"*)\r\n")
_LENGTH = re.compile(rb"[0-9]{1,18}")
_AUTHORITY = re.compile(rb"([0-9A-Za-z.\-_]+|\[[0-9A-Fa-f:.]+\])(?::([0-9]{1,5}))?")
_ABSOLUTE = re.compile(rb"[Hh][Tt][Tt][Pp][Ss]?://([^/?#]+)((?:/[^#]*)?)")

# A line end that cannot become CR LF, or a NUL: refused at once rather than when the head's time is over.
HOPELESS = re.compile(rb"(?<!\r)\n|\r(?!\n|\Z)|\x00")

NOT_SERVED = frozenset({b"CONNECT", b"TRACE"})  # methods


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
    _SET_COOKIE,
    _FORWARDED_FOR,
    _FORWARDED_PROTO,
) = range(15)

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
    b"x-forwarded-for": _FORWARDED_FOR,  # these two count from trusted proxies, and are said anew in any case
    b"x-forwarded-proto": _FORWARDED_PROTO,
    b"x-forwarded-host": _DROP,
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
    b"x-forwarded-client-cert": _DROP,
    b"client-cert": _DROP,
    b"client-cert-chain": _DROP,
    b"x-original-url": _DROP,
    b"x-rewrite-url": _DROP,
    b"forwarded": _DROP,
    b"x-narthex-user": _DROP,
    b"x-narthex-project": _DROP,
    b"x-narthex-service": _DROP,
    b"x-narthex-roles": _DROP,
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
    forwarded_for: bytes = b""  # what proxies say of the client; several fields are one list
    forwarded_proto: bytes = b""
    forward: bytes = b""  # the end-to-end fields, put together again


def read_request_fields(block: bytes, max_fields: int = 100) -> Fields:
    """Read the header lines of a request (each ended by CR LF). Raises BadMessage."""
    if _BLOCK.fullmatch(block) is None:
        raise BadMessage(what_is_wrong(block))
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
        elif kind == _FORWARDED_FOR:
            fields.forwarded_for = b"%b,%b" % (fields.forwarded_for, value) if fields.forwarded_for else value
        elif kind == _FORWARDED_PROTO:
            fields.forwarded_proto = value
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


def other_target(method: bytes, target: bytes, host: bytes) -> bytes:
    """A request target that does not start with `/`: `*` for OPTIONS, or the absolute form, which must name `host`."""
    if target == b"*" and method == b"OPTIONS":
        return target
    if method == b"CONNECT":
        raise BadMessage("CONNECT is not served here", 405)
    authority, path = read_authority(target)
    if host_name(authority) != host:
        raise BadMessage("the request target and Host name different hosts")
    if method == b"OPTIONS" and target.endswith(authority):
        return b"*"  # RFC 9112 section 3.2.4
    return path


def bad_request_line(line: bytes) -> BadMessage:
    """The rule that a refused request line breaks; slow, for the answer only."""
    parts = line.split(b" ")
    if len(parts) != 3:
        return BadMessage("the request line must be: method, target, version, with one space between them")
    _, target, version = parts
    if re.fullmatch(rb"HTTP/[0-9]\.[0-9]", version) and version not in (b"HTTP/1.0", b"HTTP/1.1"):
        return BadMessage("only HTTP/1.1 and HTTP/1.0 are served here", 505)
    if not version.startswith(b"HTTP/1."):
        return BadMessage("the request line must end in HTTP/1.1 or HTTP/1.0")
    if re.fullmatch(rb"[!\"$-~]+", target) is None:
        return BadMessage("the request target has a character that must be percent-encoded")
    return BadMessage("the method is not a token of at most 32 characters")


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
    usual: bytes  # the head as most clients get it, up to the request id; empty: none
    keeps: bool  # the instance keeps the connection after it


@dataclass(slots=True)
class ResponseFields:
    """A response's header fields, read."""

    length: int | None = None
    chunked: bool = False
    close: bool = False
    keep_alive: bool = False
    upgrade: bool = False
    websocket_accept: bytes = b""
    wide_cookies: bool = False  # it sets cookies for a whole domain
    forward: bytes = b""


_RESPONSE_FIELDS = {
    b"content-length": _LENGTH_FIELD,
    b"transfer-encoding": _TRANSFER,
    b"connection": _CONNECTION,
    b"upgrade": _UPGRADE,
    b"sec-websocket-accept": _WS_KEY,
    b"set-cookie": _SET_COOKIE,
    b"keep-alive": _DROP,
    b"proxy-connection": _DROP,
    b"proxy-authenticate": _DROP,
    b"trailer": _DROP,
    b"te": _DROP,
    b"x-request-id": _DROP,
    b"x-narthex-error": _DROP,
    b"x-narthex-instance": _DROP,  # between an instance and us: who knows it could pass for the instance
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
    if (fields.chunked or fields.length) and not fields.wide_cookies:
        framing = b"content-length: %d\r\n" % fields.length if fields.length else b"transfer-encoding: chunked\r\n"
        usual = b"HTTP/1.1 %d %b\r\n%b%bx-request-id: " % (status, reason, fields.forward, framing)
    length = fields.length or 0 if status not in (204, 304) and status >= 200 else 0
    keeps = fields.keep_alive if minor == 0 else not fields.close
    return ResponseHead(minor, status, reason, fields, length, usual, keeps)


def read_response_fields(block: bytes, max_fields: int = 200) -> ResponseFields:
    """Read the header lines of a response. Raises BadMessage, as for a request.

    Field names with `_` are the instance's own affair: they pass.
    """
    if RESPONSE_BLOCK.fullmatch(block) is None:
        raise BadMessage(what_is_wrong(block))
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
        elif kind == _SET_COOKIE:
            fields.wide_cookies = fields.wide_cookies or b"domain" in value.lower()
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


def what_is_wrong(block: bytes) -> str:
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
