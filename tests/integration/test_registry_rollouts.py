"""Rollouts through the API, and what takes them on: one registry at a time, by what routers say."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from integration.registry_kit import P, config

from narthex.contracts.entities import SeenOfVersion
from narthex.contracts.events import VersionsCompared
from narthex.contracts.latency import bucket
from narthex.testing.clock import ManualClock
from narthex.testing.rest import Rest, rest
from narthex_registry.app import open
from narthex_registry.database import Database, open_database
from narthex_registry.pilot import Pilot
from narthex_registry.tables import Instance, Rollout, now

ROLLOUTS = f"{P}/services/web/rollouts"
STEPS = [{"weight": 10.0, "hold_s": 60.0}, {"weight": 50.0, "hold_s": 60.0}]


@dataclass
class Stage:
    """A registry whose own pilot hears nobody, because NATS is away; and pilots of the test's own."""

    api: Rest
    database: Database
    clock: ManualClock

    def pilot(self) -> Pilot:
        return Pilot(self.database, self.clock, lambda: True)

    async def begin(self, **body: Any) -> dict[str, Any]:
        return await self.api.made(ROLLOUTS, {"version": "v2", "steps": STEPS} | body)

    async def watch(self, seconds: float, *pilots: Pilot) -> None:
        """Let so much time pass, in which the pilots look now and then."""
        for _ in range(int(seconds / 3)):
            for pilot in pilots:
                await pilot.look()
            await self.clock.advance(3)
        for pilot in pilots:
            await pilot.look()

    async def shown(self, rollout: dict[str, Any]) -> dict[str, Any]:
        status, found = await self.api.get(f"{ROLLOUTS}/{rollout['id']}")
        assert status == 200, found
        return found

    async def version(self) -> str | None:
        return (await self.api.get(f"{P}/services/web"))[1]["version"]


@asynccontextmanager
async def stage(directory: Path) -> AsyncIterator[Stage]:
    settings = config(directory)
    async with (
        open(settings) as registry,
        rest(registry.port, (directory / "admin.token").read_text().strip()) as api,
        open_database(settings.database.resolve(directory / "registry")) as engine,
    ):
        await api.made(f"{P}/deployments", {"name": "hello"})
        for version, address in (("v1", "10.0.0.1"), ("v2", "10.0.0.2")):
            await api.made(f"{P}/deployments/hello/versions", {"version": version})
            await api.made(f"{P}/deployments/hello/versions/{version}/instances", {"address": address})
        await api.made(f"{P}/services", {"name": "web", "deployment": "hello", "port": 8080, "version": "v1"})
        database = Database(engine)
        await healthy(database)
        yield Stage(api, database, ManualClock(now()))


async def healthy(database: Database, health: str = "healthy") -> None:
    async with database.change() as change:
        for instance in (await change.session.execute(Instance.__table__.select())).all():
            (await change.session.get_one(Instance, instance.id)).health = health


async def said(pilot: Pilot, rollout: dict[str, Any], requests: int, errors: int = 0, seconds: float = 0.05) -> None:
    """Routers speak of the new version; of the other one nothing is decided by."""
    seen = SeenOfVersion(
        service_id="",
        rollout_id=rollout["id"],
        version_id=(await version_id(pilot, rollout)),
        requests=requests,
        errors=errors,
        latencies=((bucket(seconds), requests),),
    )
    await pilot.hear(VersionsCompared(key="r", router="r", versions=(seen,)))


async def version_id(pilot: Pilot, rollout: dict[str, Any]) -> str:
    async with pilot._database.read() as session:
        return (await session.get_one(Rollout, rollout["id"])).version_id


