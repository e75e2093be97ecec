"""Where one direction of a WebSocket is: between two frames, or within one (RFC 6455, section 5.2). Pure.

A tunnel passes bytes on as they are; it looks for the ends of frames only so that it can say goodbye between two.
"""

import os

GOING_AWAY, POLICY_VIOLATION = 1001, 1008  # section 7.4.1
_CLOSE = 0x88  # the last frame of a message; close


class Frames:
    """The frames that have passed in one direction."""

    __slots__ = ("_head", "_left", "closed")

    def __init__(self) -> None:
        self._left = 0  # bytes of the frame under way that are still to come
        self._head = b""  # what there is of a frame whose length is not all there
        self.closed = False  # a close frame has passed: nothing may follow it

    @property
    def between(self) -> bool:
        """Whether no frame is under way."""
        return not self._left and not self._head

    def take(self, data: bytes) -> None:
        """These bytes pass."""
        at = self._left
        if self._head:
            data, self._head = self._head + data, b""
        size = len(data)
        while at < size:
            end = _end(data, at)
            if end < 0:
                self._left, self._head = 0, data[at:]
                return
            if data[at] == _CLOSE:
                self.closed = True
            at = end
        self._left = at - size

    def rest(self, data: bytes) -> int:
        """How many of these bytes belong to the frame under way; all of them while it does not end in them."""
        if not self._head:
            return min(self._left, len(data))
        end = _end(self._head + data, 0)
        return len(data) if end < 0 else min(end - len(self._head), len(data))


def _end(data: bytes, at: int) -> int:
    """Where the frame that begins at a place ends, be it behind the data; -1 where its length is not all there."""
    there = len(data) - at
    if there < 2:
        return -1
    second = data[at + 1]
    length, head = second & 0x7F, 6 if second & 0x80 else 2
    if length > 125:
        more = 2 if length == 126 else 8
        if there < 2 + more:
            return -1
        length, head = int.from_bytes(data[at + 2 : at + 2 + more]), head + more
    return at + head + length


def goodbye(status: int, *, masked: bool) -> bytes:
    """A close frame; those of clients are masked (section 5.3)."""
    payload = status.to_bytes(2)
    if not masked:
        return bytes((_CLOSE, 2)) + payload
    key = os.urandom(4)
    return bytes((_CLOSE, 0x82)) + key + bytes((payload[0] ^ key[0], payload[1] ^ key[1]))
