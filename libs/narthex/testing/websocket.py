"""Just enough of RFC 6455 for both ends of a test: the handshake, and text frames of up to 125 bytes.

frame(b"hello", masked=True)                    # as a client sends it
opcode, payload = await next_frame(reader)      # as a client reads it; None at the end
payload, rest = first_frame(buffer)             # as a protocol takes it: (None, buffer) while it is not all there
"""

import asyncio
import os
from base64 import b64encode
from hashlib import sha1

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # section 1.3
KEY = b"dGhlIHNhbXBsZSBub25jZQ=="  # the one of section 1.3
TEXT, CLOSE = 0x81, 0x88
SHORT = 125  # a length in one byte: section 5.2
CLOSED = b"\x00closed"  # what a close frame is taken for: no text begins with a zero byte here


def handshake(key: bytes = KEY) -> tuple[str, ...]:
    """The fields by which a client asks for a WebSocket."""
    return (
        "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", f"Sec-WebSocket-Key: {key.decode()}",
    )  # fmt: skip


def accept(key: bytes) -> bytes:
    """What a server answers to the key of a handshake."""
    return b64encode(sha1(key + GUID, usedforsecurity=False).digest())


def frame(payload: bytes, *, masked: bool) -> bytes:
    return _frame(TEXT, payload, masked)


def close_frame(*, masked: bool) -> bytes:
    return _frame(CLOSE, b"", masked)


def first_frame(data: bytes) -> tuple[bytes | None, bytes]:
    """The first frame's payload and what comes after it; None while it is not all there, CLOSED for a close frame."""
    if len(data) < 2:
        return None, data
    masked, length = data[1] & 0x80, data[1] & 0x7F
    begin = 6 if masked else 2
    end = begin + length
    if len(data) < end:
        return None, data
    if data[0] not in (TEXT, CLOSE) or length > SHORT:
        raise ValueError(f"no short text frame: {data[:20]!r}")
    payload = _mask(data[begin:end], data[2:6]) if masked else data[begin:end]
    return (CLOSED if data[0] == CLOSE else payload), data[end:]


async def next_frame(reader: asyncio.StreamReader) -> tuple[int, bytes] | None:
    """What the server sends next; None when it ends between two frames, EOFError when within one."""
    try:
        opcode, length = await reader.readexactly(2)
    except asyncio.IncompleteReadError as error:
        if error.partial:
            raise
        return None
    if opcode not in (TEXT, CLOSE) or length > SHORT:  # a server does not mask: section 5.1
        raise ValueError(f"no short text frame: it begins with {opcode:#x} and {length:#x}")
    return opcode, await reader.readexactly(length)


def _frame(opcode: int, payload: bytes, masked: bool) -> bytes:
    assert len(payload) <= SHORT
    if not masked:
        return bytes((opcode, len(payload))) + payload
    key = os.urandom(4)
    return bytes((opcode, 0x80 | len(payload))) + key + _mask(payload, key)


def _mask(data: bytes, key: bytes) -> bytes:
    return bytes(byte ^ key[place % 4] for place, byte in enumerate(data))
