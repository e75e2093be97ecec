"""Headers and bodies of a request and of its answer, held until its record is made.

Held are the chunks that pass anyway, by reference, up to the service's size; what comes after is not looked at. All
captures of a worker share one room: when it is full, bodies are cut, and requests go on as ever.
"""

from base64 import b64encode

from msgspec import json

from narthex_router.exchange import Exchange
from narthex_router.http1 import Fields
from narthex_router.recording import FULL
from narthex_router.redaction import Redaction, Unreadable

ROOM = 32 * 1024 * 1024  # bytes of bodies in a worker, under way and waiting to be written down


class Room:
    """How much a worker's captures hold together."""

    __slots__ = ("_size", "held", "most")

    def __init__(self, size: int = ROOM) -> None:
        self._size = self.most = size
        self.held = 0

    def close(self, *, closed: bool) -> None:
        """Whether nothing more is held for now."""
        self.most = 0 if closed else self._size


class Held:
    """One body, as far as it is kept."""

    __slots__ = ("chunks", "cut", "left")

    def __init__(self, most: int) -> None:
        self.left = most
        self.chunks: list[bytes] = []
        self.cut = False

    def take(self, data: bytes, room: Room) -> None:
        """Hold what there is room for."""
        size = len(data)
        if size > self.left:
            data, self.cut = data[: self.left], True
            size = self.left
        if size:
            if room.held + size > room.most:
                self.left, self.cut = 0, True
                return
            self.left -= size
            room.held += size
            self.chunks.append(data)


class Capture:
    """What is held of one exchange."""

    __slots__ = ("_room", "request", "response", "response_fields")

    def __init__(self, most: int, room: Room) -> None:
        self._room = room
        self.request = Held(most)
        self.response = Held(most)
        self.response_fields = b""  # header lines of the answer

    def asked(self, data: bytes) -> None:
        """Bytes of the request's body."""
        if not self.request.cut:
            self.request.take(data, self._room)

    def answered(self, data: bytes) -> None:
        """Bytes of the answer's body."""
        if not self.response.cut:
            self.response.take(data, self._room)

    def answered_by_us(self, message: bytes) -> None:
        """A whole answer of the router's own."""
        head, _, body = message.partition(b"\r\n\r\n")
        self.response_fields = head.partition(b"\r\n")[2] + b"\r\n"
        self.answered(body)

    def let_go(self) -> None:
        """The room is free for others."""
        for held in (self.request, self.response):
            self._room.held -= sum(map(len, held.chunks))
            held.chunks = []


def content_types(exchange: Exchange, capture: Capture | None) -> tuple[bytes, ...]:
    """The Content-Types of request and answer, as far as they are known."""
    asked = field_of(exchange.shape.fields.forward, b"content-type")
    return (asked, field_of(capture.response_fields, b"content-type")) if capture is not None else (asked,)


def field_of(lines: bytes, name: bytes) -> bytes:
    """The value of a field in header lines that were put together again; empty when it is not there."""
    at = (b"\r\n" + lines).lower().find(b"\r\n%b: " % name)
    if at < 0:
        return b""
    start = at + len(name) + 2
    return lines[start : lines.index(b"\r\n", start)]


def contents(exchange: Exchange, capture: Capture) -> str:
    """The fields of a record that tell headers and bodies, as JSON with a comma behind; empty without `full`."""
    recording = exchange.route.recording
    if recording.mode != FULL:
        capture.let_go()  # the service's settings have changed meanwhile
        return ""
    redaction = recording.redaction
    asked, answered = request_lines(exchange.shape.fields), capture.response_fields
    text = (
        f'"request_headers":{_quoted(headers(asked, redaction))},'
        f"{_body('request', capture.request, asked, redaction)}"
        f'"response_headers":{_quoted(headers(answered, redaction))},'
        f"{_body('response', capture.response, answered, redaction)}"
    )
    capture.let_go()
    return text


def request_lines(fields: Fields) -> bytes:
    """A request's header lines, for people: those that were forwarded, and those that were read."""
    lines = [b"host: %b\r\n" % fields.host, fields.forward]
    if fields.authorization is not None:
        lines.append(b"authorization: %b\r\n" % fields.authorization)
    if fields.length is not None:
        lines.append(b"content-length: %d\r\n" % fields.length)
    return b"".join(lines)


def headers(lines: bytes, redaction: Redaction) -> bytes:
    """Header lines as a JSON list of pairs, without what is secret."""
    pairs = (line.partition(": ") for line in lines.decode("latin-1").split("\r\n") if line)
    return json.encode([(name, redaction.header(name, value)) for name, _, value in pairs])


def _body(side: str, held: Held, lines: bytes, redaction: Redaction) -> str:
    content, cut = b"".join(held.chunks), held.cut
    content_type = field_of(lines, b"content-type").decode("latin-1")
    if redaction.fields and field_of(lines, b"content-encoding"):
        content, cut = b"", bool(content) or cut  # compressed: nobody here reads it
    try:
        content = redaction.body(content, content_type, cut=cut)
    except Unreadable:
        content, cut = b"", True
    text = f'"{side}_body":"{b64encode(content).decode("ascii")}",' if content else ""
    return f'{text}"{side}_cut":true,' if cut else text


def _quoted(content: bytes) -> str:
    return json.encode(content.decode()).decode()
