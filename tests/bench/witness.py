"""An instance that writes down when requests reach it and how many it has at a time: `python witness.py PORT`.

/hold/<ms>  an answer after so many milliseconds, whether or not the client is still there
/seen       the moments (monotonic nanoseconds, 8 bytes each) of all requests for work so far
/most       how many there were at a time at most, and forgets it
"""

import asyncio
import sys
import time
from array import array
from typing import cast

import uvloop

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


class Book:
    """What was seen."""

    def __init__(self) -> None:
        self.moments = array("Q")
        self.now = 0
        self.most = 0

    def begin(self) -> None:
        self.moments.append(time.monotonic_ns())
        self.now += 1
        self.most = max(self.most, self.now)

    def end(self) -> None:
        self.now -= 1


class Instance(asyncio.Protocol):
    """One connection to the instance."""

    def __init__(self, book: Book) -> None:
        self._book = book
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        path = data.split(b" ", 2)[1]
        if path == b"/seen":
            self._say(self._book.moments.tobytes())
        elif path == b"/most":
            self._say(b"%d" % self._book.most)
            self._book.most = self._book.now
        else:
            self._book.begin()
            hold_s = int(path.rpartition(b"/")[2] or b"0") / 1000
            if hold_s:
                asyncio.get_running_loop().call_later(hold_s, self._done)
            else:
                self._done()

    def _done(self) -> None:
        self._book.end()
        if not self._transport.is_closing():
            self._transport.write(OK)

    def _say(self, body: bytes) -> None:
        self._transport.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(body) + body)


async def main(port: int) -> None:
    book = Book()
    server = await asyncio.get_running_loop().create_server(lambda: Instance(book), "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1])))
