"""The answer to an HTTP probe, read as it comes and only so far. Pure.

Far less than an HTTP client: a status, and where the body ends, so that an application sees its answer taken. No
redirect is followed, nothing is decoded, nothing is kept.
"""

import re

HEAD_BYTES = 64 * 1024
BODY_BYTES = 64 * 1024  # a health answer is small; whoever sends more has answered

_STATUS = re.compile(rb"HTTP/1\.[01] ([1-5][0-9]{2})(?: [^\r\n]*)?\r\n")
_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*([0-9]{1,18})[ \t]*\r\n", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding:[^\r\n]*chunked[ \t]*\r\n", re.IGNORECASE)
_INSTANCE = re.compile(rb"\r\nx-narthex-instance:[ \t]*([!-~]{1,128})[ \t]*\r\n", re.IGNORECASE)
_LAST_CHUNK = b"0\r\n\r\n"


class BadAnswer(Exception):
    """What came is no HTTP answer."""


class Answer:
    """Feed it what comes; it says when that is enough."""

    __slots__ = ("_chunked", "_head", "_head_only", "_length", "_read", "_tail", "instance", "status")

    def __init__(self, *, head_only: bool) -> None:
        self.status = 0  # until the head is there
        self.instance: str | None = None  # which one it says it is
        self._head_only = head_only
        self._head = b""
        self._length: int | None = None
        self._chunked = False
        self._read = 0
        self._tail = b""

    def feed(self, data: bytes) -> bool:
        """Take bytes; whether the answer is there, as far as it is read. Raises BadAnswer."""
        if not self.status:
            data = self._take_head(data)
            if not self.status:
                return False
        return self._take_body(data)

    def end(self) -> bool:
        """The application closed; whether its answer was there. Raises BadAnswer when it was cut off."""
        if not self.status:
            if self._head:
                raise BadAnswer
            return False
        if self._chunked or self._length is not None:
            raise BadAnswer
        return True

    def _take_head(self, data: bytes) -> bytes:
        """Read the head; returns what comes after it. Interim answers (1xx) are passed over."""
        self._head += data
        if not b"HTTP/1."[: len(self._head)] == self._head[:7]:
            raise BadAnswer
        while 0 <= (end := self._head.find(b"\r\n\r\n")) <= HEAD_BYTES:
            head, self._head = self._head[: end + 4], self._head[end + 4 :]
            found = _STATUS.match(head)
            if found is None:
                raise BadAnswer
            status = int(found[1])
            if status >= 200:
                self.status = status
                self._framing(head)
                return self._head
        if len(self._head) > HEAD_BYTES:
            raise BadAnswer
        return b""

    def _framing(self, head: bytes) -> None:
        said = _INSTANCE.search(head)
        self.instance = said[1].decode("ascii") if said is not None else None
        self._chunked = _CHUNKED.search(head) is not None
        length = _LENGTH.search(head[:-2])
        self._length = int(length[1]) if length is not None and not self._chunked else None
        if self._head_only or self.status in (204, 304):
            self._chunked, self._length = False, 0

    def _take_body(self, data: bytes) -> bool:
        self._read += len(data)
        if self._read >= BODY_BYTES:
            return True
        if self._chunked:
            self._tail = (self._tail + data)[-len(_LAST_CHUNK) :]
            return self._tail == _LAST_CHUNK
        return self._length is not None and self._read >= self._length
