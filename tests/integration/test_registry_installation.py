"""How the installation stands, and the messages that were given up."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from integration.registry_kit import P, running

from narthex.bus import EVENTS, Bus, consumer, open_bus
from narthex.contracts.entities import WorkerLoad
from narthex.contracts.events import ProberAlive, RouteApplied, RouterDrained, ServiceCreated
from narthex.contracts.queries import LOG_STORE_SUBJECT, LogStoreQuestion, LogStoreState
from narthex.runtime.tasks import background
from narthex.testing.rest import Rest
from narthex.testing.servers import NatsServer
from narthex.testing.waiting import eventually

STATE, LETTERS = "/v2.1/installation", "/v2.1/installation/dead-letters"


@asynccontextmanager
async def installed(directory: Path, nats: NatsServer) -> AsyncIterator[Rest]:
    async with running(directory, nats) as api:

        async def streams() -> bool:
            return len((await api.get(STATE))[1]["bus"]["streams"]) == 3

        await eventually(streams)
        yield api


async def given_up(bus: Bus, heard: list[Any]) -> None:
    """A consumer that gives up what it cannot read, and hears the rest."""

    async def hear(event: RouterDrained) -> None:
        heard.append(event)

    await bus.consume(EVENTS, {RouterDrained: hear, ServiceCreated: hear})


async def test_all_parts_are_in_one_answer_and_those_that_are_away_say_so(tmp_path: Path, nats: NatsServer) -> None:
    async with (
        installed(tmp_path, nats) as api,
        open_bus(nats.settings("router"), "router") as router,
        open_bus(nats.settings("healthcheck"), "healthcheck") as health,
        open_bus(nats.settings("audit"), "audit") as audit,
        background() as tasks,
    ):

        async def log_store(question: LogStoreQuestion) -> LogStoreState:
            return LogStoreState(kind="chdb", size_bytes=7, requests=3, version="9.9.9")

        tasks.start(audit.answer(LOG_STORE_SUBJECT, LogStoreQuestion, log_store), "log store")
        load = WorkerLoad(in_flight=2, requests_per_second=12.5, loop_lag_ms=750.0, memory_bytes=5)

        async def state() -> Any:
            await router.tell(RouteApplied(key="r", router="r", worker="r/0", applied_sequence=10**9, load=load))
            await health.tell(ProberAlive(key="one", instances=30))
            await health.tell(ProberAlive(key="two", instances=10))
            _, found = await api.get(STATE)
            consumers = {each["name"] for stream in found["bus"]["streams"] for each in stream["consumers"]}
            there = found["routers"] and len(found["health_workers"]) == 2 and found["log_store"]["requests"]
            there = there and "registry" in consumers
            return found if there else None

        found = await eventually(state)
        assert found["routers"][0]["load"]["in_flight"] == 2
        assert [each["share"] for each in found["health_workers"]] == [0.75, 0.25]
        assert {each["name"] for each in found["bus"]["streams"]} == {
            "NARTHEX_EVENTS", "NARTHEX_REQUESTS", "NARTHEX_DEAD_LETTERS"
        }  # fmt: skip
        events = next(each for each in found["bus"]["streams"] if each["name"] == "NARTHEX_EVENTS")
        assert "registry" in {each["name"] for each in events["consumers"]}
        assert found["database"]["size_bytes"] > 0
        assert found["database"]["projects"] == 1
        said = " · ".join(found["problems"])
        assert "certificates cannot be seen" in said
        assert "router worker r/0 is overloaded: its event loop was 750 ms late" in said
        assert "parts of different versions run" in said
        assert "no health worker" not in said


@pytest.mark.on_postgres
async def test_without_the_bus_the_answer_says_what_is_away(tmp_path: Path) -> None:
    async with running(tmp_path) as api:
        status, found = await api.get(STATE)
        assert status == 200
        assert found["bus"]["reason"] == found["log_store"]["reason"] == "the event bus is away"
        assert "no router was heard of: nothing is served, or the event bus is away" in found["problems"]
        assert (await api.get(LETTERS))[0] == 503


async def test_a_message_that_was_given_up_is_shown_tried_again_and_let_go(tmp_path: Path, nats: NatsServer) -> None:
    async with (
        installed(tmp_path, nats) as api,
        open_bus(nats.settings("router"), "router") as router,
        open_bus(nats.settings("audit"), "audit") as audit,
        background() as tasks,
    ):
        heard: list[Any] = []
        tasks.start(given_up(audit, heard), "audit")

        async def connected() -> bool:
            return router.connected

        await eventually(connected)
        evil = "<script>alert(1)</script>"
        await router.publish_raw(RouterDrained.subject, json.dumps({"no": evil}).encode(), "one")
        await router.publish_raw(RouterDrained.subject, b"\xff\xfe", "two")

        async def letters() -> Any:
            _, found = await api.get(LETTERS)
            return found if len([each for each in found if each["consumer"] == "audit"]) == 2 else None

        found = [each for each in await eventually(letters) if each["consumer"] == "audit"]
        assert {each["subject"] for each in found} == {RouterDrained.subject}
        assert all(each["reason"].startswith("unreadable") for each in found)
        _, whole = await api.get(f"{LETTERS}/{found[0]['number']}")
        assert json.loads(whole["content"]) == {"no": evil}
        _, broken = await api.get(f"{LETTERS}/{found[1]['number']}")
        assert broken["content"] == "\ufffd\ufffd"
        _, rest_of_them = await api.get(LETTERS, after=str(found[0]["number"]), limit="200")
        assert [each["number"] for each in rest_of_them if each["consumer"] == "audit"] == [found[1]["number"]]

        status, _ = await api.post(f"{LETTERS}/{found[0]['number']}/retry", None)
        assert status == 200
        assert (await api.get(f"{LETTERS}/{found[0]['number']}"))[0] == 404

        async def back() -> bool:  # it fails again, under another number
            _, now = await api.get(LETTERS)
            return any(each["consumer"] == "audit" and each["number"] > found[1]["number"] for each in now)

        await eventually(back)
        assert (await api.delete(f"{LETTERS}/{found[1]['number']}"))[0] == 204
        assert (await api.delete(f"{LETTERS}/{found[1]['number']}"))[0] == 404


async def test_what_is_tried_again_reaches_who_can_handle_it_now(tmp_path: Path, nats: NatsServer) -> None:
    async with (
        installed(tmp_path, nats) as api,
        open_bus(nats.settings("router"), "router") as router,
        open_bus(nats.settings("audit"), "audit") as audit,
        background() as tasks,
    ):
        heard: list[Any] = []
        fixed = False

        async def hear(event: RouterDrained) -> None:
            if not fixed and event.router == "poison":
                raise ValueError("a bug of this release")
            heard.append(event.router)

        async def dead(body: bytes, id: str) -> None:
            return None

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(consumer, "MAX_DELIVERIES", 1)
            tasks.start(audit.consume(EVENTS, {RouterDrained: hear}, on_dead=dead), "audit")

            async def connected() -> bool:
                return router.connected

            await eventually(connected)
            await router.publish(RouterDrained(key="poison", router="poison"))

            async def letter() -> Any:
                _, found = await api.get(LETTERS)
                return next((each["number"] for each in found if each["consumer"] == "audit"), None)

            number = await eventually(letter)
            fixed = True
            assert (await api.post(f"{LETTERS}/{number}/retry", None))[0] == 200

            async def handled() -> bool:
                return heard == ["poison"]

            await eventually(handled)


@pytest.mark.parametrize("number", ["x", "-1", "99999", "1" * 30, "0"])
async def test_a_dead_letter_that_is_not_there_is_not_found(tmp_path: Path, nats: NatsServer, number: str) -> None:
    async with installed(tmp_path, nats) as api:
        assert (await api.get(f"{LETTERS}/{number}"))[0] == 404
        assert (await api.delete(f"{LETTERS}/{number}"))[0] == 404
        assert (await api.post(f"{LETTERS}/{number}/retry", None))[0] == 404
        assert (await api.get(f"{P}/services"))[0] == 200
