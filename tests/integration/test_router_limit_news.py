"""What the rest of Narthex hears of limits: events when they are reached, and their use when it asks."""

import asyncio
import json
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from narthex.bus import open_bus
from narthex.contracts.errors import Unavailable
from narthex.contracts.events import LimitReached
from narthex.contracts.queries import LIMIT_USE_SUBJECT, LimitAsked, LimitUse, LimitUseAnswer, LimitUseQuestion
from narthex.routing import open_limit_store, rate_key
from narthex.routing.limits import RateAsk
from narthex.runtime.tasks import background
from narthex.testing.servers import NatsServer, valkey_server
from narthex.testing.waiting import eventually, until
from narthex_router.herald import EVERY_S, Herald
from narthex_router.meter import meter


def said(refused: int, service_id: str = "svc") -> bytes:
    reached = {"service_id": service_id, "project_id": "p", "code": "rate_limit_user", "limit": 5, "shadowed": 0}
    return json.dumps([reached | {"refused": refused}]).encode()


@asynccontextmanager
async def heralding(nats: NatsServer) -> AsyncIterator[tuple[Herald, list[LimitReached]]]:
    """A herald, and what is heard of it from now on."""
    heard: list[LimitReached] = []

    async def hear(event: LimitReached) -> None:
        heard.append(event)

    async with (
        open_bus(nats.settings("registry"), "registry") as registry,
        open_bus(nats.settings("router"), "router") as router,
        background() as tasks,
    ):
        await registry.ensure_streams()
        tasks.start(registry.listen((LimitReached,), hear), "listen")
        herald = Herald(router, "r1")
        tasks.start(herald.run(), "herald")

        async def listening() -> bool:
            herald.add(said(refused=1, service_id="another"))
            return bool(heard)

        await eventually(listening)  # what was said before it is lost to a listener
        yield herald, heard


def refused(heard: list[LimitReached]) -> int:
    return sum(event.refused for event in heard if event.key == "svc")


async def test_limits_that_are_reached_are_told_in_sums_not_one_by_one(nats: NatsServer) -> None:
    async with heralding(nats) as (herald, heard):
        sent = 0
        while not (ours := [event for event in heard if event.key == "svc"]):
            for _ in range(5):
                herald.add(said(refused=3))
                sent += 3
            await asyncio.sleep(0.05)
        await until(lambda: refused(heard) == sent)
        event = ours[0]
        assert (event.key, event.project, event.router, event.kind, event.limit) == (
            "svc", "p", "r1", "rate_limit_user", 5
        )  # fmt: skip
        assert sum(event.key == "svc" for event in heard) < sent / 3


async def test_what_is_reached_while_an_event_is_on_its_way_is_told_once(nats: NatsServer) -> None:
    async with heralding(nats) as (herald, heard):
        nats.process.send_signal(signal.SIGSTOP)
        herald.add(said(refused=3))
        await asyncio.sleep(EVERY_S * 1.5)  # it is being published
        herald.add(said(refused=4))
        nats.process.send_signal(signal.SIGCONT)
        await until(lambda: refused(heard) == 7)


async def test_a_router_answers_how_much_of_a_limit_is_in_use(nats: NatsServer, tmp_path: Path) -> None:
    with valkey_server(tmp_path) as valkey:
        async with (
            open_bus(nats.settings("registry"), "registry") as registry,
            open_bus(nats.settings("router"), "router") as router,
            open_limit_store(valkey.url, 2.0) as budgets,
            background() as tasks,
        ):
            tasks.start(router.answer(LIMIT_USE_SUBJECT, LimitUseQuestion, meter(budgets)), "answer")
            await budgets.ask("w", 0, [RateAsk(rate_key("svc", "t1"), limit=10, waiting=4, want=4)])
            question = LimitUseQuestion(
                service_id="svc",
                limits=(
                    LimitAsked(kind="rate_limit_user", limit=10, token_id="t1"),
                    LimitAsked(kind="concurrency_total", limit=3),
                ),
            )

            async def ask() -> LimitUseAnswer | None:
                try:
                    return await registry.ask(LIMIT_USE_SUBJECT, question, LimitUseAnswer)
                except Unavailable:
                    return None  # nobody listens yet

            found = await eventually(ask)
            assert found is not None
            rate, flight = found.uses
            assert (rate.used, rate.remaining, rate.token_id) == (4, 6, "t1")
            assert 60 < rate.reset_s < 65
            assert flight == LimitUse(kind="concurrency_total", limit=3, used=0, remaining=3)
