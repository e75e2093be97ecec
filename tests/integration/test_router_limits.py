"""Limits as a client meets them: two workers' data planes, one real Valkey."""

import asyncio
import json
import re
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from integration.router_kit import HOST, TOKEN_KEY, Client, Router, entry, router, service_entries

from narthex.contracts.digest import token_digest
from narthex.routing import Entry, Kind, LimitStore, concurrency_key, open_limit_store, rate_key
from narthex.testing.backend import Conversation, answer, backend
from narthex.testing.servers import ValkeyServer, valkey_server
from narthex.testing.waiting import eventually, until

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi"
REQUEST = f"GET / HTTP/1.1\r\nhost: {HOST}\r\n\r\n".encode()


@pytest.fixture
def valkey(tmp_path: Path) -> Any:
    with valkey_server(tmp_path) as server:
        yield server


@asynccontextmanager
async def planes(
    valkey: ValkeyServer, entries: list[Entry], timeout_s: float = 1.0
) -> AsyncIterator[tuple[Router, Router, LimitStore]]:
    """Two workers that share one budget."""
    async with (
        open_limit_store(valkey.url, timeout_s) as budgets,
        router(entries, budgets=budgets) as one,
        router(entries, budgets=budgets) as other,
    ):
        yield one, other, budgets


async def statuses(client: Client, count: int, request: bytes = REQUEST) -> list[int]:
    """Send a request after another and return how they were answered."""
    found = []
    for _ in range(count):
        await client.send(request)
        found.append((await client.answer())[0])
    return found


def held(release: asyncio.Event) -> Any:
    """An instance that answers once it is told to."""

    async def script(conversation: Conversation) -> None:
        while await conversation.head():
            await release.wait()
            await conversation.send(OK)

    return script


def caller(token: str, name: str) -> list[Entry]:
    """A token, and a subject of its own that may call everything."""
    digest = token_digest(TOKEN_KEY, token.encode()).hex()
    return [
        entry(Kind.TOKEN, f"token-{name}", subject_id=name, digest=digest),
        entry(Kind.ACCESS, name, name=f"{name}@example.org", everything=True),
    ]


async def test_two_workers_let_a_minutes_limit_pass_together_and_say_when_there_is_more(valkey: ValkeyServer) -> None:
    async with (
        backend(answer(OK)) as instance,
        planes(valkey, service_entries([instance.port], rate_limit=30)) as (one, other, budgets),
    ):
        clients = [await one.connect(), await other.connect()]

        async def all_passed() -> bool:
            await asyncio.gather(*(statuses(client, 20) for client in clients))
            return len(instance.requests) >= 30

        await eventually(all_passed)
        assert await statuses(clients[1], 20) == [429] * 20
        assert len(instance.requests) == 30
        await clients[0].send(REQUEST)
        status, head, body = await clients[0].answer()
        problem = json.loads(body)
        assert (status, problem["code"]) == (429, "rate_limit_total")
        assert "30 requests a minute" in problem["detail"]
        fields = dict(line.split(": ", 1) for line in head.decode().lower().split("\r\n")[1:] if line)
        assert fields["x-narthex-error"] == "rate_limit_total"
        assert 1 <= int(fields["retry-after"]) <= 65
        assert fields["x-ratelimit-reset"] == fields["retry-after"]
        assert (fields["x-ratelimit-limit"], fields["x-ratelimit-remaining"]) == ("30", "0")
        assert fields["ratelimit-policy"] == '"rate_limit_total";q=30;w=60'
        assert re.fullmatch(r'"rate_limit_total";r=0;t=\d+', fields["ratelimit"])
        [use] = await budgets.use([(rate_key("svc"), 30)])
        assert (use.used, use.limit, use.remaining) == (30, 30, 0)
        assert 0 < use.reset_s < 61


@pytest.mark.parametrize("workers", [2, 8])
async def test_of_15_requests_in_turn_under_a_limit_of_12_exactly_12_pass_through_any_workers(
    valkey: ValkeyServer, workers: int
) -> None:
    async with backend(answer(OK)) as instance, AsyncExitStack() as stack:
        entries = service_entries([instance.port], rate_limit=12)
        budgets = [await stack.enter_async_context(open_limit_store(valkey.url, 1.0)) for _ in range(workers)]
        planes = [await stack.enter_async_context(router(entries, budgets=each)) for each in budgets]
        await until(lambda: not any(plane.plane.gates.away for plane in planes))
        clients = [await plane.connect() for plane in planes]
        found = [(await statuses(clients[number * 3 % workers], 1))[0] for number in range(15)]
        assert found == [200] * 12 + [429] * 3


async def test_a_token_has_limits_of_its_own_and_what_is_set_for_its_owner_counts(valkey: ValkeyServer) -> None:
    limits = {"rate_limit_user_default": 3, "user_rate_limits": {"bob": 5}}
    entries = [*caller("a" * 40, "ann"), *caller("b" * 40, "bob")]
    async with (
        backend(answer(OK)) as instance,
        planes(valkey, [*service_entries([instance.port], public=False, **limits), *entries]) as (one, _, budgets),
    ):
        for token, allowed in (("a" * 40, 3), ("b" * 40, 5)):
            client = await one.connect()
            request = REQUEST[:-2] + f"authorization: Token {token}\r\n\r\n".encode()
            assert await statuses(client, 7, request) == [200] * allowed + [429] * (7 - allowed)
            await client.send(request)
            _, head, body = await client.answer()
            assert json.loads(body)["code"] == "rate_limit_user"
            assert f'"rate_limit_user";q={allowed};w=60'.encode() in head
        assert [use.used for use in await budgets.use([(rate_key("svc", "token-ann"), 3)])] == [3]
        unknown = await one.connect()
        assert await statuses(unknown, 5, REQUEST[:-2] + b"authorization: Token nobody\r\n\r\n") == [401] * 5
        assert len(one.plane.gates._limits) == 2  # an unknown token leaves no trace


