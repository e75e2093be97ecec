"""How services stand now, once and as a stream: what is told to whom, and what happens when one comes back."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from integration.registry_kit import P, config, running
from integration.registry_people import House

from narthex.bus import open_bus
from narthex.contracts.entities import ReplicaHealth
from narthex.contracts.events import ReplicaHealthChanged
from narthex.contracts.queries import RATES_SUBJECT, RatesAnswer, RatesQuestion
from narthex.runtime.tasks import background
from narthex.testing.rest import rest
from narthex.testing.servers import NatsServer
from narthex.testing.waiting import eventually
from narthex_registry.app import open


@asynccontextmanager
async def busy(directory: Path, nats: NatsServer) -> AsyncIterator[House]:
    """A registry with the bus, and one that answers for the log store: every service was called 120 times."""
    async with (
        open(config(directory, nats)) as registry,
        open_bus(nats.settings("audit"), "audit") as bus,
        background() as tasks,
    ):
        token = (directory / "admin.token").read_text().strip()
        async with rest(registry.port, token) as client:
            house = House(registry.port, client, {"administrator": token})

            async def rates(question: RatesQuestion) -> RatesAnswer:
                async with client.session.get(f"{P}/services") as answer:
                    ids = tuple(each["id"] for each in await answer.json())
                many = len(ids)
                return RatesAnswer(
                    services=ids, requests=(120.0,) * many, failed=(6.0,) * many, limited=(0.0,) * many,
                    took_ms=(6000.0,) * many, p95_ms=(12.5,) * many,
                )  # fmt: skip

            tasks.start(bus.answer(RATES_SUBJECT, RatesQuestion, rates), "rates")
            yield house


class Watching:
    """A client of the stream."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response

    async def message(self) -> tuple[str, dict[str, Any], str]:
        """The next message that is no heartbeat: its event, its data, its id."""
        while True:
            text = (await self._response.content.readuntil(b"\n\n")).decode()
            fields = dict(line.split(": ", 1) for line in text.splitlines() if line and not line.startswith(":"))
            if fields and fields["event"] != "alive":
                return fields["event"], json.loads(fields["data"]), fields.get("id", "")

    async def until(self, event: str, **like: Any) -> tuple[dict[str, Any], str]:
        while True:
            name, data, id = await self.message()
            if name == event and like.items() <= data.items():
                return data, id

    async def service(self, **like: Any) -> dict[str, Any]:
        """Read on until a service stands like that."""
        while True:
            data, _ = await self.until("services")
            for each in data["services"]:
                if like.items() <= each.items():
                    found: dict[str, Any] = each
                    return found


@asynccontextmanager
async def watching(
    house: House, who: str = "administrator", path: str = f"{P}/live/stream", **headers: str
) -> AsyncIterator[Watching]:
    fields = {"Authorization": f"Bearer {house.bearers[who]}", **headers}
    async with asyncio.timeout(30), house.api.session.get(path, headers=fields) as response:
        assert response.status == 200, await response.text()
        yield Watching(response)


async def with_an_instance(house: House, deployment: str = "hello") -> str:
    made = await house.api.made(f"{P}/deployments/{deployment}/versions/v1/instances", {"address": "10.0.0.1"})
    id: str = made["id"]
    return id


@pytest.mark.on_postgres
async def test_one_question_tells_how_all_services_of_a_project_stand(tmp_path: Path, nats: NatsServer) -> None:
    async with busy(tmp_path, nats) as house:
        await house.stock()
        await with_an_instance(house)

        async def measured() -> bool:
            return bool((await house.api.get(f"{P}/live"))[1]["measured"])

        await eventually(measured)
        _, live = await house.api.get(f"{P}/live")
        assert [each["name"] for each in live["services"]] == ["second", "web"]
        web = live["services"][1]
        assert (web["instances"], web["instances_ready"]) == (1, 0)
        assert (web["requests_per_second"], web["error_rate"]) == (2.0, 0.05)
        assert (web["p95_ms"], web["concurrency"]) == (12.5, 0.1)
        _, page = await house.api.get(f"{P}/live", limit="1", offset="1")
        assert (page["total"], [each["name"] for each in page["services"]]) == (2, ["web"])


async def test_without_the_log_store_instances_are_told_and_rates_are_not(tmp_path: Path, nats: NatsServer) -> None:
    async with (
        open(config(tmp_path, nats)) as registry,
        rest(registry.port, (tmp_path / "admin.token").read_text().strip()) as api,
    ):
        await House(registry.port, api).stock()
        _, live = await api.get(f"{P}/live")
        assert live["measured"] is False
        assert {each["requests_per_second"] for each in live["services"]} == {None}


async def test_whoever_may_see_one_service_is_told_of_that_one(tmp_path: Path, nats: NatsServer) -> None:
    async with busy(tmp_path, nats) as house:
        await house.stock()
        await house.member("ada", "service-viewer", resource_type="service", resource="web")
        await house.member("bob")
        _, live = await house.ask("ada", "GET", f"{P}/live")
        assert [each["name"] for each in live["services"]] == ["web"]
        assert (await house.ask("bob", "GET", f"{P}/live"))[0] == 403
        assert (await house.ask("bob", "GET", f"{P}/live/stream"))[0] == 403
        async with watching(house, "ada") as stream:
            data, _ = await stream.until("services", whole=True)
            assert [each["name"] for each in data["services"]] == ["web"]
            await house.api.patch(f"{P}/services/second", {"description": "secret"})
            await house.api.patch(f"{P}/services/web", {"description": "seen"})
            data, _ = await stream.until("changed")
            assert data["name"] == "web"


