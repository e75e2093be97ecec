"""TLS between a client's transport and the protocol that serves it: one object a connection, and no more.

uvloop's own gives each connection a read buffer of 256 KiB, two pages of which become resident, a timer for its
handshake and a dict of what was agreed on. Measured with 1,500 idle connections: 25 KiB each, this 17, nginx 14;
and a handshake takes 30 us less.

What goes in and out of OpenSSL is bounded: reading stops when the protocol says so, and what is encrypted goes to
the transport at once, whose own buffer and limits then count.
"""

import asyncio
import ssl
from collections.abc import Callable
from typing import Any, cast

from narthex_router.arrival import Unserved
from narthex_router.plane import Connection
from narthex_router.tls import Context, Handshake

PIECE = 64 * 1024  # bytes through OpenSSL at a time: its buffers keep the size of the largest
# What TLS has to say after the handshake (tickets, key updates) is no answer that a client waits for: it goes out with
# the next that is written, one system call and one wake-up less a handshake, up to so many bytes.
RIDERS = 4096
FLOOD = 4 * 1024 * 1024  # bytes waiting to go out: more than any protocol above writes at once
TLS_1_3 = "TLSv1.3"


class Secure(Unserved, asyncio.Protocol, asyncio.Transport):
    """The protocol of a TCP transport, and the transport of the one above; unserved until the handshake is done."""

    __slots__ = (
        "_above",
        "_closing",
        "_connections",
        "_deadline",
        "_ended",
        "_hello",
        "_in",
        "_make",
        "_out",
        "_paused",
        "_ssl",
        "_tcp",
    )

    def __init__(
        self,
        context: Context,
        make: Callable[[], asyncio.Protocol],
        connections: set[Connection],
        deadline: float,
    ) -> None:
        """`make` makes the protocol above when the handshake is done, by the deadline; until then this is itself
        one of the worker's connections."""
        self._make = make
        self._connections = connections
        self._deadline = deadline
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._ssl = cast(Handshake, context.wrap_bio(self._in, self._out, server_side=True))
        self._hello: bytes | None = b""  # of the client's first message, while it is not all here; None: it was
        self._tcp: asyncio.Transport
        self._above: asyncio.Protocol | None = None
        self._paused = False
        self._ended = False  # the client said that it sends no more
        self._closing = False

    # -- what the transport below calls ---------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._tcp = transport  # type: ignore[assignment] # uvloop's is no subclass
        self._connections.add(self)

    def data_received(self, data: bytes) -> None:
        if len(data) <= PIECE:
            self._take(data)
            return
        view = memoryview(data)
        for start in range(0, len(data), PIECE):
            self._take(view[start : start + PIECE])

    def eof_received(self) -> bool:
        """The end without TLS's own sign of it: the client is gone, or somebody cut it off. The transport closes."""
        return False

    def connection_lost(self, error: Exception | None) -> None:
        self._connections.discard(self)
        self._closing = True
        above, self._above = self._above, None
        # OpenSSL's 40 KiB go now, however long somebody still holds this.
        del self._ssl, self._in, self._out, self._make
        if above is not None:
            above.connection_lost(error)

    def pause_writing(self) -> None:
        if self._above is not None:
            self._above.pause_writing()

    def resume_writing(self) -> None:
        if self._above is not None:
            self._above.resume_writing()

    # -- what the protocol above calls ----------------------------------------------------------------------

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if self._closing or not data:
            return
        try:
            if len(data) <= PIECE:
                self._ssl.write(data)
            else:
                self._write_pieces(memoryview(data))
        except ssl.SSLError:
            self._fail()
            return
        self._tcp.write(self._out.read())

    def close(self) -> None:
        """Say the end and close, when all that was written has gone out. The client's own end is not waited for."""
        if self._closing:
            return
        self._closing = True
        try:
            self._ssl.unwrap()
        except ssl.SSLError:
            pass  # the client's end has not come yet, or its data has: either way ours is written
        self._flush()
        self._tcp.close()

    def abort(self) -> None:
        self._closing = True
        self._tcp.abort()

    def is_closing(self) -> bool:
        return self._closing or self._tcp.is_closing()

    def pause_reading(self) -> None:
        if not self._paused:
            self._paused = True
            self._tcp.pause_reading()

    def resume_reading(self) -> None:
        if self._paused:
            self._paused = False
            self._tcp.resume_reading()
            if self._in.pending or self._ssl.pending():
                asyncio.get_running_loop().call_soon(self._read)

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self._above = protocol  # type: ignore[assignment]

    def get_protocol(self) -> asyncio.BaseProtocol:
        return self._above or self

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        if name == "ssl_object":
            return getattr(self, "_ssl", default)
        return self._tcp.get_extra_info(name, default)

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        self._tcp.set_write_buffer_limits(high, low)

    def get_write_buffer_size(self) -> int:
        return self._tcp.get_write_buffer_size()

    def can_write_eof(self) -> bool:
        return False  # OpenSSL through Python cannot end one direction and go on reading

    # -- steps ----------------------------------------------------------------------------------------------

    def _take(self, data: bytes | memoryview) -> None:
        if not (self._closing or self._ended):
            self._in.write(data)
            if self._above is not None or self._shake(data):
                self._read()

    def _shake(self, data: bytes | memoryview) -> bool:
        """Go on with the handshake; whether it is done."""
        try:
            self._ssl.do_handshake()
        except ssl.SSLWantReadError:
            if self._hello is not None:
                self._hello = None if self._out.pending else self._hello + data
            self._flush()
            return False
        except ssl.SSLError:
            if self._ssl.again is None or self._hello is None:
                self._fail()
                return False
            return self._shake_again(self._ssl.again, self._hello + data)
        self._connections.discard(self)
        if self._ssl.version() != TLS_1_3:
            self._flush()  # the client waits for our end of the handshake; since 1.3 there are only tickets left
        self._above = self._make()
        self._above.connection_made(self)
        return True

    def _shake_again(self, context: Context, hello: bytes) -> bool:
        """Begin anew with the same first message, in the context that is right for the name in it."""
        self._in, self._out, self._hello = ssl.MemoryBIO(), ssl.MemoryBIO(), None
        self._ssl = cast(Handshake, context.wrap_bio(self._in, self._out, server_side=True))
        self._in.write(hello)
        return self._shake(b"")

    def _read(self) -> None:
        """Hand on what has been decrypted, a record at a time, until there is no more or nobody wants it."""
        if self._closing:
            return  # it was lost before its turn came
        read, pending, incoming = self._ssl.read, self._ssl.pending, self._in
        while not (self._paused or self._closing) and (incoming.pending or pending()):
            try:
                data = read(PIECE)
            except ssl.SSLWantReadError:
                break
            except ssl.SSLError:
                self._fail()
                return
            above = self._above
            if data and above is not None:
                above.data_received(data)
            else:
                self._end()
                return
        if self._out.pending > RIDERS:
            self._flush_flood()

    def _end(self) -> None:
        """The client sends no more, and said so."""
        self._ended = True
        self._flush()
        if self._above is None or not self._above.eof_received():
            self.close()

    def _fail(self) -> None:
        """What came is no TLS, or was tampered with: send the alert that says so, and close."""
        self._closing = True
        if self._tcp.get_write_buffer_size():
            self._tcp.abort()  # a client that does not read either could keep us waiting for ever
            return
        self._flush()
        self._tcp.close()

    def _flush(self) -> None:
        """Send what TLS itself has to say: handshakes, tickets, alerts."""
        if self._out.pending:
            self._tcp.write(self._out.read())

    def _flush_flood(self) -> None:
        """A client that has us answer key updates without end has to read the answers, or go."""
        self._flush()
        if self._tcp.get_write_buffer_size() > FLOOD:
            self.abort()

    def _write_pieces(self, data: memoryview) -> None:
        for start in range(0, len(data), PIECE):
            self._ssl.write(data[start : start + PIECE])
            self._tcp.write(self._out.read())
