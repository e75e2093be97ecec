"""One probe of one instance: the only place of this service that opens connections to applications.

Each probe makes a connection of its own. A kept connection would prove that the application answers there; a
fresh one proves that it still accepts clients, which is what the routers need to know. Where it may lead is decided
by the address it resolved to, right before it is made (`narthex.contracts.reach`).
"""

import asyncio
import errno
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import quote

from narthex.contracts.reach import Reach
from narthex_healthcheck import tls
from narthex_healthcheck.answer import Answer, BadAnswer
from narthex_healthcheck.target import GrpcQuestion, Question, Target
from narthex_healthcheck.verdict import ANSWERED, REFUSED, TIMED_OUT, Outcome

if TYPE_CHECKING:
    from narthex_healthcheck.grpc import GrpcCall

# Failures of this process or machine: they say nothing about the instance.
_OURS = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.EADDRNOTAVAIL})
_IN_A_PATH = "!$%&'()*+,/:;=?@[]~"  # what stays as it is in a request target

_NO_LINE_ENDS = bytes.maketrans(b"\r\n\0", b"   ")

_REFUSED = Outcome(REFUSED, "probe: connection refused")
_CLOSED = Outcome("closed", "probe: connection closed before an answer")
_NOT_HTTP = Outcome("bad_answer", "probe: the answer is not HTTP")
_ACCEPTED = Outcome(ANSWERED, "probe: connection accepted")
_GREETED = Outcome(ANSWERED, "probe: TLS handshake done")


class NotAllowed(Exception):
    """The installation does not let instances be there."""


class BadCa(Exception):
    """The CAs of a health check are none."""


