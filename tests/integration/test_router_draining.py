"""What a router that has to go does with what is open: it finishes what it can, and says why it could not."""

import asyncio

from integration.router_kit import Client, Router, router, service_entries
from integration.router_streams import SWITCHED, UPGRADE, echo, events

from narthex.testing.backend import Conversation, answer, backend
from narthex.testing.waiting import until
from narthex.testing.websocket import close_frame, frame
from narthex_router.frames import GOING_AWAY, goodbye

GET = b"GET / HTTP/1.1\r\nHost: svc.services.test\r\n\r\n"
ANSWER = answer(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")


def drain(under_test: Router) -> None:
    """As a worker does at the beginning of its drain, and again and again until its end."""
    under_test.plane.drain()
    for connection in list(under_test.plane.connections):
        connection.drain()


def expire(under_test: Router) -> None:
    """As a worker does at the drain's deadline."""
    for connection in list(under_test.plane.connections):
        connection.expire()


async def never(conversation: Conversation) -> None:
    """An instance that thinks for ever."""
    await conversation.head()
    await asyncio.Event().wait()


async def connected(under_test: Router) -> Client:
    client = await under_test.connect()
    await until(lambda: under_test.plane.connections)
    return client


async def test_a_request_that_was_on_its_way_to_an_idle_connection_is_answered_with_the_last_response() -> None:
    async with backend(ANSWER) as instance, router(service_entries([instance.port]), quiet_s=60.0) as under_test:
        client = await connected(under_test)
        await client.send(GET)
        _, head, _ = await client.answer()
        assert b"connection: close" not in head.lower()
        drain(under_test)
        await client.send(GET)
        status, head, body = await client.answer()
        assert (status, body) == (200, b"hi")
        assert b"connection: close" in head.lower()
        assert await client.rest() == b""


async def test_a_connection_that_stays_idle_is_closed_before_the_deadline() -> None:
    async with backend(ANSWER) as instance, router(service_entries([instance.port]), quiet_s=0.05) as under_test:
        client = await connected(under_test)
        await client.send(GET)
        await client.answer()
        drain(under_test)
        assert await client.rest() == b""


async def test_a_new_connection_that_has_not_asked_yet_is_served() -> None:
    async with backend(ANSWER) as instance, router(service_entries([instance.port]), quiet_s=60.0) as under_test:
        client = await connected(under_test)
        drain(under_test)
        await client.send(GET)
        assert (await client.answer())[0] == 200


async def test_a_response_that_promised_to_keep_the_connection_is_followed_by_one_more() -> None:
    more = asyncio.Event()

    async def slow(conversation: Conversation) -> None:
        while await conversation.head():
            await conversation.send(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nhi")
            await more.wait()
            await conversation.send(b"hi")

    async with backend(slow) as instance, router(service_entries([instance.port]), quiet_s=60.0) as under_test:
        client = await connected(under_test)
        await client.send(GET)
        assert b"connection: close" not in (await client.head()).lower()
        drain(under_test)
        more.set()
        assert await client.reader.readexactly(4) == b"hihi"
        await client.send(GET)
        _, head, _ = await client.answer()
        assert b"connection: close" in head.lower()


async def test_at_the_deadline_a_request_without_an_answer_gets_one_that_says_why() -> None:
    async with backend(never) as instance, router(service_entries([instance.port])) as under_test:
        client = await connected(under_test)
        await client.send(GET)
        await until(lambda: instance.requests)
        drain(under_test)
        expire(under_test)
        status, head, _ = await client.answer()
        assert status == 503
        assert b"x-narthex-error: draining" in head.lower()
        assert b"connection: close" in head.lower()
        assert await client.rest() == b""
        [record] = under_test.journal()
        assert (record["status"], record["code"]) == (503, "draining")


async def test_at_the_deadline_a_stream_is_broken_off_and_its_record_says_so() -> None:
    async with backend(events) as instance, router(service_entries([instance.port])) as under_test:
        client = await connected(under_test)
        await client.send(GET)
        await client.head()
        assert await client.reader.readuntil(b"data: 1\n\n")
        drain(under_test)
        expire(under_test)
        assert not (await client.rest()).endswith(b"0\r\n\r\n")  # the client sees that there was more to come
        [record] = under_test.journal()
        assert (record["status"], record["code"], record["outcome"]) == (200, "draining", "truncated")


async def test_a_websocket_goes_on_until_the_deadline_and_its_record_says_why_it_ended() -> None:
    async with backend(echo) as instance, router(service_entries([instance.port])) as under_test:
        client = await connected(under_test)
        await client.send(UPGRADE % b"svc.services.test")
        assert b" 101 " in await client.head()
        drain(under_test)
        said = frame(b"hello", masked=True)
        await client.send(said)
        assert await client.reader.readexactly(len(said)) == said
        expire(under_test)
        assert await client.reader.readexactly(4) == goodbye(GOING_AWAY, masked=False)
        await client.send(close_frame(masked=True))
        assert await client.rest() == b""
        await until(lambda: instance.open_connections == 0)
        [record] = under_test.journal()
        assert (record["status"], record["code"], record["outcome"]) == (101, "draining", "truncated")


async def test_a_websocket_is_not_ended_within_a_frame() -> None:
    size = 1 << 20
    more, closed = asyncio.Event(), asyncio.Event()

    async def talking(conversation: Conversation) -> None:
        await conversation.head()
        await conversation.send(SWITCHED + b"\x82\x7f" + size.to_bytes(8) + bytes(size // 2))
        await more.wait()
        await conversation.send(bytes(size // 2) + frame(b"one more", masked=False))
        heard = await conversation.reader.readexactly(8)  # a close frame of a client: masked
        assert heard[:2] == b"\x88\x82"
        closed.set()

    async with backend(talking) as instance, router(service_entries([instance.port])) as under_test:
        client = await connected(under_test)
        await client.send(UPGRADE % b"svc.services.test")
        assert b" 101 " in await client.head()
        assert await client.reader.readexactly(10) == b"\x82\x7f" + size.to_bytes(8)
        await client.reader.readexactly(size // 2)
        expire(under_test)
        more.set()
        await client.reader.readexactly(size // 2)
        assert await client.reader.readexactly(4) == goodbye(GOING_AWAY, masked=False)
        await closed.wait()
        await client.send(close_frame(masked=True))
        assert await client.rest() == b""


async def test_a_websocket_that_is_being_closed_gets_no_second_close_frame() -> None:
    async def leaving(conversation: Conversation) -> None:
        await conversation.head()
        await conversation.send(SWITCHED + close_frame(masked=False))
        await conversation.reader.read(1000)

    async with backend(leaving) as instance, router(service_entries([instance.port])) as under_test:
        client = await connected(under_test)
        await client.send(UPGRADE % b"svc.services.test")
        assert b" 101 " in await client.head()
        assert await client.reader.readexactly(2) == close_frame(masked=False)
        expire(under_test)
        await client.send(close_frame(masked=True))
        assert await client.rest() == b""


async def test_a_websocket_of_which_one_side_sends_no_more_is_ended_like_any_other() -> None:
    async def listening(conversation: Conversation) -> None:
        await conversation.head()
        await conversation.send(SWITCHED)
        assert await conversation.reader.read() == said
        ended.set()
        await asyncio.Event().wait()

    said, ended = frame(b"last", masked=True), asyncio.Event()
    async with backend(listening) as instance, router(service_entries([instance.port]), linger_s=60.0) as under_test:
        client = await connected(under_test)
        await client.send(UPGRADE % b"svc.services.test")
        assert b" 101 " in await client.head()
        await client.send(said)
        client.writer.write_eof()
        await ended.wait()
        expire(under_test)
        assert await client.rest() == goodbye(GOING_AWAY, masked=False)
        await until(lambda: not under_test.plane.connections)


async def test_what_a_client_still_says_to_an_instance_that_went_while_both_were_told_goodbye_is_let_go_of() -> None:
    gone, errors = asyncio.Event(), list[str]()
    asyncio.get_running_loop().set_exception_handler(lambda _, context: errors.append(str(context)))

    async def leaving(conversation: Conversation) -> None:
        await conversation.head()
        await conversation.send(SWITCHED)
        await conversation.reader.readexactly(3)
        await gone.wait()

    async with backend(leaving) as instance, router(service_entries([instance.port])) as under_test:
        client = await connected(under_test)
        await client.send(UPGRADE % b"svc.services.test")
        assert b" 101 " in await client.head()
        said = frame(b"hello", masked=True)
        await client.send(said[:3])
        await until(lambda: under_test.plane.connections and instance.requests)
        await until(lambda: all(each.exchange.request_bytes for each in under_test.plane.connections if each.exchange))
        expire(under_test)
        gone.set()
        await until(lambda: instance.open_connections == 0)
        assert await client.reader.readexactly(4) == goodbye(GOING_AWAY, masked=False)
        await client.send(said[3:] + close_frame(masked=True))
        assert await client.rest() == b""
        await until(lambda: not under_test.plane.connections)
    assert errors == []