@pytest.mark.on_postgres
async def test_a_rollout_that_goes_well_takes_its_steps_and_then_the_service(tmp_path: Path) -> None:
    async with stage(tmp_path) as here:
        rollout = await here.begin()
        assert (rollout["state"], rollout["step"], rollout["weight"], rollout["before"]) == ("running", 1, 10.0, "v1")
        pilot = here.pilot()
        await said(pilot, rollout, 40)
        await pilot.look()
        shown = await here.shown(rollout)
        assert shown["waiting_for"] == "the end of the step's 60 s"
        assert shown["seen"][1] == {
            "version": "v2", "requests": 40, "errors": 0, "error_rate": 0.0, "p95_ms": pytest.approx(50, rel=0.1),
        }  # fmt: skip
        for _ in range(2):
            await said(pilot, rollout, 40)
            await here.watch(63, pilot)
        shown = await here.shown(rollout)
        assert (shown["state"], shown["weight"], await here.version()) == ("promoted", 100.0, "v2")
        assert [event["type"] for event in shown["events"]] == ["rollout_step", "rollout_step", "rollout_promoted"]


@pytest.mark.on_postgres
async def test_a_broken_gate_sends_everything_back_and_says_why(tmp_path: Path) -> None:
    async with stage(tmp_path) as here:
        rollout = await here.begin(gates={"max_error_rate": 0.02, "max_p95_ms": 200.0, "min_requests": 10})
        pilot = here.pilot()
        await said(pilot, rollout, 20, errors=3)
        await pilot.look()
        shown = await here.shown(rollout)
        assert (shown["state"], shown["weight"], await here.version()) == ("rolled_back", 0.0, "v1")
        assert shown["reason"] == "3 of 20 requests failed (15.0%), which is more than max_error_rate 2.0%"
        again = await here.begin(gates={"max_p95_ms": 200.0})
        await said(pilot, again, 20, seconds=0.9)
        await pilot.look()
        assert "more than max_p95_ms 200" in (await here.shown(again))["reason"]
        listed = (await here.api.get(ROLLOUTS))[1]
        assert [each["id"] for each in listed] == [again["id"], rollout["id"]]


@pytest.mark.on_postgres
async def test_two_registries_take_each_step_once_and_count_what_both_hear_once(tmp_path: Path) -> None:
    async with stage(tmp_path) as here:
        rollout = await here.begin()
        pilots = [here.pilot(), here.pilot()]
        for step in (1, 2):
            for pilot in pilots:
                await said(pilot, rollout, 40)
            await here.watch(30, *pilots)
            shown = await here.shown(rollout)
            assert (shown["step"], shown["seen"][1]["requests"]) == (step, 40)
            await here.watch(33, *pilots)
        shown = await here.shown(rollout)
        assert (shown["state"], len(shown["events"])) == ("promoted", 3)


async def test_another_registry_goes_on_where_one_that_died_left_it(tmp_path: Path) -> None:
    async with stage(tmp_path) as here:
        rollout = await here.begin()
        first, second = here.pilot(), here.pilot()
        await said(first, rollout, 30)
        await first.look()
        await here.clock.advance(4)
        await second.look()  # not its turn yet
        await here.clock.advance(4)
        await said(second, rollout, 10)
        await second.look()
        assert (await here.shown(rollout))["seen"][1]["requests"] == 40
        assert len((await here.shown(rollout))["events"]) == 1


async def test_a_step_that_nobody_watched_begins_anew(tmp_path: Path) -> None:
    async with stage(tmp_path) as here:
        rollout = await here.begin()
        first = here.pilot()
        await said(first, rollout, 30)
        await first.look()
        await here.clock.advance(600)
        await here.pilot().look()
        shown = await here.shown(rollout)
        assert (shown["step"], shown["seen"][1]["requests"]) == (1, 0)
        assert "begins its step anew" in shown["events"][-1]["text"]


async def test_while_routers_cannot_be_heard_nothing_goes_on(tmp_path: Path) -> None:
    async with stage(tmp_path) as here:
        rollout, heard = await here.begin(), [True]
        pilot = Pilot(here.database, here.clock, lambda: heard[0])
        await said(pilot, rollout, 30)
        await pilot.look()
        heard[0] = False
        await here.clock.advance(61)
        await pilot.look()
        heard[0] = True
        await pilot.look()
        assert (await here.shown(rollout))["step"] == 1
        assert "begins its step anew" in (await here.shown(rollout))["events"][-1]["text"]


