"""Instances that come and go under requests, in a whole system: drained without a cut, passed over when they die."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx2
from e2e.conftest import Caller

from narthex.runtime.tasks import background
from narthex.testing.backend import Backend, Conversation, backend
from narthex.testing.system import System
from narthex.testing.waiting import eventually, until

KEY, ACCEPT = b"dGhlIHNhbXBsZSBub25jZQ==", b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="  # of RFC 6455, section 1.3
SWITCHED = b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n"
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n"


@dataclass
class Application:
    """One instance of the test's: answers with its name, and streams until it is told to end."""

    name: str
    end: asyncio.Event = field(default_factory=asyncio.Event)
    broken: bool = False

    async def serve(self, conversation: Conversation) -> None:
        said = self.name.encode()
        while head := await conversation.head():
            if head.startswith(b"GET /stream"):
                await conversation.send(HEAD + b"%x\r\n%b\r\n" % (len(said), said))
                await self.end.wait()
                await conversation.send(b"3\r\nend\r\n0\r\n\r\n")
            elif b"\r\nupgrade: websocket\r\n" in head.lower():
                await conversation.send(SWITCHED + b"Sec-WebSocket-Accept: " + ACCEPT + b"\r\n\r\n")
                while data := await conversation.reader.read(1000):  # a tunnel cannot tell that these are no frames
                    await conversation.send(said + b":" + data)
            elif self.broken:
                await conversation.send(b"HTTP/1.1 500 Broken\r\nContent-Length: 0\r\n\r\n")
            else:
                await conversation.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(said), said))


class Stage:
    """A deployment with a service, through the REST API."""

    def __init__(self, system: System, name: str) -> None:
        self.name = name
        self._api = httpx2.AsyncClient(
            base_url=f"{system.api_url}/v2.1/projects/default",
            headers={"Authorization": f"Token {system.token}"},
            timeout=30,
        )
        self._system = system

    def instances(self, version: str = "v1") -> str:
        return f"/deployments/{self.name}/versions/{version}/instances"

    async def call(self, method: str, path: str, body: Any = None) -> Any:
        answer = await self._api.request(method, path, json=body)
        assert answer.status_code < 300, answer.text
        return answer.json() if answer.content else None

    async def refused(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        answer = await self._api.request(method, path, json=body)
        return answer.status_code, answer.json()

    async def register(self, made: Backend, version: str = "v1") -> str:
        body = {"address": "127.0.0.1", "port": made.port}
        return str((await self.call("POST", self.instances(version), body))["id"])

    async def shown(self, instance: str, version: str = "v1") -> dict[str, Any]:
        """An instance, or nothing when it is gone."""
        answer = await self._api.get(f"{self.instances(version)}/{instance}")
        return dict(answer.json()) if answer.status_code == 200 else {}

    async def running(self, *instances: str, version: str = "v1") -> None:
        async def look() -> bool:
            return all([(await self.shown(each, version)).get("status") == "running" for each in instances])

        await eventually(look)


@asynccontextmanager
async def stage(system: System, name: str) -> AsyncIterator[tuple[Stage, Caller]]:
    made = Stage(system, name)
    await made.call("POST", "/deployments", {"name": name})
    await made.call("POST", f"/deployments/{name}/versions", {"version": "v1"})
    service = await made.call("POST", "/services", {"name": name, "deployment": name, "port": 9000})
    caller = Caller(system, httpx2.URL(service["endpoint"]).host)
    try:
        yield made, caller
    finally:
        caller.http.close()
        await made._api.aclose()


async def ask(caller: Caller) -> str:
    answer = await asyncio.to_thread(caller.get, "/")
    assert answer.status_code == 200, answer.text
    return answer.text


Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@asynccontextmanager
async def opened(caller: Caller, line: str, fields: str, status: int) -> AsyncIterator[Streams]:
    """An answer that does not end by itself, from after its head."""
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", caller.port, ssl=caller.trust, server_hostname=caller.host
    )
    fields += f"Host: {caller.host}:{caller.port}\r\nAuthorization: {caller.authorization['Authorization']}\r\n"
    writer.write(f"{line}\r\n{fields}\r\n".encode())
    assert (await reader.readuntil(b"\r\n\r\n")).startswith(f"HTTP/1.1 {status}".encode())
    yield reader, writer
    writer.transport.abort()


