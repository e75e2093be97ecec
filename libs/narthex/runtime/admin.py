"""The admin port of a process: `/healthz`, `/readyz`, `/metrics`. Loopback by default, never public.

Served with h11, not with the API's aiohttp, which would be 11 MB in each of the four parts that have no other use
for it.
"""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import NamedTuple

import h11
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from narthex.contracts.errors import Misconfigured

log = logging.getLogger(__name__)

# Why a check is not satisfied, in a few words; empty when it is.
Check = Callable[[], str]
# Text in the Prometheus exposition format, for what prometheus_client's registry does not hold.
MoreMetrics = Callable[[], Awaitable[str]]

PATIENCE_S = 10.0  # for a client to have asked, and again to have read the answer
MOST_HEAD_BYTES = 16 << 10
_READ_BYTES = 4 << 10


class _Answer(NamedTuple):
    status: HTTPStatus
    content_type: str
    body: bytes


_Page = Callable[[], Awaitable[_Answer]]


@asynccontextmanager
async def admin_server(
    bind: str, port: int, checks: Mapping[str, Check], more_metrics: MoreMetrics | None = None
) -> AsyncIterator[int]:
    """Serve the admin endpoints, one request a connection; yields the port that is listened on.

    `/healthz` answers 200 while the event loop turns; `/readyz` answers 503 and the reasons while any check
    has one.
    """

    async def healthz() -> _Answer:
        return _json(HTTPStatus.OK, {"status": "ok"})

    async def readyz() -> _Answer:
        reasons = {name: reason for name, check in checks.items() if (reason := check())}
        status = HTTPStatus.SERVICE_UNAVAILABLE if reasons else HTTPStatus.OK
        return _json(status, {"ready": not reasons, "waiting_for": reasons})

    async def metrics() -> _Answer:
        text = generate_latest().decode() + readiness({name: check() for name, check in checks.items()})
        if more_metrics is not None:
            text += await more_metrics()
        return _Answer(HTTPStatus.OK, CONTENT_TYPE_LATEST, text.encode())

    pages: Mapping[bytes, _Page] = {b"/healthz": healthz, b"/readyz": readyz, b"/metrics": metrics}

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _converse(pages, reader, writer)

    try:
        server = await asyncio.start_server(connected, bind, port, limit=MOST_HEAD_BYTES)
    except OSError as error:
        raise Misconfigured(
            f"setting NARTHEX_ADMIN_BIND, NARTHEX_ADMIN_PORT: cannot listen on {bind}:{port}: {error.strerror}"
        ) from None
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


def readiness(reasons: Mapping[str, str]) -> str:
    """What `/readyz` says, in the words of Prometheus: 1 for each check that has no reason."""
    lines = [f'narthex_ready{{check="{name}"}} {int(not reason)}\n' for name, reason in reasons.items()]
    return "# TYPE narthex_ready gauge\n" + "".join(lines)


async def _converse(pages: Mapping[bytes, _Page], reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Read one request, answer it, close."""
    connection = h11.Connection(h11.SERVER, max_incomplete_event_size=MOST_HEAD_BYTES)
    try:
        head_only = False
        try:
            async with asyncio.timeout(PATIENCE_S):
                request = await _request(connection, reader)
        except h11.RemoteProtocolError as error:
            answer = _refusal(HTTPStatus(error.error_status_hint), str(error))
        else:
            if request is None:
                return
            head_only = request.method == b"HEAD"
            answer = await _answer(pages, request)
        writer.write(_written(connection, answer, head_only))
        async with asyncio.timeout(PATIENCE_S):
            await writer.drain()
    except (OSError, TimeoutError):
        writer.transport.abort()  # who asked is gone, or too slow to be waited for
    finally:
        writer.close()


async def _request(connection: h11.Connection, reader: asyncio.StreamReader) -> h11.Request | None:
    """The head of what is asked; None when the client has gone without asking."""
    while (event := connection.next_event()) is h11.NEED_DATA:
        connection.receive_data(await reader.read(_READ_BYTES))
    return event if isinstance(event, h11.Request) else None


async def _answer(pages: Mapping[bytes, _Page], request: h11.Request) -> _Answer:
    page = pages.get(request.target.partition(b"?")[0])
    if page is None:
        return _refusal(HTTPStatus.NOT_FOUND, f"there are {', '.join(path.decode() for path in pages)}")
    if request.method not in {b"GET", b"HEAD"}:
        return _refusal(HTTPStatus.METHOD_NOT_ALLOWED, "only GET and HEAD are answered")
    try:
        return await page()
    except Exception:
        log.exception("an admin page failed", extra={"fields": {"path": request.target.decode("ascii", "replace")}})
        return _refusal(HTTPStatus.INTERNAL_SERVER_ERROR, "see the log of this process")


def _written(connection: h11.Connection, answer: _Answer, head_only: bool) -> bytes:
    length = str(len(answer.body))
    headers = [("Content-Type", answer.content_type), ("Content-Length", length), ("Connection", "close")]
    if answer.status is HTTPStatus.METHOD_NOT_ALLOWED:
        headers.append(("Allow", "GET, HEAD"))  # RFC 9110, 15.5.6
    head = connection.send(h11.Response(status_code=answer.status, headers=headers, reason=answer.status.phrase))
    return (head or b"") + (b"" if head_only else answer.body)


def _json(status: HTTPStatus, value: object) -> _Answer:
    return _Answer(status, "application/json; charset=utf-8", json.dumps(value).encode())


def _refusal(status: HTTPStatus, why: str) -> _Answer:
    return _Answer(status, "text/plain; charset=utf-8", f"{status.value} {status.phrase}: {why}\n".encode())