async def test_somebody_stops_it_goes_on_at_another_step_and_ends_it(tmp_path: Path) -> None:
    async with stage(tmp_path) as here:
        rollout, pilot = await here.begin(), here.pilot()

        async def ask(**body: Any) -> tuple[int, Any]:
            return await here.api.patch(f"{ROLLOUTS}/{rollout['id']}", body)

        assert (await ask(state="stopped"))[1]["state"] == "stopped"
        await said(pilot, rollout, 40)
        await here.watch(63, pilot)
        assert (await here.shown(rollout))["step"] == 1
        assert (await ask(step=3))[1]["error"] == "step: this rollout has 2 steps"
        status, shown = await ask(state="running", step=2)
        assert (status, shown["state"], shown["step"], shown["weight"]) == (200, "running", 2, 50.0)
        status, shown = await ask(state="rolled_back")
        assert (status, shown["reason"], await here.version()) == (200, "somebody decided so", "v1")
        assert (await ask(state="running"))[0] == 409


@pytest.mark.on_postgres
async def test_what_a_rollout_stands_on_stays_and_one_service_has_one_at_a_time(tmp_path: Path) -> None:
    async with stage(tmp_path) as here:
        api, rollout = here.api, await here.begin()
        assert (await api.post(ROLLOUTS, {"version": "v2", "steps": STEPS}))[0] == 409
        for body in ({"version": "v2"}, {"version": None}):
            status, refused = await api.patch(f"{P}/services/web", body)
            assert (status, refused["error"][:29]) == (409, "version: a rollout of this se")
        assert (await api.patch(f"{P}/services/web", {"description": "other"}))[0] == 200
        assert (await api.delete(f"{P}/deployments/hello/versions/v2"))[0] == 409
        assert (await api.patch(f"{ROLLOUTS}/{rollout['id']}", {"state": "promoted"}))[0] == 200
        assert await here.version() == "v2"
        assert (await api.delete(f"{P}/services/web"))[0] == 204
        await api.made(f"{P}/services", {"name": "web", "deployment": "hello", "port": 8080, "version": "v1"})
        assert (await api.get(ROLLOUTS))[1] == []


async def test_a_version_that_cannot_answer_is_refused_and_so_is_nonsense(tmp_path: Path) -> None:
    async with stage(tmp_path) as here:
        api = here.api
        await api.made(f"{P}/deployments/hello/versions", {"version": "v3"})
        status, refused = await api.post(ROLLOUTS, {"version": "v3", "steps": STEPS})
        assert (status, refused["error"][:47]) == (409, "version: version v3 has no healthy instance yet")
        for body in (
            {"version": "v1", "steps": STEPS},
            {"version": "v2", "steps": []},
            {"version": "v2", "steps": [{"weight": 0.0}]},
            {"version": "v2", "steps": STEPS, "sticky": "session"},
            {"version": "v2", "steps": STEPS, "gates": {"max_error_rate": 2.0}},
        ):
            assert (await api.post(ROLLOUTS, body))[0] == 400, body
        status, made = await api.call("POST", f"{ROLLOUTS}?force=true", {"version": "v3", "steps": STEPS})
        assert (status, made["version"]) == (201, "v3")


async def test_who_did_what_is_in_the_audit_trail_and_among_the_projects_events(tmp_path: Path) -> None:
    async with stage(tmp_path) as here:
        rollout, pilot = await here.begin(), here.pilot()
        await said(pilot, rollout, 100, errors=50)
        await pilot.look()
        trail = (await here.api.get(f"{P}/audit"))[1]
        mine = [line for line in trail if line["object_type"] == "rollout"]
        assert {(line["action"], bool(line["user"])) for line in mine} == {("create", True), ("update", False)}


async def test_a_rollout_ends_when_the_default_that_its_service_follows_becomes_the_new_version(tmp_path: Path) -> None:
    async with stage(tmp_path) as here:
        assert (await here.api.patch(f"{P}/services/web", {"version": None}))[0] == 200
        rollout = await here.begin()
        assert rollout["before"] == "v1"
        assert (await here.api.patch(f"{P}/deployments/hello", {"default_version": "v2"}))[0] == 200
        await here.pilot().look()
        shown = await here.shown(rollout)
        assert (shown["state"], await here.version()) == ("promoted", "v2")
