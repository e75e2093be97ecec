"""A transport without a socket: what a protocol writes is kept, what it reads is handed to it by who tests it."""

import asyncio


class Wire(asyncio.Transport):
    """One end of a connection, as a protocol sees it. Everything that is written is sent at once."""

    def __init__(self, peer: str = "192.0.2.7") -> None:
        super().__init__({"peername": (peer, 40_000), "sockname": ("127.0.0.1", 8080)})
        self.written: list[bytes] = []
        self.closed = False
        self.reading = True

    def take(self) -> bytes:
        """What was written since this was last called."""
        written, self.written = self.written, []
        return b"".join(written)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written.append(bytes(data))

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        pass

    def get_write_buffer_size(self) -> int:
        return 0

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True

    def is_reading(self) -> bool:
        return self.reading

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        pass

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True

    def abort(self) -> None:
        self.closed = True