@asynccontextmanager
async def stream(caller: Caller) -> AsyncIterator[asyncio.StreamReader]:
    """A streaming answer."""
    async with opened(caller, "GET /stream HTTP/1.1", "", 200) as (reader, _):
        yield reader


@asynccontextmanager
async def websocket(caller: Caller) -> AsyncIterator[Streams]:
    """An open WebSocket."""
    fields = f"Connection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: {KEY.decode()}\r\n"
    async with opened(caller, "GET /ws HTTP/1.1", fields + "Sec-WebSocket-Version: 13\r\n", 101) as streams:
        yield streams


async def test_a_drain_lets_an_open_stream_end_shows_it_and_sends_new_requests_elsewhere(system: System) -> None:
    one, two = Application("one"), Application("two")
    async with backend(one.serve) as first, backend(two.serve) as second, stage(system, "draining") as (made, caller):
        ids = {"one": await made.register(first), "two": await made.register(second)}
        await made.running(*ids.values())
        async with stream(caller) as reader:
            name = (await reader.readexactly(8))[3:6].decode()
            leaving = ids.pop(name)
            await made.call("DELETE", f"{made.instances()}/{leaving}")

            async def listed() -> Any:
                return (await made.shown(leaving))["in_flight"]

            [shown] = await eventually(listed)
            assert (shown["router"], shown["in_flight"], shown["open"][0]["websocket"]) == ("router", 1, False)
            assert (await made.shown(leaving))["status"] == "stopping"
            assert {await ask(caller) for _ in range(20)} == set(ids)
            {"one": one, "two": two}[name].end.set()
            assert (await reader.readuntil(b"0\r\n\r\n")).startswith(b"3\r\nend")
        await eventually(lambda: gone(made, leaving), within_s=10)  # well before the deadline of 30 s


async def gone(made: Stage, instance: str) -> bool:
    return not await made.shown(instance)


async def test_an_idle_instance_is_gone_as_soon_as_it_is_drained(system: System) -> None:
    one = Application("one")
    async with backend(one.serve) as first, stage(system, "idle") as (made, _):
        instance = await made.register(first)
        await made.running(instance)
        await made.call("DELETE", f"{made.instances()}/{instance}")
        await eventually(lambda: gone(made, instance), within_s=10)


async def test_a_version_without_healthy_instances_does_not_take_over(system: System) -> None:
    one, two = Application("one"), Application("two")
    async with backend(one.serve) as first, backend(two.serve) as second, stage(system, "switching") as (made, caller):
        await made.call("POST", "/deployments/switching/versions", {"version": "v2"})
        await made.running(await made.register(first))
        for path, body in (("/services/switching", "version"), ("/deployments/switching", "default_version")):
            status, refused = await made.refused("PATCH", path, {body: "v2"})
            assert (status, refused["code"]) == (409, "conflict")
            assert refused["error"].startswith(f"{body}: version v2 has no healthy instance yet, and 1 of the version")
        assert await ask(caller) == "one"
        switch = {"default_version": "v2"}
        async with asyncio.TaskGroup() as together:
            together.create_task(made.call("PATCH", "/deployments/switching?wait_s=30", switch))
            together.create_task(made.register(second, "v2"))
        await eventually(lambda: answers(caller, "two"))
        await made.call("POST", "/deployments/switching/versions", {"version": "v3"})
        forced = await made.call("PATCH", "/deployments/switching?force=true", {"default_version": "v3"})
        assert forced["default_version"] == "v3"


