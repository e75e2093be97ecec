"""Whether the right instance answers at an address: asked on each new connection to one that has an identity.

Addresses are used again. While NATS is away a router knows instances that may long be somebody else's, and no time
limit tells which. So an instance that has an identity is asked for it on the very connection that its requests will
take, before any of them: `GET` of its health check's path, whose answer says it in `x-narthex-instance`. Whoever
answers there never sees the identity, and routers do not pass the field on to clients.
"""

import asyncio
import re
from typing import cast

from narthex_router.bodies import Body, UntilClose, response_body
from narthex_router.http1 import BadMessage, read_response_head

MOST_BYTES = 64 * 1024  # of the answer
_INSTANCE = re.compile(rb"\r\nx-narthex-instance:[ \t]*([!-~]{1,128})[ \t]*\r\n", re.IGNORECASE)


class OtherInstance(ConnectionError):
    """It is not, or cannot be known to be, the instance that was wanted."""


class Asking(asyncio.Protocol):
    """Asks who is there; `over` is done when the connection is theirs, and free."""

    def __init__(self, path: str, authority: str, identity: str) -> None:
        self._request = (
            f"GET {path} HTTP/1.1\r\nhost: {authority}\r\nuser-agent: narthex-router\r\naccept: */*\r\n\r\n"
        ).encode("latin-1", "replace")
        self._identity = identity.encode("latin-1", "replace")
        self._head = b""
        self._body: Body | None = None
        self._read = 0
        self.transport: asyncio.Transport
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def ask(self) -> None:
        self.transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        self._read += len(data)
        try:
            rest = data if self._body is not None else self._take_head(data)
            if self._read > MOST_BYTES:
                raise BadMessage("the answer is too long")
            if self._body is not None:
                self._take_body(self._body, rest)
        except BadMessage as error:
            self._end(f"the instance did not say who it is: {error}")

    def connection_lost(self, error: Exception | None) -> None:
        self._end("the instance closed the connection when it was asked who it is")

    def _take_head(self, data: bytes) -> bytes:
        self._head += data
        end = self._head.find(b"\r\n\r\n")
        if end < 0:
            return b""
        head, rest = self._head[: end + 4], self._head[end + 4 :]
        read = read_response_head(head[:-2])
        if read.status < 200:
            raise BadMessage("an interim response")
        said = _INSTANCE.search(head)
        if said is None:
            self._end("the instance does not say in x-narthex-instance who it is")
        elif said[1] != self._identity:
            self._end("another instance answers at this address")
        elif not read.keeps:
            self._end("the instance closes the connection after it said who it is: its next one may be anybody's")
        self._body = response_body(b"GET", read.status, read.fields)
        return rest

    def _take_body(self, body: Body, data: bytes) -> None:
        if type(body) is UntilClose:
            raise BadMessage("the answer has no end")
        rest = body.feed(data)[1] if not body.done else data
        if rest:
            raise BadMessage("there is more than one answer")
        if body.done:
            self._end("")

    def _end(self, reason: str) -> None:
        if not self.over.done():
            if reason:
                self.over.set_exception(OtherInstance(reason))
            else:
                self.over.set_result(None)
