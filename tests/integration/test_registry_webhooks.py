"""Webhooks: what is sent to whom, signed how, tried how often. On a real nats-server, to a receiver on loopback."""

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from integration.registry_kit import SERVICE, P

from narthex.bus import open_bus
from narthex.contracts.entities import Health, ReplicaHealth, RequestRecord
from narthex.contracts.events import ReplicaHealthChanged, RequestsServed
from narthex.runtime.settings import ProcessSettings, SealingSettings
from narthex.testing.rest import Rest, rest
from narthex.testing.servers import NatsServer, nats_server
from narthex.testing.waiting import eventually
from narthex_registry.app import Config, open
from narthex_registry.config import ApiSettings, WebhookSettings

CANARY = "canary-41d7"


@dataclass
class Receiver:
    """An HTTP server that webhooks call."""

    port: int = 0
    answers: list[int] = field(default_factory=list)  # statuses to answer with, then 204
    calls: list[tuple[dict[str, str], str]] = field(default_factory=list)  # headers and body

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    async def take(self, request: web.Request) -> web.Response:
        self.calls.append(({key.lower(): value for key, value in request.headers.items()}, await request.text()))
        status = self.answers.pop(0) if self.answers else 204
        return web.Response(status=status, headers={"Location": "http://127.0.0.1:1/"} if status == 302 else {})


@asynccontextmanager
async def receiver() -> AsyncIterator[Receiver]:
    found = Receiver()
    app = web.Application()
    app.router.add_post("/hook", found.take)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    found.port = runner.addresses[0][1]
    try:
        yield found
    finally:
        await runner.cleanup()


@dataclass
class Here:
    """A registry whose webhooks may call loopback, its API, the bus's server and a receiver."""

    api: Rest
    nats: NatsServer
    receiver: Receiver

    async def hook(self, **more: Any) -> dict[str, Any]:
        body = {"name": "hook", "object_type": "service", "object_name": "web", "url": self.receiver.url,
                "event": "service_updated"}  # fmt: skip
        made: dict[str, Any] = await self.api.made(f"{P}/webhooks", body | more)
        return made

    async def called(self, count: int = 1) -> tuple[dict[str, str], dict[str, Any]]:
        """The headers and body of the last of so many calls."""
        await eventually(lambda: _done(len(self.receiver.calls) >= count))
        headers, body = self.receiver.calls[count - 1]
        return headers, json.loads(body)

    async def told(self, part: str, event: Any) -> None:
        async with open_bus(self.nats.settings(part), part) as bus:
            await eventually(lambda: _done(bus.connected))
            await bus.publish(event)


async def _done(value: bool) -> bool:
    return value


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[Here]:
    with nats_server(tmp_path) as nats:
        config = Config(
            process=ProcessSettings(data_dir=tmp_path, domain="example.test"),
            sealing=SealingSettings(key_file=tmp_path / "sealing.key"),
            bus=nats.settings("registry"),
            api=ApiSettings(port=0),
            webhooks=WebhookSettings(allow_networks="127.0.0.0/8"),
        )
        async with (
            open(config) as registry,
            rest(registry.port, (tmp_path / "admin.token").read_text().strip()) as api,
            receiver() as found,
        ):
            await api.made(f"{P}/deployments", {"name": "hello", "supports_request_format": False})
            await api.made(f"{P}/deployments/hello/versions", {"version": "v1"})
            await api.made(f"{P}/services", SERVICE)
            yield Here(api, nats, found)


async def test_a_change_of_a_service_calls_its_webhook_signed(here: Here) -> None:
    made = await here.hook(headers=[{"key": "Authorization", "value": "Bearer hush", "protected": True}])
    await here.api.patch(f"{P}/services/web", {"rate_limit": 5})
    headers, body = await here.called()
    assert (body["type"], body["data"]["object_type"]) == ("service_updated", "service")
    assert headers["authorization"] == "Bearer hush"
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.{here.receiver.calls[0][1]}".encode()
    key = base64.b64decode(made["signing_secret"].removeprefix("whsec_"))
    assert headers["webhook-signature"] == "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()


