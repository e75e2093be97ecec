"""One router process takes the place of another on the same ports, and no client notices.

Each test replaces, or tries to, the router that the test before it has left: a start costs a second or two.
"""

import asyncio
import json
import os
import signal
import socket
import ssl
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from integration.router_kit import HOST, entry, service_entries
from integration.router_load import KINDS, load
from integration.router_process import REQUEST, Site, ended, get, says, site
from integration.router_streams import UPGRADE, echo, events

from narthex.bus import open_bus
from narthex.routing import Kind
from narthex.testing.backend import answer, backend
from narthex.testing.processes import workers_of
from narthex.testing.servers import free_port
from narthex.testing.waiting import eventually, until
from narthex.testing.websocket import frame
from narthex_router.frames import GOING_AWAY, goodbye

ANSWER = answer(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")
# How many workers each router in turn has: more, fewer, one, as the first.
IN_TURN = [int(number) for number in os.environ.get("REPLACEMENTS", "3 1").split()]

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def here(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    """A place with three services: one that answers, a stream and a WebSocket."""
    async with backend(ANSWER) as usual, backend(events) as streaming, backend(echo) as talking:
        entries = [
            *service_entries([usual.port]),
            *service_entries([streaming.port], service="sse"),
            *service_entries([talking.port], service="ws"),
        ]
        async with site(tmp_path_factory.mktemp("site"), entries) as made:
            yield made


async def ask(here: Site, *, secure: bool = False) -> bytes:
    """The answer to one request on a new connection."""
    reader, writer = await here.connect(secure=secure)
    writer.write(REQUEST)
    head = await reader.readuntil(b"\r\n\r\n")
    writer.close()
    return head.split(b"\r\n")[0]


async def test_replaced_under_load_it_loses_no_request(here: Site) -> None:
    serving = await here.serving()
    async with load(here) as so_far:
        await until(lambda: len(so_far.answered) == KINDS)
        for workers in IN_TURN:
            replaced, serving = serving, await here.start(router_workers=workers)
            assert await ended(replaced) == 0
            assert len(workers_of(serving.process.pid)) == workers
            so_far.answered.clear()
            await until(lambda: len(so_far.answered) == KINDS)
    assert so_far.failures == []


async def test_streams_and_websockets_go_on_until_the_deadline_of_the_router_that_is_replaced(here: Site) -> None:
    first = await here.serving()
    stream, stream_writer = await here.connect(secure=True, host="sse.services.test")
    stream_writer.write(REQUEST.replace(b"svc.", b"sse."))
    await stream.readuntil(b"data: 1\n\n")
    tunnel, tunnel_writer = await here.connect()
    tunnel_writer.write(UPGRADE % b"ws.services.test")
    await tunnel.readuntil(b"\r\n\r\n")
    second = here.begin()
    await says(first, "replaced: draining")
    for number in range(10):
        await stream.readuntil(b"data: 1\n\n")
        said = frame(b"%d" % number, masked=True)
        tunnel_writer.write(said)
        assert await tunnel.readexactly(len(said)) == said
    assert not (await stream.read()).endswith(b"0\r\n\r\n")
    assert await tunnel.read() == goodbye(GOING_AWAY, masked=False)
    assert await ended(first) == 0
    assert second.process.poll() is None
    stream_writer.close()
    tunnel_writer.close()


async def test_one_that_is_told_to_stop_does_not_say_that_it_has_drained_before_the_one_it_replaced_has(
    here: Site,
) -> None:
    first = await here.serving()
    stream, stream_writer = await here.connect(host="sse.services.test")
    stream_writer.write(REQUEST.replace(b"svc.", b"sse."))
    await stream.readuntil(b"data: 1\n\n")
    second = await here.start()
    second.tell(signal.SIGTERM)
    assert await ended(second) == 0
    async with asyncio.timeout(1):
        await stream.read()  # it was cut, at the deadline, before
    assert await ended(first) == 0
    stream_writer.close()


async def test_an_instance_that_drains_is_released_when_the_router_that_is_replaced_has_ended_too(here: Site) -> None:
    first = await here.serving()
    stream, stream_writer = await here.connect(host="sse.services.test")
    stream_writer.write(REQUEST.replace(b"svc.", b"sse."))
    await stream.readuntil(b"data: 1\n\n")
    async with open_bus(here.nats.settings("registry"), "registry") as bus:
        await until(lambda: bus.connected)
        await bus.ensure_streams()
        second = await here.start()
        instance = await here.store.get(Kind.INSTANCE, "sse-i0")
        assert instance is not None
        leaving = entry(Kind.INSTANCE, "sse-i0", 2, **{**json.loads(instance.payload or b""), "stopping": True})
        await here.store.apply([leaving])
        await says(second, "instance released")
    async with asyncio.timeout(1):
        await stream.read()  # it was cut, at the deadline, before
    assert await ended(first) == 0
    stream_writer.close()


async def test_a_client_in_its_tls_handshake_is_served_by_the_router_that_is_replaced(here: Site) -> None:
    first = await here.serving()
    with socket.create_connection(("127.0.0.1", here.https_port)) as waiting:
        await until_connected(here)
        await here.start()
        assert first.process.poll() is None
        await asyncio.to_thread(ask_securely, here, waiting)
    assert await ended(first) == 0


async def until_connected(here: Site) -> None:
    """Return when a worker of the router that runs has a connection."""

    async def look() -> bool:
        _, text = await get(here.admin_port, "/metrics")
        lines = [line for line in text.decode().split("\n") if line.startswith("narthex_router_worker_connections")]
        return any(not line.endswith(" 0") for line in lines)

    await eventually(look)


async def test_a_tls_session_is_resumed_by_the_router_that_took_over(here: Site) -> None:
    first = await here.serving()
    with socket.create_connection(("127.0.0.1", here.https_port)) as client:
        session, resumed = await asyncio.to_thread(ask_securely, here, client)
        assert not resumed
    await here.start()
    assert await ended(first) == 0
    with socket.create_connection(("127.0.0.1", here.https_port)) as client:
        _, resumed = await asyncio.to_thread(ask_securely, here, client, session)
        assert resumed


def ask_securely(
    here: Site, client: socket.socket, session: ssl.SSLSession | None = None
) -> tuple[ssl.SSLSession | None, bool]:
    """Ask once over TLS; the session to begin the next with, and whether the one that was given was taken."""
    with here.trust.wrap_socket(client, server_hostname=HOST, session=session) as secure:
        secure.sendall(REQUEST)
        assert secure.recv(1000).startswith(b"HTTP/1.1 200")  # the tickets come before it (TLS 1.3)
        return secure.session, bool(secure.session_reused)


async def test_where_the_new_one_does_not_come_to_serve_the_old_one_goes_on(here: Site) -> None:
    first = await here.serving()
    failing = here.begin(sealing_key_file=here.directory / "none", router_take_over_timeout_s=1)
    assert await ended(failing) == 2
    await says(failing, "not ready to take over within 1 s, waiting for .*cannot read the sealing key")
    assert await ask(here) == b"HTTP/1.1 200 OK"
    assert not any("draining" in line for line in first.output.lines)
    await here.start()
    assert await ended(first) == 0


async def test_a_new_one_that_is_told_to_stop_before_it_serves_leaves_the_old_one_alone(here: Site) -> None:
    await here.serving()
    waiting = here.begin(sealing_key_file=here.directory / "none")
    await says(waiting, "taking over")
    waiting.tell(signal.SIGTERM)
    assert await ended(waiting) == 0
    assert await ask(here) == b"HTTP/1.1 200 OK"


async def test_where_the_old_one_dies_in_the_middle_the_new_one_takes_its_place(here: Site) -> None:
    key_file = here.directory / "later.key"
    first = await here.serving()
    second = here.begin(sealing_key_file=key_file)
    await says(second, "taking over")
    await says(first, "handing over")
    first.process.kill()
    await ended(first)
    asked = asyncio.ensure_future(ask(here))  # nobody accepts it yet, and nobody refuses it
    key_file.write_bytes(here.key_file.read_bytes())
    assert await asked == b"HTTP/1.1 200 OK"
    await says(second, '"started"')
    assert await here.serving() is second


async def test_of_two_that_start_at_once_one_does(here: Site) -> None:
    await here.serving()
    waiting = here.begin(sealing_key_file=here.directory / "none")
    await says(waiting, "taking over")
    late = here.begin()
    assert await ended(late) == 2
    await says(late, "another router is being started")
    assert waiting.process.poll() is None
    assert await ask(here) == b"HTTP/1.1 200 OK"
    waiting.tell(signal.SIGTERM)
    await ended(waiting)


async def test_new_settings_may_name_another_port(here: Site) -> None:
    first = await here.serving()
    before, here.http_port = here.http_port, free_port()
    await here.start(router_http_port=here.http_port)
    assert await ended(first) == 0
    assert await ask(here) == b"HTTP/1.1 200 OK"
    assert await ask(here, secure=True) == b"HTTP/1.1 200 OK"
    here.environment["NARTHEX_ROUTER_HTTP_PORT"] = str(here.http_port)
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", before)
