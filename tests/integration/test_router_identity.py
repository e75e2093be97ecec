"""The right instance, or nobody: addresses that are used again while nobody tells the router."""

import asyncio
import os
import resource
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest
from integration.router_kit import entry, router

from narthex.routing import Entry, Kind
from narthex.runtime.tasks import background
from narthex.testing.backend import Backend, Conversation, answer, backend
from narthex.testing.waiting import until
from narthex_router.channel import Say
from narthex_router.vouching import Vouching

HI = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n%b"
GET = b"GET /secret HTTP/1.1\r\nHost: %b.services.test\r\n\r\n"
IDENTITY = "a-nonce-of-sixteen-characters"


class Tenant:
    """An application that says who it is, and notes what else it was asked."""

    def __init__(self, name: bytes, identity: str = "", extra: bytes = b"") -> None:
        self.name = name
        self.asked: list[bytes] = []
        self._said = f"X-Narthex-Instance: {identity}\r\n".encode() if identity else b""
        self._extra = extra

    async def serve(self, conversation: Conversation) -> None:
        while head := await conversation.head():
            line = head.partition(b"\r\n")[0]
            self.asked.append(line)
            if line.startswith(b"GET /who "):
                await conversation.send(
                    b"HTTP/1.1 200 OK\r\n%b%bContent-Length: 2\r\n\r\nok" % (self._said, self._extra)
                )
            else:
                await conversation.send(HI % self.name)


def entries(port: int, identity: str | None = IDENTITY, more: list[Entry] | None = None) -> list[Entry]:
    fields = {"deployment_id": "d", "version_id": "v", "address": "127.0.0.1", "port": port, "identity": identity}
    return [
        entry(Kind.DEPLOYMENT, "d", default_version_id="v"),
        entry(Kind.VERSION, "v", deployment_id="d", health_check={"path": "/who"}),
        entry(Kind.SERVICE, "svc", project_id="p", deployment_id="d", port=9000, authentication_required=False),
        entry(Kind.INSTANCE, "i", **fields),
        entry(Kind.HEALTH, "i", health="healthy"),
        *(more or []),
    ]


@asynccontextmanager
async def at(port: int, tenant: Tenant) -> AsyncIterator[Backend]:
    """A tenant's application at a port that another one had."""
    seen, busy = Backend(port), set[asyncio.Task[None]]()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        busy.add(asyncio.current_task())  # type: ignore[arg-type]
        try:
            await tenant.serve(Conversation(reader, writer, seen))
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", port)
    seen.port = server.sockets[0].getsockname()[1]
    try:
        yield seen
    finally:
        server.close()
        for task in busy:
            task.cancel()
        await asyncio.gather(*busy)


async def ask(under_test: Any, host: bytes = b"svc") -> tuple[int, bytes, bytes]:
    client = await under_test.connect()
    try:
        await client.send(GET % host)
        return await client.answer()
    finally:
        client.close()


async def test_a_reused_address_gets_no_request_of_the_tenant_who_had_it() -> None:
    """`make reused` runs 200 rounds."""
    rounds = int(os.environ.get("ROUNDS", "5"))
    mine, stranger = Tenant(b"me", IDENTITY), Tenant(b"no", "the-identity-of-another-one")
    nobody = Tenant(b"no")
    answered = refused = 0
    async with at(0, mine) as first:
        port = first.port
    async with router(entries(port)) as under_test:
        for number in range(rounds):
            for tenant, there in ((mine, True), (stranger if number % 2 else nobody, False), (mine, True)):
                async with at(port, tenant):
                    status, head, body = await ask(under_test)
                assert (status, body) == (200, b"me") if there else (status == 502 and b"connect_failed" in head)
                answered, refused = answered + there, refused + (not there)
    others = [line for tenant in (stranger, nobody) for line in tenant.asked if line != b"GET /who HTTP/1.1"]
    assert others == []
    print(
        f"\n{rounds} rounds: {answered} answered by the right tenant, {refused} refused, {len(others)} by a wrong one"
    )