async def test_a_change_of_health_is_seen_by_who_watches(tmp_path: Path, nats: NatsServer) -> None:
    async with busy(tmp_path, nats) as house, open_bus(nats.settings("healthcheck"), "healthcheck") as bus:
        await house.stock()
        instance = await with_an_instance(house)
        async with watching(house) as stream:
            await stream.service(name="web", instances=1, instances_ready=0)
            health = ReplicaHealth(id=instance, health="healthy", reason="")

            async def told() -> bool:
                return bus.connected

            await eventually(told)
            await bus.publish(ReplicaHealthChanged(key=instance, revision=10**13, entity=health, before="unknown"))
            web = await stream.service(name="web", instances_ready=1)
            assert web["requests_per_second"] == 2.0
            assert (await house.api.delete(f"{P}/services/second"))[0] == 204
            while not (await stream.until("services"))[0]["gone"]:
                pass


async def test_a_stream_goes_on_where_it_broke(tmp_path: Path, nats: NatsServer) -> None:
    async with busy(tmp_path, nats) as house:
        await house.stock()
        async with watching(house) as stream:
            await house.api.patch(f"{P}/services/web", {"description": "one"})
            _, seen = await stream.until("changed", type="ServiceUpdated")
        await house.api.patch(f"{P}/services/second", {"description": "two"})
        async with watching(house, **{"Last-Event-ID": seen}) as stream:
            data, _ = await stream.until("changed")
            assert (data["type"], data["object_type"], data["name"]) == ("ServiceUpdated", "service", "second")
        async with watching(house, path=f"{P}/events/stream", **{"Last-Event-ID": seen}) as stream:
            assert (await stream.message())[0] == "ServiceUpdated"


@pytest.mark.parametrize("path", [f"{P}/live/stream", f"{P}/events/stream"])
async def test_who_was_away_for_too_long_is_told_to_read_all_again(tmp_path: Path, nats: NatsServer, path: str) -> None:
    async with busy(tmp_path, nats) as house, watching(house, path=path, **{"Last-Event-ID": "long-ago"}) as stream:
        assert (await stream.message())[0] == "reset"


async def test_a_stream_ends_when_its_caller_is_signed_out_or_may_not_watch_any_more(
    tmp_path: Path, nats: NatsServer
) -> None:
    async with busy(tmp_path, nats) as house:
        await house.stock()
        await house.member("ada", "project-viewer")
        await house.member("bob")
        role = await house.give("bob", "project-viewer")
        async with watching(house, "ada") as one, watching(house, "bob", f"{P}/events/stream") as other:
            await one.until("services", whole=True)
            assert (await house.ask("ada", "POST", "/v2.1/oauth/sign-out"))[0] == 204
            data, _ = await one.until("end")
            assert data["error"] == "you are not signed in any more; sign in again"
            assert (await house.api.delete(f"{P}/role-assignments/{role}"))[0] == 204
            data, _ = await other.until("end")
            assert "events.list" in data["error"]


async def test_the_tail_of_requests_ends_too_when_its_caller_is_signed_out(
    tmp_path: Path, nats: NatsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("narthex_registry.api.sse.HEARTBEAT_S", 0.1)
    async with busy(tmp_path, nats) as house:
        await house.stock()
        await house.member("ada", "project-viewer")
        async with watching(house, "ada", f"{P}/services/web/requests/stream") as tail:
            assert (await house.ask("ada", "POST", "/v2.1/oauth/sign-out"))[0] == 204
            data, _ = await tail.until("end")
            assert data["error"] == "you are not signed in any more; sign in again"


@pytest.mark.on_postgres
async def test_a_page_of_services_says_how_many_there_are_and_a_text_finds_them(tmp_path: Path) -> None:
    async with running(tmp_path) as api:
        await api.made(f"{P}/deployments", {"name": "hello"})
        for name, labels in (
            ("web", {"team": "Blue"}),
            ("shop", {"blue": "x"}),
            ("alpha", {}),
            ("web-100", {"p": "50%"}),
        ):
            body = {"name": name, "deployment": "hello", "port": 8080, "labels": labels}
            made = await api.made(f"{P}/services", body)

        async def found(**query: str) -> tuple[list[str], str | None]:
            async with api.session.get(f"{P}/services", params=query) as answer:
                return [each["name"] for each in await answer.json()], answer.headers.get("x-total-count")

        assert await found(limit="2") == (["alpha", "shop"], "4")
        assert await found(limit="2", offset="2", detail="true") == (["web", "web-100"], "4")
        assert await found(search="WEB", limit="1") == (["web"], "2")
        assert await found(search="blue") == (["shop", "web"], None)
        assert await found(search="hell", limit="10") == (["alpha", "shop", "web", "web-100"], "4")
        assert await found(search=made["id"][-12:], limit="10") == (["web-100"], "1")
        assert await found(search="%", limit="10") == (["web-100"], "1")
        assert await found(search="_", limit="10") == ([], "0")
        assert await found(search="blue", labels="team:Blue") == (["web"], "1")


async def test_a_page_hears_at_once_that_its_stream_stands(tmp_path: Path) -> None:
    async with running(tmp_path) as api, api.session.get(f"{P}/live/stream") as response:
        assert await response.content.readuntil(b"\n\n") == b"event: alive\ndata: {}\n\n"
