"""What is taken back ends what is under way by it: WebSockets, streams, and the sessions of browsers that sign out."""

import json
import time
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher
from integration.doors_kit import BROWSER, HOST, PASS_KEY, PEOPLE, ask, basic, code, protected, session
from integration.router_kit import Client, Router, entry, service_entries

from narthex.contracts.digest import password_digest
from narthex.contracts.errors import Unavailable
from narthex.routing import Entry, Kind, open_table_store
from narthex.runtime.tasks import background
from narthex.testing.backend import Conversation
from narthex.testing.servers import valkey_server
from narthex.testing.waiting import eventually, until
from narthex.testing.websocket import frame
from narthex_router.doors.crier import Crier
from narthex_router.frames import POLICY_VIOLATION, goodbye

TOKEN = "Authorization: Token good\r\n"
UPGRADE = (
    "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    f"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nOrigin: https://{HOST}\r\n"
)
AGREED = (
    b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
)
STREAM = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n7\r\ndata: 1\r\n"


async def talkative(conversation: Conversation) -> None:
    """A WebSocket that echoes, or a stream that does not end; what posts is never answered."""
    while head := await conversation.head():
        if b"pgrade: websocket" in head:
            await conversation.send(AGREED)
            while data := await conversation.reader.read(100):
                await conversation.send(data)
        elif head.startswith(b"GET "):
            await conversation.send(STREAM)


PING = frame(b"ping", masked=True)


class Open:
    """A WebSocket and a stream that somebody has open."""

    def __init__(self, websocket: Client, stream: Client) -> None:
        self.websocket = websocket
        self.stream = stream

    async def goes_on(self) -> None:
        await self.websocket.send(PING)
        assert await self.websocket.reader.readexactly(len(PING)) == PING
        assert not self.stream.reader.at_eof()

    async def ends(self) -> None:
        assert await self.websocket.rest() == goodbye(POLICY_VIOLATION, masked=False)
        assert not (await self.stream.rest()).endswith(b"0\r\n\r\n")  # broken off: not as if it were whole


async def opened(under_test: Router, fields: str) -> Open:
    clients = [await under_test.connect() for _ in range(2)]
    for client, more in zip(clients, (UPGRADE, ""), strict=True):
        await client.send(f"GET /open HTTP/1.1\r\nHost: {HOST}\r\n{fields}{more}\r\n".encode())
    assert (await clients[0].head()).startswith(b"HTTP/1.1 101 ")
    await clients[1].reader.readuntil(b"data: 1\r\n")
    return Open(*clients)


def service(port: int, revision: int = 2, **doors: Any) -> Entry:
    return service_entries([port], public=False, doors=doors or None)[1]._replace(revision=revision)


async def test_a_revoked_token_ends_what_is_under_way_by_it_and_nothing_else() -> None:
    async with protected(script=talkative) as (under_test, _):
        ours, anothers = await opened(under_test, TOKEN), await opened(under_test, session())
        under_test.plane.table.apply([PEOPLE[0]._replace(revision=2, payload=None)])
        await ours.ends()
        await anothers.goes_on()
        await until(lambda: [each["code"] for each in under_test.journal()] == ["token_invalid"] * 2)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (entry(Kind.ACCESS, "ann", 2, name="ann@example.test"), "permission_denied"),
        (entry(Kind.PROJECT, "p", 2, suspended=True), "project_suspended"),
        (service(1, ip_deny=["127.0.0.0/8"]), "address_denied"),
    ],
)
async def test_a_withdrawn_role_a_suspension_and_a_denied_network_do_so_too(change: Entry, expected: str) -> None:
    async with protected(script=talkative) as (under_test, _):
        ours = await opened(under_test, TOKEN)
        under_test.plane.table.apply([change])
        await ours.ends()
        await until(lambda: [each["code"] for each in under_test.journal()] == [expected] * 2)


async def test_a_request_that_is_not_answered_yet_hears_why_it_never_will_be() -> None:
    async with protected(script=talkative) as (under_test, instance):
        client = await under_test.connect()
        await client.send(f"POST / HTTP/1.1\r\nHost: {HOST}\r\n{TOKEN}Content-Length: 0\r\n\r\n".encode())
        await until(lambda: instance.requests != [])
        under_test.plane.table.apply([PEOPLE[0]._replace(revision=2, payload=None)])
        status, _, body = await client.answer()
        assert (status, code(body)) == (401, "token_invalid")


async def test_changes_that_take_nothing_back_end_nothing() -> None:
    async with protected(script=talkative) as (under_test, instance):
        ours = await opened(under_test, TOKEN)
        exchanges = [connection.exchange for connection in under_test.plane.connections]
        under_test.plane.table.apply(
            [
                entry(Kind.ACCESS, "bob", 2, services=[]),
                entry(Kind.ACCESS, "ann", 2, services=["svc", "another"]),
                service(instance.port, ip_allow=["127.0.0.0/8"]),
            ]
        )
        under_test.plane.table.say_in_step(False)
        await until(lambda: all(each and each.judged for each in exchanges))
        await ours.goes_on()


