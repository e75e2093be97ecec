"""One probe of one instance: the only place of this service that opens connections to applications.

Each probe makes a connection of its own. A kept connection would prove that the application answers there; a
fresh one proves that it still accepts clients, which is what the routers need to know.
"""

import asyncio
import errno
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing

import aiohttp
from yarl import URL

from narthex_healthcheck.target import Question, Target
from narthex_healthcheck.verdict import ANSWERED, Outcome

BODY_BYTES = 64 * 1024  # a health answer is small; whoever sends more has answered

# Failures of this process or machine: they say nothing about the instance.
_OURS = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})

_REFUSED = Outcome("refused", "probe: connection refused")
_CLOSED = Outcome("closed", "probe: connection closed before an answer")
_NOT_HTTP = Outcome("bad_answer", "probe: the answer is not HTTP")
_ACCEPTED = Outcome(ANSWERED, "probe: connection accepted")


class Probe:
    """Probes targets; made by `open_probe`."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    async def __call__(self, target: Target) -> Outcome:
        """What the target did within its timeout. Raises only when the probe could not be made, by our own fault."""
        try:
            async with asyncio.timeout(target.timeout_s):
                return await (_connect(target) if target.question is None else self._ask(target, target.question))
        except TimeoutError:
            return Outcome("timeout", f"probe: timed out after {target.timeout_s:g} s")
        except aiohttp.ClientConnectorError as error:
            return _connect_failure(target, error.os_error)
        except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError):
            return _CLOSED
        except (aiohttp.ClientError, ValueError):  # ValueError: a URL that yarl does not take
            return _NOT_HTTP
        except OSError as error:
            return _connect_failure(target, error)

    async def _ask(self, target: Target, question: Question) -> Outcome:
        url = URL(f"http://{target.authority}{question.path}")
        asking = self._session.request(question.method, url, headers=question.headers, allow_redirects=False)
        async with asking as response:
            left = BODY_BYTES
            while left > 0 and (chunk := await response.content.read(left)):
                left -= len(chunk)
        return question.outcome(response.status)


@asynccontextmanager
async def open_probe() -> AsyncIterator[Probe]:
    """A probe without a memory: no kept connections, no cookies, no cached addresses, no proxies."""
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(force_close=True, limit=0, use_dns_cache=False),
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=None),  # the target's own, over everything
        headers={"User-Agent": "narthex-healthcheck", "Accept": "*/*"},
        auto_decompress=False,
    ) as session:
        yield Probe(session)


async def _connect(target: Target) -> Outcome:
    """Connect to the first address that accepts, as a client would."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(target.address, target.port, type=socket.SOCK_STREAM)
    failure = OSError(errno.EHOSTUNREACH, "no address")
    for family, kind, protocol, _, address in found:
        with closing(socket.socket(family, kind, protocol)) as sock:
            sock.setblocking(False)
            try:
                await loop.sock_connect(sock, address)
            except OSError as error:
                failure = error
                continue
            # Linux may connect a socket to itself when nobody listens on a port of the ephemeral range.
            return _REFUSED if sock.getsockname() == sock.getpeername() else _ACCEPTED
    raise failure


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
