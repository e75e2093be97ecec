"""The registry on the bus: facts in order whatever happens, snapshots, health, leases, drains, the live feed.

Everything here runs on a real nats-server with the permissions of production.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from integration.registry_kit import P, config

from narthex.bus import EVENTS, Bus, open_bus
from narthex.contracts import events
from narthex.contracts.entities import Health, OpenRequest, ReplicaHealth
from narthex.contracts.errors import Invalid, Unavailable
from narthex.contracts.events import BY_SUBJECT, REGISTRY_FACTS, Event, ReplicaHealthChanged, RouteApplied
from narthex.contracts.queries import SNAPSHOT_SUBJECT, SnapshotFact, SnapshotPage, SnapshotQuestion
from narthex.runtime.tasks import background
from narthex.testing.rest import Rest, rest
from narthex.testing.servers import NatsPlace, NatsServer, free_port, nats_server, new_passwords
from narthex.testing.waiting import eventually
from narthex_registry.app import open
from narthex_registry.config import RegistrySettings

V1 = f"{P}/deployments/hello/versions/v1"
INSTANCES = f"{V1}/instances"


@asynccontextmanager
async def running(directory: Path, nats: NatsPlace, **registry: Any) -> AsyncIterator[Rest]:
    """A registry on a bus, and its API as the administrator."""
    settings = replace(config(directory, nats), registry=RegistrySettings(**registry))
    async with open(settings) as part, rest(part.port, (directory / "admin.token").read_text().strip()) as client:
        yield client


@asynccontextmanager
async def heard(nats: NatsPlace) -> AsyncIterator[list[Event]]:
    """Every fact of the registry as the router's durable consumer gets it, from the stream's beginning."""
    facts: list[Event] = []

    async def on_fact(event: Event) -> None:
        facts.append(event)

    async with open_bus(nats.settings("router"), "router") as bus, background() as tasks:
        tasks.start(bus.consume(EVENTS, dict.fromkeys(REGISTRY_FACTS, on_fact)), "facts")
        yield facts


async def hello(api: Rest) -> None:
    """A deployment `hello` with a version `v1`."""
    await api.made(f"{P}/deployments", {"name": "hello"})
    await api.made(f"{P}/deployments/hello/versions", {"version": "v1"})


async def facts_upto(facts: list[Event], kind: type[Event]) -> list[Event]:
    async def last_is_there() -> bool:
        return any(isinstance(fact, kind) for fact in facts)

    await eventually(last_is_there)
    return facts


def names(facts: list[Event]) -> list[str]:
    return [type(fact).__name__ for fact in facts]


FIRST = ["ProjectCreated", "AccessChanged", "TokenIssued"]


# -- the outbox ---------------------------------------------------------------------------------------------


@pytest.mark.on_postgres
async def test_every_change_is_a_fact_on_the_stream_in_order(tmp_path: Path, nats: NatsServer) -> None:
    async with running(tmp_path, nats, drain_s=0.05) as api, heard(nats) as facts:
        await hello(api)
        service = await api.made(f"{P}/services", {"name": "web", "deployment": "hello", "port": 8080})
        instance = await api.made(INSTANCES, {"address": "127.0.0.1", "port": 9000, "weight": 2})
        await api.delete(f"{INSTANCES}/{instance['id']}")
        await facts_upto(facts, events.InstanceRemoved)
        await api.patch(f"{P}/services/web", {"rate_limit": 5})
        await api.delete(f"{P}/services/web")
        await api.delete(f"{P}/deployments/hello")
        await facts_upto(facts, events.DeploymentDeleted)
    assert names(facts) == [
        *FIRST,
        "DeploymentCreated",
        "VersionCreated",
        "DefaultVersionChanged",
        "ServiceCreated",
        "InstanceRegistered",
        "InstanceDraining",
        "InstanceRemoved",
        "ServiceUpdated",
        "ServiceDeleted",
        "VersionDeleted",
        "DeploymentDeleted",
    ]
    assert [fact.sequence for fact in facts] == list(range(1, len(facts) + 1))
    changes = [fact for fact in facts if fact.key == service["id"]]
    assert [fact.revision for fact in changes] == [1, 2, 3]
    assert changes[1].entity.rate_limit == 5  # type: ignore[attr-defined]
    gone = [fact for fact in facts if fact.key == instance["id"]]
    assert [(fact.revision, fact.entity.stopping) for fact in gone] == [(1, False), (2, True), (3, True)]  # type: ignore[attr-defined]
    assert gone[2].reason == "drained"  # type: ignore[attr-defined]


@pytest.mark.on_postgres
async def test_a_refused_request_leaves_no_hole_in_the_sequence(tmp_path: Path, nats: NatsServer) -> None:
    async with running(tmp_path, nats) as api, heard(nats) as facts:
        await api.made(f"{P}/deployments", {"name": "hello"})
        assert (await api.post(f"{P}/deployments", {"name": "hello"}))[0] == 409
        body = {"name": "web", "deployment": "hello", "port": 8080, "health_check": {"path": "/x"}}
        assert (await api.post(f"{P}/services", body))[0] == 400  # refused after the row was written
        await api.made(f"{P}/deployments/hello/versions", {"version": "v1"})
        await facts_upto(facts, events.DefaultVersionChanged)
    assert [fact.sequence for fact in facts] == list(range(1, len(facts) + 1))


async def test_what_was_acknowledged_while_nats_was_away_is_published_in_order_later(tmp_path: Path) -> None:
    away = NatsPlace(free_port(), new_passwords())
    async with running(tmp_path, away) as api:
        await hello(api)
    async with running(tmp_path, away) as api:  # and it survives a restart of the registry
        await api.made(f"{P}/services", {"name": "web", "deployment": "hello", "port": 8080})
        with nats_server(tmp_path, port=away.port, passwords=away.passwords):
            async with heard(away) as facts:
                await facts_upto(facts, events.ServiceCreated)
    expected = ["DeploymentCreated", "VersionCreated", "DefaultVersionChanged", "ServiceCreated"]
    assert names(facts) == FIRST + expected
    assert [fact.sequence for fact in facts] == list(range(1, len(facts) + 1))


async def test_the_streams_come_back_when_nats_lost_its_store(tmp_path: Path) -> None:
    place = NatsPlace(free_port(), new_passwords())
    async with running(tmp_path, place) as api:
        with nats_server(tmp_path / "one", port=place.port, passwords=place.passwords):
            async with heard(place) as facts:
                await hello(api)
                await facts_upto(facts, events.DefaultVersionChanged)
        with nats_server(tmp_path / "two", port=place.port, passwords=place.passwords):
            await api.made(f"{P}/services", {"name": "web", "deployment": "hello", "port": 8080})
            async with heard(place) as facts:
                await facts_upto(facts, events.ServiceCreated)
    assert names(facts) == ["ServiceCreated"]


async def test_a_fact_names_the_request_and_the_trace_that_caused_it(tmp_path: Path, nats: NatsServer) -> None:
    trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    async with running(tmp_path, nats) as api, heard(nats) as facts:
        async with api.session.post(
            f"{P}/deployments", json={"name": "hello"}, headers={"traceparent": trace}
        ) as response:
            request_id = response.headers["x-request-id"]
        await facts_upto(facts, events.DeploymentCreated)
    assert (facts[-1].correlation_id, facts[-1].traceparent) == (request_id, trace)


# -- the snapshot -------------------------------------------------------------------------------------------


async def pages(bus: Bus, limit: int) -> list[SnapshotPage]:
    found: list[SnapshotPage] = []
    cursor: str | None = ""
    while cursor is not None:
        page = await bus.ask(SNAPSHOT_SUBJECT, SnapshotQuestion(cursor=cursor, limit=limit), SnapshotPage)
        found.append(page)
        cursor = page.cursor
    return found


def read(fact: SnapshotFact) -> Event:
    return BY_SUBJECT[fact.subject].model_validate(fact.event)


async def connected(bus: Bus) -> None:
    async def look() -> bool:
        try:
            await bus.ask(SNAPSHOT_SUBJECT, SnapshotQuestion(limit=1), SnapshotPage)
        except Unavailable:
            return False
        return True

    await eventually(look)


@pytest.mark.on_postgres
async def test_a_snapshot_names_everything_once_whatever_the_page_size(tmp_path: Path, nats: NatsServer) -> None:
    async with running(tmp_path, nats) as api, open_bus(nats.settings("router"), "router") as bus:
        await hello(api)
        await api.made(f"{P}/services", {"name": "web", "deployment": "hello", "port": 8080})
        for port in range(9000, 9003):
            await api.made(INSTANCES, {"address": "127.0.0.1", "port": port})
        await connected(bus)
        whole = await pages(bus, 1000)
        assert len(whole) == 1
        everything = [read(fact) for fact in whole[0].facts]
        assert names(everything) == [
            "ProjectUpdated",
            "DeploymentUpdated",
            "VersionUpdated",
            *["InstanceRegistered"] * 3,
            "ServiceUpdated",
            "TokenIssued",
            "AccessChanged",
        ]
        assert whole[0].sequence == max(fact.sequence for fact in everything) == 10
        for limit in (1, 2, 9, 10):
            found = await pages(bus, limit)
            assert [fact.event["key"] for page in found for fact in page.facts] == [fact.key for fact in everything]
            assert {page.sequence for page in found} == {10}


@pytest.mark.on_postgres
async def test_a_change_between_two_pages_keeps_the_sequence_of_the_first(tmp_path: Path, nats: NatsServer) -> None:
    async with running(tmp_path, nats) as api, open_bus(nats.settings("router"), "router") as bus:
        await hello(api)
        await connected(bus)
        first = await bus.ask(SNAPSHOT_SUBJECT, SnapshotQuestion(limit=2), SnapshotPage)
        await api.made(INSTANCES, {"address": "127.0.0.1"})
        second = await bus.ask(SNAPSHOT_SUBJECT, SnapshotQuestion(cursor=first.cursor or "", limit=100), SnapshotPage)
        assert second.sequence == first.sequence
        added = [read(fact) for fact in second.facts if fact.subject == events.InstanceRegistered.subject]
        assert [fact.sequence > first.sequence for fact in added] == [True]


async def test_a_cursor_that_is_none_is_refused(tmp_path: Path, nats: NatsServer) -> None:
    async with running(tmp_path, nats), open_bus(nats.settings("router"), "router") as bus:
        await connected(bus)
        with pytest.raises(Invalid, match="cursor"):
            await bus.ask(SNAPSHOT_SUBJECT, SnapshotQuestion(cursor="x"), SnapshotPage)


# -- instances ----------------------------------------------------------------------------------------------


@pytest.mark.on_postgres
async def test_instances_are_listed_page_by_page(tmp_path: Path, nats: NatsServer) -> None:
    async with running(tmp_path, nats) as api:
        await hello(api)
        made = [(await api.made(INSTANCES, {"address": "127.0.0.1", "port": port}))["id"] for port in range(9000, 9005)]
        _, first = await api.get(INSTANCES, limit="3")
        assert [i["id"] for i in first["results"]] == made[:3]
        _, rest_of_them = await api.get(f"{P}/instances", limit="3", cursor=first["next"])
        assert ([i["id"] for i in rest_of_them["results"]], rest_of_them["next"]) == (made[3:], None)
        assert (await api.get(INSTANCES, status="running"))[1]["results"] == []
        assert len((await api.get(INSTANCES, status="pending,stopping"))[1]["results"]) == 5
        status, body = await api.get(INSTANCES, status="lost")
        assert (status, body["error"]) == (400, "status: lost is none of pending, initialising, running, stopping")


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({}, "address: is required"),
        ({"address": "http://x"}, "address: must be an IP address or a DNS name, without scheme, port or path"),
        ({"address": "127.0.0.1", "port": 0}, "port: must be between 1 and 65535"),
        ({"address": "127.0.0.1", "colour": "red"}, "colour: is not a field of an instance"),
        ({"address": "127.0.0.1", "lease_seconds": 0}, "lease_seconds: must be at least 1"),
    ],
)
async def test_a_wrong_instance_is_refused(tmp_path: Path, nats: NatsServer, body: Any, error: str) -> None:
    async with running(tmp_path, nats) as api:
        await hello(api)
        status, answer = await api.post(INSTANCES, body)
        assert (status, answer["error"]) == (400, error)


@pytest.mark.on_postgres
async def test_an_instance_is_shown_draining_at_once_and_removed_later(tmp_path: Path, nats: NatsServer) -> None:
    async with running(tmp_path, nats, drain_s=0.3) as api:
        await hello(api)
        one, other = [(await api.made(INSTANCES, {"address": "127.0.0.1"}))["id"] for _ in range(2)]
        assert await api.delete(f"{INSTANCES}/{one}") == (204, None)
        status, stopped = await api.patch(f"{INSTANCES}/{other}", {"status": "stopped"})
        assert (status, stopped["status"]) == (200, "stopping")
        assert (await api.get(f"{INSTANCES}/{one}"))[1]["status"] == "stopping"

        async def gone() -> bool:
            return (await api.get(INSTANCES))[1]["results"] == []

        await eventually(gone)
        assert (await api.get(f"{INSTANCES}/{one}"))[0] == 404


async def test_an_instance_goes_when_every_router_has_released_it(tmp_path: Path, nats: NatsServer) -> None:
    async with (
        running(tmp_path, nats, drain_s=600) as api,
        open_bus(nats.settings("router"), "router") as bus,
        background() as tasks,
    ):
        await hello(api)
        made = await api.made(INSTANCES, {"address": "127.0.0.1"})

        async def here_i_am() -> None:
            while True:
                for router in ("r1", "r2"):
                    await bus.tell(RouteApplied(key=router, router=router, worker=f"{router}/0", applied_sequence=1))
                await asyncio.sleep(0.1)

        tasks.start(here_i_am(), "two routers")
        await eventually(lambda: _routers(api))
        await api.delete(f"{INSTANCES}/{made['id']}")
        oldest = OpenRequest(id="r", service_id="s", websocket=True, age_s=2.5)
        await bus.publish(events.InstanceReleased(key=made["id"], router="r1"))

        async def shown() -> Any:
            busy = events.InstanceBusy(key=made["id"], router="r2", in_flight=1, open=(oldest,))
            await bus.tell(busy)
            return (await api.get(f"{INSTANCES}/{made['id']}"))[1]["in_flight"]

        [under_way] = await eventually(shown)
        assert under_way == {"router": "r2", "in_flight": 1, "open": [oldest.model_dump()]}
        await bus.publish(events.InstanceReleased(key=made["id"], router="r2"))

        async def gone() -> bool:
            return (await api.get(INSTANCES))[1]["results"] == []

        await eventually(gone)


async def _routers(api: Rest) -> bool:
    return len((await api.get("/v2.1/routers"))[1]) == 2


async def test_a_drain_goes_on_after_a_restart(tmp_path: Path, nats: NatsServer) -> None:
    async with running(tmp_path, nats, drain_s=0.5) as api:
        await hello(api)
        made = await api.made(INSTANCES, {"address": "127.0.0.1"})
        await api.delete(f"{INSTANCES}/{made['id']}")
    async with running(tmp_path, nats) as api, heard(nats) as facts:
        await facts_upto(facts, events.InstanceRemoved)
        assert (await api.get(INSTANCES))[1]["results"] == []


async def test_an_instance_whose_lease_runs_out_is_removed(tmp_path: Path, nats: NatsServer) -> None:
    async with running(tmp_path, nats) as api, heard(nats) as facts:
        await hello(api)
        kept = await api.made(INSTANCES, {"address": "127.0.0.1", "lease_seconds": 600})
        lost = await api.made(INSTANCES, {"address": "127.0.0.1", "lease_seconds": 1})
        await facts_upto(facts, events.InstanceRemoved)
        assert (facts[-1].key, facts[-1].reason) == (lost["id"], "lease expired")  # type: ignore[attr-defined]
        status, body = await api.put(f"{INSTANCES}/{lost['id']}/lease")
        assert (status, body["code"]) == (404, "not_found")
        assert [i["id"] for i in (await api.get(INSTANCES))[1]["results"]] == [kept["id"]]


async def test_a_lease_is_renewed_with_or_without_a_note(tmp_path: Path, nats: NatsServer) -> None:
    async with running(tmp_path, nats) as api:
        await hello(api)
        made = await api.made(INSTANCES, {"address": "127.0.0.1", "lease_seconds": 600})
        lease = f"{INSTANCES}/{made['id']}/lease"
        status, renewed = await api.put(lease, {"note": "exited with 1: no such file"})
        assert (status, renewed["note"]) == (200, "exited with 1: no such file")
        assert renewed["lease_expires"] > made["lease_expires"]
        async with api.session.put(lease) as response:
            assert (response.status, (await response.json())["note"]) == (200, "")
        status, body = await api.put(lease, {"notes": "x"})
        assert (status, body["error"]) == (400, "notes: is not a field of a lease renewal")


@pytest.mark.on_postgres
async def test_health_is_shown_and_older_verdicts_are_ignored(tmp_path: Path, nats: NatsServer) -> None:
    async with running(tmp_path, nats) as api, open_bus(nats.settings("healthcheck"), "healthcheck") as bus:
        await hello(api)
        await api.made(f"{P}/services", {"name": "web", "deployment": "hello", "port": 8080})
        made = await api.made(INSTANCES, {"address": "127.0.0.1"})

        async def say(instance_id: str, revision: int, health: Health, reason: str) -> None:
            entity = ReplicaHealth(id=instance_id, health=health, reason=reason)
            verdict = ReplicaHealthChanged(key=instance_id, revision=revision, entity=entity, before=Health.UNKNOWN)

            async def said() -> bool:
                try:
                    await bus.publish(verdict)
                except Unavailable:
                    return False
                return True

            await eventually(said)

        async def shown(reason: str) -> Any:
            async def look() -> Any:
                found = (await api.get(f"{INSTANCES}/{made['id']}"))[1]
                return found if found["reason"] == reason else None

            return await eventually(look)

        await say("01a206e8-0000-7000-8000-000000000000", 1, Health.HEALTHY, "of an instance that is gone")
        await say(made["id"], 10, Health.UNHEALTHY, "probe: HTTP 503")
        assert (await shown("probe: HTTP 503"))["status"] == "initialising"
        assert (await api.get(f"{P}/services/web/status"))[1]["ready"] is False
        await say(made["id"], 9, Health.HEALTHY, "older")
        await say(made["id"], 11, Health.HEALTHY, "probe: HTTP 200")
        assert (await shown("probe: HTTP 200"))["status"] == "running"
        _, status = await api.get(f"{P}/services/web/status")
        assert (status["ready"], status["instances_ready"]) == (True, 1)


# -- routers and the live feed ------------------------------------------------------------------------------


async def test_a_service_is_propagated_when_every_worker_has_it(tmp_path: Path, nats: NatsServer) -> None:
    async with running(tmp_path, nats) as api, open_bus(nats.settings("router"), "router") as bus:
        await hello(api)
        made = await api.made(INSTANCES, {"address": "127.0.0.1"})
        await api.made(f"{P}/services", {"name": "web", "deployment": "hello", "port": 8080})

        async def state() -> Any:
            return (await api.get(f"{P}/services/web/propagation"))[1]

        assert await state() == {"sequence": 8, "applied": False, "workers": []}

        async def until(sequence: int, applied: bool) -> None:
            async def look() -> bool:
                for worker in ("0", "1"):
                    await bus.tell(
                        RouteApplied(key="r1", router="r1", worker=worker, applied_sequence=sequence - int(worker))
                    )
                found = await state()
                return len(found["workers"]) == 2 and found["applied"] is applied

            await eventually(look)

        await until(8, applied=False)  # worker 1 is one behind
        await until(9, applied=True)
        await api.patch(f"{INSTANCES}/{made['id']}", {"status": "stopped"})
        assert (await state())["sequence"] == 9
        assert len((await api.get("/v2.1/routers"))[1]) == 2


async def test_the_feed_shows_a_projects_events_as_they_happen(tmp_path: Path, nats: NatsServer) -> None:
    async with running(tmp_path, nats) as api, heard(nats) as facts:
        await facts_upto(facts, events.TokenIssued)  # the bus is up
        async with api.session.get(f"{P}/events/stream") as response:
            assert response.headers["Content-Type"] == "text/event-stream"
            assert await response.content.readuntil(b"\n\n") == b": still here\n\n"
            await api.made("/v2.1/projects", {"name": "other", "organization_name": "default"})
            await api.made("/v2.1/projects/other/deployments", {"name": "hidden"})
            await api.made(f"{P}/deployments", {"name": "hello"})
            lines = ["event: AccessChanged"]
            while lines[0] == "event: AccessChanged":  # whoever creates a project gets a role there
                lines = (await response.content.readuntil(b"\n\n")).decode().splitlines()
    assert lines[0] == "event: DeploymentCreated"
    record = json.loads(lines[2].removeprefix("data: "))
    assert lines[1] == f"id: {record['event']['id']}"
    assert (record["type"], record["subject"]) == ("DeploymentCreated", "narthex.v1.deployment.created")
    assert record["event"]["entity"]["name"] == "hello"


async def test_the_feed_of_a_project_that_is_not_there_is_not_found(tmp_path: Path, nats: NatsServer) -> None:
    async with running(tmp_path, nats) as api:
        assert (await api.get("/v2.1/projects/nope/events/stream"))[0] == 404


async def test_open_feeds_do_not_hold_the_registry_up(tmp_path: Path, nats: NatsServer) -> None:
    async with asyncio.timeout(20), running(tmp_path, nats) as api:
        response = await api.session.get(f"{P}/events/stream")
        await response.content.readuntil(b"\n\n")
    response.close()