async def test_a_connection_that_is_kept_is_asked_once_and_its_client_never_sees_who_answers() -> None:
    mine = Tenant(b"me", IDENTITY)
    async with backend(mine.serve) as there, router(entries(there.port)) as under_test:
        client = await under_test.connect()
        for path in (b"/secret", b"/who", b"/secret"):
            await client.send(b"GET %b HTTP/1.1\r\nHost: svc.services.test\r\n\r\n" % path)
            status, head, _ = await client.answer()
            assert status == 200
            assert b"narthex-instance" not in head.lower()
        assert [line.split()[1] for line in mine.asked] == [b"/who", b"/secret", b"/who", b"/secret"]


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "does not say in x-narthex-instance who it is"),
        (b"HTTP/1.1 200 OK\r\nX-Narthex-Instance: %b\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", "closes the"),
        (b"HTTP/1.0 200 OK\r\nX-Narthex-Instance: %b\r\n\r\n", "closes the connection"),
        (b"HTTP/1.1 200 OK\r\nX-Narthex-Instance: %b\r\nContent-Length: 0\r\n\r\nHTTP/1.1 200", "more than one answer"),
        (b"HTTP/1.1 200 OK\r\nX-Narthex-Instance: %b\r\nContent-Length: 99999\r\n\r\n" + b"x" * 99_999, "too long"),
        (b"SSH-2.0-x\r\n\r\n", "did not say who it is"),
    ],
)
async def test_whoever_cannot_be_told_gets_nothing_and_the_attempt_says_why(said: bytes, reason: str) -> None:
    if b"%b" in said:
        said = said % IDENTITY.encode()
    async with backend(answer(said)) as there, router(entries(there.port)) as under_test:
        status, head, body = await ask(under_test)
        assert (status, b"x-narthex-error: connect_failed" in head) == (502, True)
        assert reason in body.decode()
        assert not any(b"/secret" in request for request in there.requests)


async def test_another_instance_takes_the_request() -> None:
    async with AsyncExitStack() as stack:
        stranger, mine = Tenant(b"no", "the-identity-of-another-one"), Tenant(b"me", IDENTITY)
        wrong, right = [await stack.enter_async_context(backend(each.serve)) for each in (stranger, mine)]
        fields = {"deployment_id": "d", "version_id": "v", "address": "127.0.0.1", "port": right.port}
        second = [entry(Kind.INSTANCE, "j", identity=IDENTITY, **fields), entry(Kind.HEALTH, "j", health="healthy")]
        under_test = await stack.enter_async_context(router(entries(wrong.port, more=second)))
        for _ in range(10):
            assert (await ask(under_test))[::2] == (200, b"me")


async def test_without_anybody_who_vouches_only_instances_with_an_identity_go_on() -> None:
    mine = Tenant(b"me", IDENTITY)
    async with backend(mine.serve) as there:
        for identity, status in ((IDENTITY, 200), (None, 503)):
            async with router(entries(there.port, identity)) as under_test:
                assert (await ask(under_test))[0] == 200
                under_test.plane.endpoints.vouched(stale=True)
                found, head, body = await ask(under_test)
                assert found == status
                if status == 503:
                    assert b"x-narthex-error: no_healthy_instances" in head
                    assert b"nobody has vouched for" in body
                under_test.plane.endpoints.vouched(stale=False)
                assert (await ask(under_test))[0] == 200


async def test_workers_are_told_when_health_workers_fall_silent_and_when_they_are_heard_again() -> None:
    now, told = [0.0], list[tuple[Say, bytes]]()
    vouching = Vouching(10.0, lambda: now[0])

    async def say(kind: Say, body: bytes) -> None:
        told.append((kind, body))

    async with background() as tasks:
        tasks.start(vouching.run(say), "vouching")
        now[0] = 11.0
        await until(lambda: told == [(Say.STALE, b"1")])
        await vouching.hear(None)  # type: ignore[arg-type]
        await until(lambda: told == [(Say.STALE, b"1"), (Say.STALE, b"")])


async def test_descriptors_that_run_out_are_no_fault_of_the_instance() -> None:
    async with backend(answer(HI % b"me")) as there, router(entries(there.port, None)) as under_test:
        client = await under_test.connect()
        used, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        lowest = os.dup(0)  # the number that the next descriptor would have
        os.close(lowest)
        resource.setrlimit(resource.RLIMIT_NOFILE, (lowest, hard))
        try:
            await client.send(GET % b"svc")
            status, head, body = await client.answer()
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (used, hard))
        assert (status, b"x-narthex-error: router_exhausted" in head) == (503, True)
        assert b"this router lacks descriptors for one more connection" in body
        await client.send(GET % b"svc")
        assert (await client.answer())[0] == 200
        told = under_test.plane.journal.evidence.take(0.0)
        assert b"[0, 0, 0, 0, 0, 0]" in told or not told
