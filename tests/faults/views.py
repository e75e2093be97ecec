"""What is so, as the database, its audit trail, the stream of events and a router's copy of the table have it."""

import asyncio
import json
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypeVar

import asyncpg
import nats
from faults.ledger import Change, differences
from sqlalchemy import make_url

from narthex.contracts.events import BY_SUBJECT, ServiceUpdated
from narthex.contracts.queries import SnapshotQuestion
from narthex.routing import Kind
from narthex.testing.installation import Installation
from narthex.testing.waiting import eventually
from narthex_registry.database import Database
from narthex_registry.postgres import create_engine
from narthex_registry.snapshot import Snapshot
from narthex_router.diskcopy import read_copy
from narthex_router.projection import entry_of

# What the registry alone says: the rest has writers of its own.
KINDS = frozenset(
    (Kind.PROJECT, Kind.DEPLOYMENT, Kind.VERSION, Kind.SERVICE, Kind.INSTANCE, Kind.TOKEN, Kind.ACCESS, Kind.DOMAIN)
)
T = TypeVar("T")
LOOK_EVERY_S = 0.5  # at two tables, while they are not equal
FEW = 5  # differences that are told
Table = dict[tuple[Kind, str], tuple[int, Any]]  # revision and what is so
READER = "reader"  # may do anything at NATS


async def table_of_database(url: str) -> Table:
    engine = create_engine(make_url(url))
    found: Table = {}
    try:
        snapshot, cursor = Snapshot(Database(engine)), ""
        while cursor is not None:
            page = await snapshot.page(SnapshotQuestion(cursor=cursor, limit=1000))
            for fact in page.facts:
                entry = entry_of(BY_SUBJECT[fact.subject].model_validate(fact.event))
                if entry.kind in KINDS and entry.payload is not None:
                    found[entry.kind, entry.key] = entry.revision, json.loads(entry.payload)
            cursor = page.cursor
    finally:
        await engine.dispose()
    return found


def table_of_router(here: Installation, router: str) -> Table:
    """By its copy on disk, which is at most 5 s behind."""
    copy = Path(here[router].spec.environment["NARTHEX_DATA_DIR"]) / "router" / "table.copy"
    found: Table = {}
    for entry in (entry for block in read_copy(copy) for entry in block if entry.kind in KINDS):
        if entry.payload is None:
            found.pop((entry.kind, entry.key), None)
        else:
            found[entry.kind, entry.key] = entry.revision, json.loads(entry.payload)
    return found


async def routers_equal(here: Installation, url: str, within_s: float) -> Table:
    """Wait until every router has what the database has, and return that."""
    truth: Table = {}
    for router in here.routers:
        found: list[str] = []

        async def equal(router: str = router) -> bool:
            nonlocal truth, found
            # Read anew each time: a change whose answer nobody waited for may be made only now.
            truth = await table_of_database(url)
            found = differences(truth, table_of_router(here, router))
            await asyncio.sleep(LOOK_EVERY_S if found else 0)
            return not found

        try:
            await eventually(equal, within_s)
        except AssertionError:
            raise AssertionError(f"{router}: {len(found)} differences: {found[:FEW]}") from None
    return truth


async def rates_in_trail(url: str) -> dict[str, list[Change]]:
    """Each service's rate limit before and after every change, in the order of the audit trail."""
    return by_service(
        (row["object_id"], json.loads(row["changes"]).get("rate_limit"))
        for row in await _rows(
            url, "SELECT object_id, changes FROM audit_events WHERE object_type = 'service' ORDER BY id"
        )
    )


async def rates_told(url: str) -> dict[str, list[int]]:
    """Each service's rate limit in every fact of the outbox, in the order of sequences.

    Facts that were sent are there for NARTHEX_REGISTRY_OUTBOX_KEEP_S by the wall clock; then the registry deletes them.
    """
    events = (json.loads(row["body"]) for row in await _rows(url, "SELECT body FROM outbox ORDER BY sequence"))
    return by_service(_rate(event) for event in events)


async def rates_in_stream(here: Installation) -> dict[str, list[int]]:
    """The same, as the stream has it."""
    connection = await nats.connect(
        here["router"].spec.environment["NARTHEX_NATS_URL"], user=READER, password=READER, allow_reconnect=False
    )
    try:
        stream = connection.jetstream()
        reading = await stream.subscribe(ServiceUpdated.subject, ordered_consumer=True)
        info = await reading.consumer_info()
        there = info.num_pending + (info.delivered.consumer_seq if info.delivered else 0)
        events = [json.loads((await reading.next_msg(timeout=10)).data) for _ in range(there)]
    finally:
        await connection.close()
    return by_service(_rate(event) for event in events)


def may_read_all(here: Installation) -> None:
    """Adds a user to NATS who may do anything, from its next start on."""
    config = here.directory.home("nats") / "nats.conf"
    user = f'users: [\n    {{ user: "{READER}", password: "{READER}" }},'
    config.write_text(config.read_text().replace("users: [", user, 1))


def by_service(found: Iterable[tuple[str, T | None]]) -> dict[str, list[T]]:
    made: dict[str, list[T]] = defaultdict(list)
    for key, value in found:
        if value is not None:
            made[key].append(value)
    return made


def _rate(event: dict[str, Any]) -> tuple[str, int | None]:
    return event["key"], event.get("entity", {}).get("rate_limit")


async def is_there(url: str) -> bool:
    """Whether the database answers."""
    try:
        return bool(await _rows(url, "SELECT 1"))
    except (OSError, asyncpg.PostgresError):
        return False


async def _rows(url: str, query: str) -> list[asyncpg.Record]:
    connection = await asyncpg.connect(url.replace("+asyncpg", ""))
    try:
        return await connection.fetch(query)
    finally:
        await connection.close()