class Probe:
    """Probes targets within what an installation allows. Keeps nothing from one probe to the next."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach

    async def __call__(self, target: Target) -> Outcome:
        """What the target did within its timeout. Raises only when the probe could not be made, by our own fault."""
        try:
            async with asyncio.timeout(target.timeout_s):
                with closing(await _connected(target, self._reach)) as sock:
                    # Linux may connect a socket to itself when nobody listens on a port of the ephemeral range.
                    if sock.getsockname() == sock.getpeername():
                        return _REFUSED
                    return await _look(sock, target)
        except TimeoutError:
            return Outcome(TIMED_OUT, f"probe: timed out after {target.timeout_s:g} s")
        except NotAllowed as error:
            return Outcome("not_allowed", f"not probed: {error}")
        except BadCa:
            return Outcome("bad_ca", "probe: tls_ca of the health check has no certificates that can be read")
        except ssl.SSLError as error:
            return tls.failure(error)
        except OSError as error:
            return _connect_failure(target, error)


class Greeting(asyncio.Protocol):
    """Waits until the connection is there, with its TLS handshake, and asks nothing."""


class Calling(asyncio.Protocol):
    """Makes a gRPC call on a connection; `over` is done with its outcome."""

    def __init__(self, call: "GrpcCall") -> None:
        self._call = call
        self._transport: asyncio.Transport
        self.over: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.write(self._call.begin())

    def data_received(self, data: bytes) -> None:
        self._transport.write(self._call.feed(data))
        if self._call.outcome is not None and not self.over.done():
            self.over.set_result(self._call.outcome)

    def connection_lost(self, error: Exception | None) -> None:
        if not self.over.done():
            self.over.set_result(_CLOSED)


class Asking(asyncio.Protocol):
    """Asks on a connection and reads the answer; `over` is done when there is nothing more to wait for."""

    def __init__(self, request: bytes, answer: Answer) -> None:
        self._request = request
        self._answer = answer
        self.over: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        cast(asyncio.Transport, transport).write(self._request)  # uvloop's is no subclass

    def data_received(self, data: bytes) -> None:
        try:
            if self._answer.feed(data):
                self._end(True)
        except BadAnswer as error:
            self._fail(error)

    def connection_lost(self, error: Exception | None) -> None:
        try:
            self._end(self._answer.end() if error is None else False)
        except BadAnswer as bad:
            self._fail(bad)

    def _end(self, answered: bool) -> None:
        if not self.over.done():
            self.over.set_result(answered)

    def _fail(self, error: Exception) -> None:
        if not self.over.done():
            self.over.set_exception(error)


async def _look(sock: socket.socket, target: Target) -> Outcome:
    """Ask what there is to ask on a connection."""
    question = target.question
    if isinstance(question, GrpcQuestion):
        from narthex_healthcheck.grpc import GrpcCall  # HTTP/2 is 5 MB that few installations need

        calling = Calling(GrpcCall(question, target.authority, target.tls is not None))
        async with _transport(calling, sock, target, "h2"):
            return await calling.over
    if question is not None:
        return await _ask(sock, target, question)
    if target.tls is None:
        return _ACCEPTED
    async with _transport(Greeting(), sock, target, "http/1.1"):
        return _GREETED


async def _ask(sock: socket.socket, target: Target, question: Question) -> Outcome:
    answer = Answer(head_only=question.method == "HEAD")
    asking = Asking(request(target, question), answer)
    async with _transport(asking, sock, target, "http/1.1"):
        try:
            answered = await asking.over
        except BadAnswer:
            return _NOT_HTTP
    return question.outcome(answer.status, answer.instance) if answered else _CLOSED


@asynccontextmanager
async def _transport(protocol: asyncio.Protocol, sock: socket.socket, target: Target, alpn: str) -> AsyncIterator[None]:
    """A protocol on a connection, over TLS where that is asked for; cut at the end."""
    secure: dict[str, Any] = {}
    if target.tls is not None:
        try:
            secure = {"ssl": tls.context(target.tls, alpn), "server_hostname": tls.server_name(target)}
        except (ssl.SSLError, ValueError):
            raise BadCa from None
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_connection(lambda: protocol, sock=sock.dup(), **secure)
    try:
        yield
    finally:
        transport.abort()


def request(target: Target, question: Question) -> bytes:
    """What is sent; the check's own headers go before ours."""
    fields = {"host": target.authority, "user-agent": "narthex-healthcheck", "accept": "*/*", "connection": "close"}
    given = {name.lower() for name, _ in question.headers}
    lines = [f"{question.method} {quote(question.path, safe=_IN_A_PATH)} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in fields.items() if name not in given]
    lines += [f"{name}: {value}" for name, value in question.headers]
    return b"".join(line.encode().translate(_NO_LINE_ENDS) + b"\r\n" for line in [*lines, ""])


async def _connected(target: Target, reach: Reach) -> socket.socket:
    """A connection to the first address that accepts, as a client would make it."""
    failure: Exception = OSError(errno.EHOSTUNREACH, "no address")
    for family, address in await _addresses(target):
        if refusal := reach.refusal(address[0], target.port):
            failure = NotAllowed(refusal)
            continue
        sock = socket.socket(family, socket.SOCK_STREAM)
        try:
            sock.setblocking(False)
            await asyncio.get_running_loop().sock_connect(sock, address)
        except BaseException as error:
            sock.close()
            if not isinstance(error, OSError) or isinstance(error, TimeoutError):
                raise
            failure = error
        else:
            return sock
    raise failure


async def _addresses(target: Target) -> list[tuple[socket.AddressFamily, Any]]:
    """The addresses of a target; one that is given by number costs no look-up."""
    try:
        ip = ip_address(target.address)
    except ValueError:
        found = await asyncio.get_running_loop().getaddrinfo(target.address, target.port, type=socket.SOCK_STREAM)
        return [(family, address) for family, _, _, _, address in found]
    if ip.version == 4:
        return [(socket.AF_INET, (target.address, target.port))]
    return [(socket.AF_INET6, (target.address, target.port, 0, 0))]


def _connect_failure(target: Target, error: OSError) -> Outcome:
    if error.errno in _OURS:
        raise error
    if isinstance(error, socket.gaierror):
        return Outcome("unresolved", f"probe: address {target.address} does not resolve")
    if isinstance(error, ConnectionRefusedError):
        return _REFUSED
    if error.errno in (errno.EHOSTUNREACH, errno.ENETUNREACH):
        return Outcome("unreachable", "probe: no route to the host")
    said = (error.strerror or str(error)).lower()
    return Outcome("connect_failed", f"probe: cannot connect: {said}")
