"""An instance as a process that can be killed at any moment: it says who it is and what it was asked.

    python -P -m narthex.testing.echo ADDRESS PORT NAME LOG

It answers `<name> <method> <path>`, and has written `<method> <path>` to the log before it answers: one line a request
that reached it, by O_APPEND, so that not even `kill -9` loses or doubles one. `/slow/<ms>/…` waits before it answers,
`/health` is not written down. A request's body must be read in full before it counts.
"""

import asyncio
import os
import re
import sys

SLOW = re.compile(rb"/slow/([0-9]{1,6})/")
LENGTH = re.compile(rb"\r\ncontent-length: ([0-9]{1,9})\r\n", re.IGNORECASE)


class Echo(asyncio.Protocol):
    """One connection; requests one after the other, bodies by Content-Length."""

    def __init__(self, name: bytes, log: int) -> None:
        self._name = name
        self._log = log
        self._held = b""
        self._busy = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._held += data
        self._next()

    def _next(self) -> None:
        if self._busy or (end := self._held.find(b"\r\n\r\n")) < 0:
            return
        head = self._held[: end + 2]
        found = LENGTH.search(head)
        whole = end + 4 + (int(found[1]) if found else 0)
        if len(self._held) < whole:
            return
        self._held = self._held[whole:]
        method, target, _ = head.split(b" ", 2)
        if target != b"/health":
            os.write(self._log, method + b" " + target + b"\n")
        self._busy = True
        slow = SLOW.match(target)
        answer = self._name + b" " + method + b" " + target
        if slow:
            asyncio.get_running_loop().call_later(int(slow[1]) / 1000, self._answer, answer)
        else:
            self._answer(answer)

    def _answer(self, body: bytes) -> None:
        self._transport.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body))
        self._busy = False
        self._next()


async def _serve(address: str, port: int, name: str, path: str) -> None:
    log = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    server = await asyncio.get_running_loop().create_server(lambda: Echo(name.encode(), log), address, port)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve(sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4]))
