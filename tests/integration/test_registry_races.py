"""Many at once: on one registry and on two that share a database. Nothing is lost, doubled or out of order."""

import asyncio
import itertools
import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from integration.registry_kit import P, running

from narthex.bus import EVENTS, open_bus
from narthex.contracts import events
from narthex.contracts.events import REGISTRY_FACTS, Event
from narthex.routing import Kind, TableStore, open_table_store
from narthex.runtime.tasks import background
from narthex.testing.rest import Rest
from narthex.testing.servers import NatsServer, valkey_server
from narthex.testing.waiting import eventually, until
from narthex_router.follower import Follower
from narthex_router.projection import Projection
from narthex_router.table import Table

pytestmark = pytest.mark.on_postgres

CLIENTS = 50
POSSIBLE = {"POST 201", "POST 409", "PATCH 200", "PATCH 404", "DELETE 204", "DELETE 404"}
NAMES = [f"web-{number}" for number in range(5)]


@asynccontextmanager
async def heard(nats: NatsServer) -> AsyncIterator[list[Event]]:
    """Every fact of the registry, from the stream's beginning."""
    facts: list[Event] = []

    async def on_fact(event: Event) -> None:
        facts.append(event)

    async with open_bus(nats.settings("audit"), "audit") as bus, background() as tasks:
        tasks.start(bus.consume(EVENTS, dict.fromkeys(REGISTRY_FACTS, on_fact)), "facts")
        yield facts


async def make_and_unmake(api: Rest, number: int) -> Counter[str]:
    """What a client gets that creates, changes and deletes services whose names others use too."""
    answers: Counter[str] = Counter()
    for turn in range(3):
        name = NAMES[(number + turn) % len(NAMES)]
        created, _ = await api.post(f"{P}/services", {"name": name, "deployment": "hello", "port": 8080})
        changed, _ = await api.patch(f"{P}/services/{name}", {"rate_limit": number + 1})
        answers.update([f"POST {created}", f"PATCH {changed}"])
        if number % 2:
            answers.update([f"DELETE {(await api.delete(f'{P}/services/{name}'))[0]}"])
    return answers


def standing(facts: list[Event]) -> dict[str, tuple[str, int | None, int]]:
    """Which services there are after all facts: id to name, limit and revision."""
    found: dict[str, tuple[str, int | None, int]] = {}
    for fact in facts:
        match fact:
            case events.ServiceCreated() | events.ServiceUpdated():
                found[fact.key] = (fact.entity.name, fact.entity.rate_limit, fact.revision)
            case events.ServiceDeleted():
                del found[fact.key]
    return found


async def all_of(facts: list[Event], last: int) -> None:
    async def are_there() -> bool:
        return bool(facts) and facts[-1].sequence >= last

    await eventually(are_there)


async def last_sequence(api: Rest) -> int:
    """The sequence after everything: that of one more fact."""
    await api.made(f"{P}/deployments", {"name": "last"})
    await api.made(f"{P}/services", {"name": "last", "deployment": "last", "port": 8080})
    sequence: int = (await api.get(f"{P}/services/last/propagation"))[1]["sequence"]
    return sequence


@asynccontextmanager
async def routed(directory: Path, nats: NatsServer) -> AsyncIterator[tuple[TableStore, list[Follower]]]:
    """The shared table as a router fills it, and what two workers make of it."""
    with valkey_server(directory) as valkey:
        async with (
            open_bus(nats.settings("router"), "router") as bus,
            open_table_store(valkey.url, timeout_s=2.0) as store,
            background() as tasks,
        ):
            tasks.start(Projection(bus, store, "projection", allow_shrink=True).run(), "projection")
            followers = [
                Follower(store, new_table, directory / "copy", lambda table, kinds: None, allow_shrink=True)
                for _ in range(2)
            ]
            for follower in followers:
                tasks.start(follower.run(), "follower")
            yield store, followers


def new_table() -> Table:
    return Table("localhost", b"key")


async def shared(store: TableStore) -> dict[str, tuple[str, int | None, int]]:
    """The services of the shared table: id to name, limit and revision."""
    entries = [entry async for entry in store.load([Kind.SERVICE]) if entry.payload is not None]
    read = {entry.key: (json.loads(entry.payload or b""), entry.revision) for entry in entries}
    return {key: (service["name"], service["rate_limit"], revision) for key, (service, revision) in read.items()}


async def test_fifty_clients_that_want_the_same_names_lose_and_double_nothing(tmp_path: Path, nats: NatsServer) -> None:
    async with (
        running(tmp_path, nats) as api,
        heard(nats) as facts,
        routed(tmp_path, nats) as (store, workers),
    ):
        await api.made(f"{P}/deployments", {"name": "hello"})
        answers = sum(await asyncio.gather(*(make_and_unmake(api, number) for number in range(CLIENTS))), Counter())
        assert set(answers) <= POSSIBLE, answers
        await all_of(facts, await last_sequence(api))
        _, listed = await api.get(f"{P}/services")
        shown = {row["id"]: (await api.get(f"{P}/services/{row['name']}"))[1] for row in listed}
        for worker in workers:
            await until(lambda worker=worker: worker.table.applied_sequence >= facts[-1].sequence)  # type: ignore[misc]
        table = await shared(store)
    assert [fact.sequence for fact in facts] == list(range(1, len(facts) + 1))
    assert Counter(type(fact) for fact in facts)[events.ServiceCreated] == answers["POST 201"] + 1
    assert Counter(type(fact) for fact in facts)[events.ServiceDeleted] == answers["DELETE 204"]
    for _, changes in itertools.groupby(sorted(facts, key=lambda fact: (fact.key, fact.sequence)), lambda f: f.key):
        revisions = [fact.revision for fact in changes]
        assert revisions == list(range(1, len(revisions) + 1))
    assert table == standing(facts)
    told = {key: (name, limit) for key, (name, limit, _) in table.items()}
    assert told == {key: (row["name"], row["rate_limit"]) for key, row in shown.items()}
    ever = {fact.key for fact in facts if isinstance(fact, events.ServiceCreated)}
    for worker in workers:
        served = {key for key in ever if worker.table.route(f"{key}.services.localhost".encode()) is not None}
        assert served == set(table)
        assert worker.table.services() == len(table)


async def test_two_registries_on_one_database_count_their_facts_together(tmp_path: Path, nats: NatsServer) -> None:
    async with running(tmp_path, nats) as one, running(tmp_path, nats) as other, heard(nats) as facts:
        await one.made(f"{P}/deployments", {"name": "hello"})
        both = itertools.cycle([one, other])
        answers = sum(
            await asyncio.gather(*(make_and_unmake(next(both), number) for number in range(CLIENTS // 2))), Counter()
        )
        assert set(answers) <= POSSIBLE, answers
        await all_of(facts, await last_sequence(other))
        assert (await one.get(f"{P}/services"))[1] == (await other.get(f"{P}/services"))[1]
        assert len(standing(facts)) == len((await one.get(f"{P}/services"))[1])
    assert [fact.sequence for fact in facts] == list(range(1, len(facts) + 1))
