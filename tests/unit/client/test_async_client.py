"""The asynchronous client does the same operations; here only what it does itself."""

import json

import httpx2
import pytest

from narthex.client import ApiError, AsyncClient, ConnectionFailed
from narthex.testing.clock import ManualClock

TIME = "2026-01-01T00:00:00Z"
SERVICE = {
    "id": "s-1", "name": "hello", "deployment": "hello", "port": 9000, "time_created": TIME, "time_updated": TIME,
}  # fmt: skip
INSTANCE = {
    "id": "i-1", "status": "pending", "time_created": TIME, "time_updated": TIME,
    "deployment": "hello", "version": "v1", "address": "127.0.1.1",
}  # fmt: skip


class EagerClock(ManualClock):
    """A clock that moves when somebody sleeps."""

    async def sleep(self, seconds):
        self._elapsed += seconds


def client_of(*answers):
    left = list(answers)

    def answer(request):
        given = left.pop(0)
        if isinstance(given, Exception):
            raise given
        return given

    return AsyncClient("http://api.test", "t", transport=httpx2.MockTransport(answer), clock=EagerClock())


async def test_a_call_is_awaited():
    async with client_of(httpx2.Response(200, json=SERVICE)) as client:
        assert (await client.services.get("hello")).port == 9000


async def test_failures_are_repeated_and_then_raised():
    answers = [httpx2.ReadError("reset"), httpx2.Response(503, json={"error": "away"})]
    async with client_of(*answers, httpx2.Response(404, json={"error": "gone"})) as client:
        with pytest.raises(ApiError, match="gone"):
            await client.services.get("hello")


async def test_a_list_is_iterated_page_by_page():
    pages = [{"next": "c", "results": [INSTANCE]}, {"next": None, "results": [INSTANCE]}]
    async with client_of(*(httpx2.Response(200, json=page) for page in pages)) as client:
        assert len([instance async for instance in client.instances.list("hello", "v1")]) == 2


async def test_waiting_polls():
    states = [{"id": "s", "ready": ready, "instances_ready": 0} for ready in (False, True)]
    async with client_of(*(httpx2.Response(200, json=state) for state in states)) as client:
        assert (await client.services.wait_until_ready("hello")).ready


async def test_events_stream_and_go_on_after_the_connection_broke():
    def stream(key):
        data = json.dumps({"type": "T", "subject": "s", "event": {"key": key}})
        head = {"content-type": "text/event-stream"}
        return httpx2.Response(200, headers=head, content=f"data: {data}\n\n".encode())

    lost = []
    async with client_of(stream("1"), httpx2.ConnectError("refused"), stream("2")) as client:
        events = client.events.stream(on_lost=lost.append)
        assert [(await anext(events)).event["key"], (await anext(events)).event["key"]] == ["1", "2"]
        await events.aclose()
    assert [type(error) for error in lost] == [ConnectionFailed, ConnectionFailed]