async def test_no_more_requests_are_under_way_than_allowed_and_each_that_ends_makes_room(valkey: ValkeyServer) -> None:
    release = asyncio.Event()
    async with (
        backend(held(release)) as instance,
        planes(valkey, service_entries([instance.port], concurrency_limit=3)) as (one, other, budgets),
    ):
        first = [await each.connect() for each in (one, other, one)]
        for client in first:
            await client.send(REQUEST)
        await until(lambda: len(instance.requests) == 3)
        late = await other.connect()
        await late.send(REQUEST)
        status, head, body = await late.answer()
        assert (status, json.loads(body)["code"]) == (429, "concurrency_total")
        assert b'ratelimit-policy: "concurrency_total";q=3;qu="concurrent-requests"\r\n' in head
        assert b'ratelimit: "concurrency_total";r=0\r\nx-ratelimit-limit: 3\r\n' in head
        assert b"retry-after: 1\r\n" in head
        [use] = await budgets.use([(concurrency_key("svc"), 3)])
        assert (use.limit, use.remaining + use.used) == (3, 3)
        release.set()
        for client in first:
            assert (await client.answer())[0] == 200

        async def passes() -> bool:
            return await statuses(late, 1) == [200]

        await eventually(passes)  # the no of a moment ago is good for 20 ms
        assert await statuses(first[0], 3) == [200] * 3


async def test_a_client_that_goes_makes_room(valkey: ValkeyServer) -> None:
    async with (
        backend(held(asyncio.Event())) as instance,
        planes(valkey, service_entries([instance.port], concurrency_limit=1)) as (one, _, _),
    ):
        gone = await one.connect()
        await gone.send(REQUEST)
        await until(lambda: instance.requests)
        gone.close()
        await until(lambda: not one.plane.connections)
        client = await one.connect()
        await client.send(REQUEST)
        await until(lambda: len(instance.requests) == 2)


async def test_requests_wait_for_their_turn_where_they_may_and_are_refused_when_it_does_not_come(
    valkey: ValkeyServer,
) -> None:
    release = asyncio.Event()
    limits = {"concurrency_limit": 1, "limit_max_wait_ms": 300}
    async with (
        backend(held(release)) as instance,
        planes(valkey, service_entries([instance.port], **limits)) as (one, _, _),
    ):
        first, second = await one.connect(), await one.connect()
        await first.send(REQUEST)
        await until(lambda: instance.requests)
        await second.send(REQUEST)
        status, _, body = await second.answer()
        assert (status, json.loads(body)["code"]) == (429, "concurrency_total")
        await second.send(REQUEST)
        gone = await one.connect()
        await gone.send(REQUEST)
        gone.close()
        release.set()
        assert (await second.answer())[0] == 200
        assert (await first.answer())[0] == 200
        await until(lambda: not one.plane.gates.waiting)


async def test_a_shadow_limit_refuses_nothing(valkey: ValkeyServer) -> None:
    async with (
        backend(answer(OK)) as instance,
        planes(valkey, service_entries([instance.port], rate_limit=5, limit_policy="shadow")) as (one, _, _),
    ):
        assert await statuses(await one.connect(), 30) == [200] * 30
        await until(lambda: sum(each.shadowed for each in one.plane.gates._reached.values()) >= 25)


@pytest.mark.parametrize("policy", ["closed", "open"])
async def test_while_valkey_hangs_what_cannot_be_asked_is_refused_or_passes_as_the_service_says(
    policy: str, valkey: ValkeyServer
) -> None:
    limits = {"rate_limit": 1000, "concurrency_limit": 100, "limit_when_unknown": policy}
    async with (
        backend(answer(OK)) as instance,
        planes(valkey, service_entries([instance.port], **limits), timeout_s=0.2) as (one, _, _),
    ):
        client = await one.connect()
        assert await statuses(client, 1) == [200]
        valkey.process.send_signal(signal.SIGSTOP)
        try:
            if policy == "open":
                assert await statuses(client, 300) == [200] * 300
            else:
                found = await statuses(client, 300)
                assert found == sorted(found)  # some by the slice in hand, and from then on none
                assert found[-1] == 429
                await client.send(REQUEST)
                detail = json.loads((await client.answer())[2])["detail"]
                assert detail.endswith("cannot be asked just now")
            assert one.plane.gates.away
        finally:
            valkey.process.send_signal(signal.SIGCONT)
        await until(lambda: not one.plane.gates.away)
        assert await statuses(client, 20) == [200] * 20


async def test_a_changed_limit_holds_from_the_next_request_on(valkey: ValkeyServer) -> None:
    async with (
        backend(answer(OK)) as instance,
        planes(valkey, service_entries([instance.port], rate_limit=5)) as (one, _, _),
    ):
        client = await one.connect()
        assert await statuses(client, 6) == [200] * 5 + [429]
        [service] = [each for each in service_entries([instance.port], rate_limit=8) if each.kind is Kind.SERVICE]
        one.plane.table.apply([service._replace(revision=2)])
        client = await one.connect()

        async def passes() -> bool:
            return await statuses(client, 1) == [200]

        await eventually(passes)
        assert (await statuses(client, 20)).count(200) == 2
