"""Message bodies of HTTP/1.1: what belongs to one, and what comes after it. Pure; as strict as `http1`."""

import re

from narthex_router.http1 import (
    RESPONSE_BLOCK,
    RESPONSE_TCHAR,
    BadMessage,
    Fields,
    ResponseFields,
    what_is_wrong,
)

# chunk-size with its extensions (RFC 9112 section 7.1.1), which are checked and dropped: what another reader
# could take for the end of the line, or for no extension at all, is refused.
# As everywhere here no group is possessive: before Python 3.11.5 `5;` would be one.
_CHUNK_LINE = re.compile(
    rb"([0-9A-Fa-f]{1,16})"
    rb"(?:[ \t]*+;[ \t]*+" + RESPONSE_TCHAR + rb"++"
    rb"(?:[ \t]*+=[ \t]*+(?:"
    + RESPONSE_TCHAR
    + rb'++|"(?:[\t \x21\x23-\x5b\x5d-\x7e\x80-\xff]++|\\[\t\x20-\x7e\x80-\xff])*"))?)*'
)

MAX_CHUNK_LINE = 1024  # a size and a few extensions; more is an attack (Go CVE-2023-39326)
MAX_EXTENSIONS = 16 * 1024  # bytes of chunk extensions in one body: nobody reads them
MAX_TRAILER = 8192  # bytes of the trailer section
# Trailers are dropped, so these could not do harm; but who sends them is up to no good (RFC 9110 section 6.5.1).
_NEVER_TRAILERS = frozenset({b"content-length", b"transfer-encoding", b"host"})


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

    __slots__ = ("_extension_bytes", "_held", "_left", "_state", "_trailer_bytes", "done", "total")

    def __init__(self) -> None:
        self._state = _SIZE
        self._held = b""  # an incomplete line
        self._left = 0
        self._extension_bytes = 0
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
        digits = match[1]
        self._extension_bytes += len(line) - len(digits)
        if self._extension_bytes > MAX_EXTENSIONS:
            raise BadMessage(f"the body has more than {MAX_EXTENSIONS} bytes of chunk extensions")
        self._left = int(digits, 16)
        if self._left > 1 << 62:
            raise BadMessage("a chunk size is too large")
        self._state = _DATA if self._left else _TRAILER

    def _trailer_line(self, line: bytes) -> None:
        if not line:
            self.done = True
            return
        self._trailer_bytes += len(line)
        if self._trailer_bytes > MAX_TRAILER:
            raise BadMessage(f"the trailer section has more than {MAX_TRAILER} bytes")
        if RESPONSE_BLOCK.fullmatch(line + b"\r\n") is None:
            raise BadMessage(what_is_wrong(line + b"\r\n"))
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