async def test_the_secret_and_protected_headers_are_shown_once_or_never(here: Here) -> None:
    secret = {"key": "Authorization", "value": "Bearer hush", "protected": True}
    made = await here.hook(headers=[secret])
    shown = (await here.api.get(f"{P}/webhooks/hook"))[1]
    assert made["signing_secret"].startswith("whsec_")
    assert shown["signing_secret"] is None
    trail = json.dumps((await here.api.get(f"{P}/audit"))[1])
    for text in ("Bearer hush", made["signing_secret"]):
        assert text not in json.dumps(shown)
        assert text not in trail


async def test_a_protected_header_stays_when_it_comes_back_as_it_was_shown(here: Here) -> None:
    await here.hook(headers=[{"key": "X-Key", "value": "hush", "protected": True}])
    shown = (await here.api.get(f"{P}/webhooks/hook"))[1]["headers"]
    await here.api.patch(f"{P}/webhooks/hook", {"headers": shown})
    await here.api.patch(f"{P}/services/web", {"rate_limit": 5})
    assert (await here.called())[0]["x-key"] == "hush"


async def test_a_failed_call_is_tried_again_only_where_that_is_wanted(here: Here) -> None:
    here.receiver.answers = [500, 302]
    await here.hook()
    await here.hook(name="stubborn", retry=True, url=here.receiver.url)
    await here.api.patch(f"{P}/services/web", {"rate_limit": 5})

    async def over(name: str) -> dict[str, Any] | None:
        found = (await here.api.get(f"{P}/webhooks/{name}/calls"))[1]
        return found[0] if found and found[0]["attempts"] else None

    once, again = await eventually(lambda: over("hook")), await eventually(lambda: over("stubborn"))
    assert (once["status"], once["next_attempt"], once["error"][:21]) == ("failed", None, "the receiver answered")
    assert (again["status"], again["attempts"]) == ("pending", 1)
    assert again["next_attempt"] is not None


async def test_the_last_healthy_instance_that_goes_is_told_and_so_is_its_return(here: Here) -> None:
    await here.hook(event="service_unhealthy")
    await here.hook(name="back", event="service_recovered", object_name="*")
    instance = await here.api.made(f"{P}/deployments/hello/versions/v1/instances", {"address": "127.0.0.1"})
    for revision, health in enumerate((Health.HEALTHY, Health.UNHEALTHY, Health.UNHEALTHY), start=1):
        entity = ReplicaHealth(id=instance["id"], health=health, reason="probe: HTTP 503")
        await here.told(
            "healthcheck",
            ReplicaHealthChanged(key=instance["id"], revision=revision, entity=entity, before=Health.UNKNOWN),
        )
    await here.called(2)
    told = [json.loads(body) for _, body in here.receiver.calls]
    assert [each["type"] for each in told] == ["service_recovered", "service_unhealthy"]
    assert told[1]["data"]["reason"] == "probe: HTTP 503"


async def test_a_request_calls_the_webhooks_of_its_deployment(here: Here) -> None:
    await here.hook(name="failed", object_type="deployment", object_name="hello", event="deployment_request_failed")
    deployment = (await here.api.get(f"{P}/deployments/hello"))[1]["id"]
    project = (await here.api.get("/v2.1/projects/default"))[1]["id"]
    records = tuple(
        RequestRecord(
            id=f"r{status}",
            time="2026-01-01T00:00:00Z",
            project_id=project,
            deployment_id=deployment,
            status=status,
            path="/x",
            **dict.fromkeys(("query", "user_agent", "request_headers", "request_body", "response_headers"), CANARY),
        )
        for status in (200, 500)
    )

    async def heard() -> bool:
        await here.told("router", RequestsServed(key="r", records=records))
        await asyncio.sleep(0.05)
        return bool(here.receiver.calls)

    await eventually(heard)
    _, body = await here.called()
    assert (body["data"]["request_id"], body["data"]["status_code"]) == ("r500", 500)
    assert CANARY not in str(here.receiver.calls), "a webhook tells nothing of what a request contained"


async def test_an_event_that_comes_twice_calls_once(here: Here) -> None:
    await here.hook()
    await here.api.patch(f"{P}/services/web", {"rate_limit": 5})
    await here.called()
    await here.api.patch(f"{P}/services/web", {"rate_limit": 6})
    await here.called(2)
    assert len({headers["webhook-id"] for headers, _ in here.receiver.calls}) == 2
    assert len((await here.api.get(f"{P}/webhooks/hook/calls"))[1]) == 2
