"""A lease keeps its instance registered, whatever happens to the API."""

import asyncio
import json
import os
import signal

import httpx2

from narthex.client import AsyncClient, Retry, leased, told_to_end
from narthex.client.lease import Lease
from narthex.contracts.api import InstanceCreate
from narthex.runtime.tasks import background
from narthex.testing.clock import ManualClock
from narthex.testing.waiting import until

TIME = "2026-01-01T00:00:00Z"
PREFIX = "/v2.1/projects/default/deployments/hello/versions/v1/instances"


class Instances:
    """The API's instances: registered, renewed, lost, drained."""

    def __init__(self):
        self.held = {}
        self.made = 0
        self.asked = []
        self.down = False
        self.linger = 0  # how often a drained instance is still seen

    def __call__(self, request):
        if self.down:
            raise httpx2.ConnectError("refused")
        body = json.loads(request.content) if request.content else {}
        path = request.url.path.removeprefix(PREFIX).strip("/")
        self.asked.append((request.method, path, body))
        id = path.split("/")[0]
        if request.method == "POST":
            self.made += 1
            id = f"i-{self.made}"
            self.held[id] = body
            return httpx2.Response(201, json=detail(id, body))
        if id not in self.held:
            return httpx2.Response(404, json={"error": "there is no such instance"})
        if request.method == "DELETE":
            if self.linger == 0:
                del self.held[id]
            return httpx2.Response(204)
        if request.method == "GET":
            self.linger -= 1
            if self.linger == 0:
                del self.held[id]
        return httpx2.Response(200, json=detail(id, {"address": "x"}))

    def verbs(self):
        return [(method, path) for method, path, _ in self.asked]


def detail(id, body):
    return {
        "id": id, "status": "pending", "time_created": TIME, "time_updated": TIME,
        "deployment": "hello", "version": "v1", "address": body["address"],
    }  # fmt: skip


def scene():
    api, clock = Instances(), ManualClock()
    client = AsyncClient("http://api.test", "t", transport=httpx2.MockTransport(api), retry=Retry(total_s=0.0))
    return api, clock, client


INSTANCE = InstanceCreate(address="127.0.1.1", lease_seconds=15)


async def test_an_instance_is_registered_renewed_at_a_third_and_drained_at_the_end():
    api, clock, client = scene()
    async with client, leased(client, "hello", "v1", INSTANCE, clock=clock) as lease:
        await lease.registered.wait()
        await clock.advance(5.1)
        await clock.advance(5.1)
        assert lease.id == "i-1"
    assert api.verbs() == [
        ("POST", ""), ("PUT", "i-1/lease"), ("PUT", "i-1/lease"), ("DELETE", "i-1"), ("GET", "i-1"),
    ]  # fmt: skip
    assert api.asked[0][2] == {"address": "127.0.1.1", "lease_seconds": 15}


async def test_a_lease_that_ran_out_is_registered_again():
    api, clock, client = scene()
    async with client, leased(client, "hello", "v1", INSTANCE, clock=clock) as lease:
        await lease.registered.wait()
        api.held.clear()
        await clock.advance(5.1)
        assert lease.id == "i-2"


async def test_an_api_that_is_away_is_asked_until_it_is_back_and_reported_once():
    api, clock, client = scene()
    api.down = True
    trouble = []
    async with client, background() as tasks:
        lease = Lease(client, "hello", "v1", INSTANCE, on_trouble=trouble.append, clock=clock)
        tasks.start(lease.keep(), "lease")
        for _ in range(20):
            await clock.advance(1.0)
        assert len(trouble) == 1
        api.down = False
        for _ in range(6):
            await clock.advance(1.0)
        assert lease.id == "i-1"
        assert trouble[1:] == [None]


async def test_a_note_is_told_at_once_and_with_every_renewal():
    api, clock, client = scene()
    async with client, leased(client, "hello", "v1", INSTANCE, clock=clock) as lease:
        await lease.registered.wait()
        await clock.advance(0.1)
        lease.tell("exited with 1: " + "x" * 1000)
        await clock.advance(0.1)
        await clock.advance(5.1)
        notes = [body["note"] for method, _, body in api.asked if method == "PUT"]
        assert len(notes) == 2
        assert notes[0] == notes[1]
        assert notes[0].startswith("exited with 1: x")
        assert len(notes[0]) == 400


async def test_a_note_from_before_the_registration_is_told_after_it():
    api, clock, client = scene()
    api.down = True
    async with client, background() as tasks:
        lease = Lease(client, "hello", "v1", INSTANCE, clock=clock, on_trouble=lambda _: None)
        tasks.start(lease.keep(), "lease")
        lease.tell("exited with 1")
        await clock.advance(0.1)
        api.down = False
        await clock.advance(5.0)
        assert api.asked[:2] == [
            ("POST", "", {"address": "127.0.1.1", "lease_seconds": 15}),
            ("PUT", "i-1/lease", {"note": "exited with 1"}),
        ]


async def test_draining_waits_until_the_instance_is_gone():
    api, _, client = scene()
    api.linger = 3
    async with client:
        lease = Lease(client, "hello", "v1", INSTANCE)
        async with background() as tasks:
            tasks.start(lease.keep(), "lease")
            await lease.registered.wait()
        assert await lease.drain()
    assert [method for method, _ in api.verbs()] == ["POST", "DELETE", "GET", "GET", "GET", "GET"]


async def test_draining_an_instance_that_stays_gives_up_in_time():
    api, _, client = scene()
    api.linger = 10**6
    async with client:
        lease = Lease(client, "hello", "v1", INSTANCE)
        async with background() as tasks:
            tasks.start(lease.keep(), "lease")
            await lease.registered.wait()
        assert not await lease.drain(timeout_s=0.1)


async def test_a_lease_that_cannot_be_drained_does_not_hide_how_the_block_ended():
    api, clock, client = scene()
    async with client, asyncio.timeout(5), leased(client, "hello", "v1", INSTANCE, clock=clock) as lease:
        await lease.registered.wait()
        api.down = True


async def test_a_withheld_instance_is_taken_out_and_comes_back_when_it_is_let():
    api, clock, client = scene()
    async with client, leased(client, "hello", "v1", INSTANCE, clock=clock) as lease:
        await until(lambda: api.held)
        lease.withhold(True)
        await until(lambda: not api.held)
        lease.withhold(False)
        await until(lambda: list(api.held) == ["i-2"])


async def test_an_instance_withheld_from_the_start_is_never_registered():
    api, clock, client = scene()
    async with client, background() as tasks:
        lease = Lease(client, "hello", "v1", INSTANCE, clock=clock)
        lease.withhold(True)
        tasks.start(lease.keep(), "lease")
        await clock.advance(30)
        assert api.asked == []


async def test_an_application_that_is_told_to_end_is_drained_first():
    api, clock, client = scene()
    async with client, background() as tasks:

        async def serve():
            async with leased(client, "hello", "v1", INSTANCE, clock=clock):
                await told_to_end()

        serving = tasks.start(serve(), "serve")
        await until(lambda: api.held)
        os.kill(os.getpid(), signal.SIGTERM)
        await until(serving.done)
    assert api.verbs()[-2:] == [("DELETE", "i-1"), ("GET", "i-1")]
    assert not api.held