async def answers(caller: Caller, name: str) -> bool:
    return await ask(caller) == name


async def test_rolling_version_switches_cut_nothing_that_is_open_and_fail_no_request(system: System) -> None:
    """`make switches` runs fifty."""
    switches = int(os.environ.get("SWITCHES", "4"))
    one, two = Application("one"), Application("two")
    async with backend(one.serve) as first, backend(two.serve) as second, stage(system, "rolling") as (made, caller):
        await made.call("POST", "/deployments/rolling/versions", {"version": "v2"})
        await made.running(await made.register(first))
        await made.running(await made.register(second, "v2"), version="v2")
        answered: list[str] = []

        async def keep_asking() -> None:
            while True:  # an answer that is not 200 ends the test
                answered.append(await ask(caller))

        async with background() as tasks, AsyncExitStack() as held:
            tasks.start(keep_asking(), "requests")
            readers, sockets = [], []
            for number in range(switches):
                readers.append(await held.enter_async_context(stream(caller)))
                sockets.append(await held.enter_async_context(websocket(caller)))
                version, name = ("v2", "two") if number % 2 == 0 else ("v1", "one")
                await made.call("PATCH", "/services/rolling", {"version": version})
                seen = len(answered)
                await until(lambda seen=seen, name=name: name in answered[seen:])  # type: ignore[misc]
            for number, (reader, writer) in enumerate(sockets):
                writer.write(b"still there\n")  # at the version that it was opened to
                assert await reader.readline() == (b"one", b"two")[number % 2] + b":still there\n"
            one.end.set()
            two.end.set()
            for reader in readers:
                assert b"3\r\nend\r\n0\r\n\r\n" in await reader.readuntil(b"0\r\n\r\n")
    assert set(answered) == {"one", "two"}
    print(
        f"\n{switches} switches: {len(answered)} requests, {len(readers)} streams, {len(sockets)} WebSockets, 0 failed"
    )


async def test_a_rollout_goes_back_by_itself_when_the_new_version_fails_and_over_when_it_does_not(
    system: System,
) -> None:
    one, two = Application("one"), Application("two", broken=True)
    async with backend(one.serve) as first, backend(two.serve) as second, stage(system, "canary") as (made, caller):
        await made.call("POST", "/deployments/canary/versions", {"version": "v2"})
        await made.running(await made.register(first))
        await made.running(await made.register(second, "v2"), version="v2")
        statuses: list[int] = []

        async def keep_asking() -> None:
            while True:
                statuses.append((await asyncio.to_thread(caller.get, "/")).status_code)

        async def over(rollout: str) -> Any:
            shown = await made.call("GET", f"/services/canary/rollouts/{rollout}")
            return shown if shown["state"] in ("promoted", "rolled_back") else None

        async with background() as tasks:
            tasks.start(keep_asking(), "requests")
            body = {"version": "v2", "steps": [{"weight": 50.0, "hold_s": 600.0}], "gates": {"min_requests": 5}}
            begun = await made.call("POST", "/services/canary/rollouts", body)
            ended = await eventually(lambda: over(begun["id"]))
            assert ended["state"] == "rolled_back"
            assert "requests failed" in ended["reason"]
            assert 500 in statuses
            two.broken = False
            body["steps"] = [{"weight": 30.0, "hold_s": 1.0}, {"weight": 60.0, "hold_s": 1.0}]
            begun = await made.call("POST", "/services/canary/rollouts", body)
            ended = await eventually(lambda: over(begun["id"]), within_s=60)
            assert (ended["state"], len(ended["events"])) == ("promoted", 3)
            await eventually(lambda: answers(caller, "two"))
        assert (await made.call("GET", "/services/canary"))["version"] == "v2"
        shown = system.cli("rollouts", "list", "canary").stdout
        assert "promoted" in shown
        assert "rolled_back" in shown
