"""A message as the router reads it, and whether h11 and llhttp read it alike: pure, for generated messages."""

from dataclasses import dataclass

from attacks.opinions import Exceptions, as_forwarded, excused
from attacks.readers import Pairs, Reading, Request, Response

from narthex_router.bodies import Body, ChunkedBody, UntilClose, request_body, response_body
from narthex_router.http1 import REQUEST_LINE, BadMessage, read_authority, read_request_fields, read_response_head

# Fields that are ours to write or are read and not passed on; kept here as a second list on purpose.
TAKEN = frozenset(
    b"host content-length transfer-encoding connection expect upgrade authorization te keep-alive proxy-connection"
    b" proxy-authorization http2-settings trailer x-request-id x-forwarded-for x-forwarded-host x-forwarded-proto"
    b" x-forwarded-port x-forwarded-server x-forwarded-ssl x-forwarded-scheme x-forwarded-prefix x-real-ip x-client-ip"
    b" true-client-ip cf-connecting-ip x-client-cert x-forwarded-client-cert client-cert client-cert-chain"
    b" x-original-url x-rewrite-url forwarded x-narthex-user x-narthex-project x-narthex-service x-narthex-roles"
    b" x-narthex-error x-narthex-instance".split(b" ")
)
TAKEN_FROM_RESPONSES = frozenset(
    b"content-length transfer-encoding connection upgrade keep-alive proxy-connection proxy-authenticate trailer te"
    b" x-request-id x-narthex-error".split(b" ")
)


@dataclass(frozen=True)
class Ours:
    """A message as `http1` reads it: the first line's parts, the fields that go on, the body and its framing."""

    first: tuple[bytes, ...]
    forward: Pairs
    chunked: bool
    length: int | None
    body: bytes


def pairs(forward: bytes) -> Pairs:
    lines = (line.partition(b": ") for line in forward.split(b"\r\n")[:-1])
    return tuple((name.lower(), value) for name, _, value in lines)


def fed(body: Body, data: bytes) -> bytes | None:
    """The whole body; None when it is not all there."""
    out, _ = body.feed(data)
    return out if body.done or type(body) is UntilClose else None


def read_request(data: bytes) -> Ours | None:
    """A request as the router reads it; None when it refuses it or waits for more."""
    end = data.find(b"\r\n\r\n")
    line = REQUEST_LINE.match(data)
    if end < 0 or line is None:
        return None
    try:
        fields = read_request_fields(data[line.end() : end + 2])
        if (fields.chunked and line[3] == b"0") or (not fields.host and line[3] == b"1"):
            return None
        target = line[2] if line[2].startswith(b"/") or line[2] == b"*" else read_authority(line[2])[1]
        body = fed(request_body(fields), data[end + 4 :])
    except BadMessage:
        return None
    if body is None:
        return None
    return Ours((line[1], target), pairs(fields.forward), fields.chunked, fields.length, body)


def read_response(method: bytes, data: bytes) -> Ours | None:
    end = data.find(b"\r\n\r\n")
    try:
        head = read_response_head(data[: end + 2])
        framing = response_body(method, head.status, head.fields)
        body = fed(framing, data[end + 4 :])
    except BadMessage:
        return None
    if body is None or end < 0 or head.status < 200:
        return None
    first = (b"%d" % head.status,)
    return Ours(first, pairs(head.fields.forward), type(framing) is ChunkedBody, head.fields.length, body)


def passed_on(headers: Pairs, taken: frozenset[bytes]) -> Pairs:
    """What has to be forwarded of a message's fields, from another's reading of them."""
    options = b",".join(value for name, value in headers if name == b"connection").split(b",")
    kept = (b"host", b"content-length", b"transfer-encoding", b"authorization", b"cookie", b"content-type")
    named = {option.strip(b" \t").lower() for option in options} - set(kept)
    return tuple((name, value) for name, value in headers if name not in taken and name not in named)


def agrees(ours: Ours, theirs: Request | Response, taken: frozenset[bytes]) -> bool:
    first = as_forwarded(theirs)[:2] if isinstance(theirs, Request) else (b"%d" % theirs.status,)
    lengths = [value for name, value in theirs.headers if name == b"content-length"]
    chunked = any(name == b"transfer-encoding" for name, _ in theirs.headers)
    framed_alike = (ours.length is None) == (not lengths) and all(int(value) == ours.length for value in lengths)
    return (
        ours.first == first
        and ours.body == theirs.body
        and ours.forward == passed_on(theirs.headers, taken)
        and framed_alike
        and (chunked or not ours.chunked)
    )


def judge(ours: Ours, reading: Reading, data: bytes, exceptions: Exceptions, taken: frozenset[bytes]) -> None:
    messages: list[Request] | list[Response] = reading.requests or reading.responses
    if reading.upgraded and ours.body:
        return  # llhttp gives the body to the new protocol; we go on with HTTP until an instance says 101
    if not messages:
        assert excused(reading, data, exceptions), (reading.refused, ours)
        return
    assert agrees(ours, messages[0], taken), (messages[0], ours)