async def test_what_has_expired_since_it_began_goes_on() -> None:
    async with protected(script=talkative) as (under_test, _):
        ours = await opened(under_test, session(expires=int(time.time()) + 1))
        exchanges = [connection.exchange for connection in under_test.plane.connections]
        await until(lambda: time.time() > max(each.started_at for each in exchanges if each) + 2)
        under_test.plane.table.say_in_step(False)
        await until(lambda: all(each and each.judged for each in exchanges))
        await ours.goes_on()


async def test_another_password_is_worked_out_and_ends_what_was_opened_with_the_one_before() -> None:
    hasher = PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1)
    kept = [hasher.hash(password_digest(PASS_KEY, text)) for text in (b"correct horse", b"battery staple")]
    async with protected(script=talkative, basic_users={"ann": kept[0]}) as (under_test, instance):
        ours = await opened(under_test, basic("ann:correct horse"))
        under_test.plane.table.apply([service(instance.port, basic_users={"ann": kept[0], "bob": kept[1]})])
        exchanges = [connection.exchange for connection in under_test.plane.connections]
        await until(lambda: all(each and each.judged for each in exchanges))
        await ours.goes_on()
        under_test.plane.table.apply([service(instance.port, 3, basic_users={"ann": kept[1]})])
        await ours.ends()


# -- signing out ----------------------------------------------------------------------------------------------------


async def test_who_signs_out_has_ended_the_session_wherever_a_copy_of_its_cookie_is() -> None:
    async with protected(script=talkative, browser_sign_in=True) as (under_test, _):
        issued = int(time.time() * 1000)
        held, other = session(issued_ms=issued), session(issued_ms=issued - 1000)
        copy = session(issued_ms=issued, expires=int(time.time()) + 500)  # another cookie of the same sign-in
        ours, anothers = await opened(under_test, held), await opened(under_test, other)
        assert (await ask(await under_test.connect(), f"{BROWSER}{held}", target="/.narthex/sign-out"))[0] == 200
        await ours.ends()
        await anothers.goes_on()
        client = await under_test.connect()
        for gone in (held, copy):
            assert code((await ask(client, gone))[2]) == "token_expired"
        assert (await ask(client, f"{BROWSER}{held}"))[0] == 303  # to the sign-in page
        assert "issued" not in json.dumps(under_test.journal())


async def test_signing_out_of_what_a_share_link_opened_leaves_the_link_to_others() -> None:
    async with protected(script=talkative, browser_sign_in=True) as (under_test, _):
        held = session(subject_id="", share_id="s1")
        assert (await ask(await under_test.connect(), f"{BROWSER}{held}", target="/.narthex/sign-out"))[0] == 200
        await (await opened(under_test, held)).goes_on()
        assert under_test.plane.table.sign_outs() == []


async def test_other_workers_hear_of_it_through_valkey_also_when_that_was_away(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        tasks = await stack.enter_async_context(background())
        valkey = stack.enter_context(valkey_server(tmp_path))
        store = await stack.enter_async_context(open_table_store(valkey.url, 1.0))
        under_test, _ = await stack.enter_async_context(protected(script=talkative, browser_sign_in=True))
        refused = 0

        class Away:
            """Valkey, which is away at first."""

            async def apply(self, entries: Any) -> int:
                nonlocal refused
                refused += 1
                if refused == 1:
                    raise Unavailable("away")
                if refused == 2:
                    raise ValueError("an answer that nobody understands")
                return await store.apply(entries)

        under_test.plane.crier = Crier(tasks, Away())
        held = session()
        assert (await ask(await under_test.connect(), f"{BROWSER}{held}", target="/.narthex/sign-out"))[0] == 200

        async def stored() -> list[Entry]:
            return [found async for found in store.load([Kind.SIGN_OUT])]

        [found] = await eventually(stored)
        other, _ = await stack.enter_async_context(protected(script=talkative, browser_sign_in=True))
        assert (await ask(await other.connect(), held, method="DELETE"))[0] == 403  # it is good there still
        other.plane.table.apply([found])
        assert code((await ask(await other.connect(), held))[2]) == "token_expired"
        assert await store.sweep(0, time.time()) == 0
        assert await store.sweep(0, time.time() + 13 * 3600) == 1


async def test_sessions_that_were_ended_are_forgotten_when_they_would_be_over_and_never_too_many() -> None:
    async with protected() as (under_test, _):
        table, now = under_test.plane.table, int(time.time())
        table.apply([Entry(Kind.SIGN_OUT, f"old-{number}", now + number, 0, b"{}") for number in range(100)])
        assert len(table.sign_outs()) == 100
        table.apply([Entry(Kind.SIGN_OUT, "new", now + 50 + 12 * 3600 + 60, 0, b"{}")])
        assert len(table.sign_outs()) == 50
        many = now + 13 * 3600
        table.apply([Entry(Kind.SIGN_OUT, str(number), many + number % 7, 0, b"{}") for number in range(101_000)])
        assert len(table.sign_outs()) == 100_000
