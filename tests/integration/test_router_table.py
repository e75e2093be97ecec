"""The routers' table between a real Valkey, the disk and a worker: what is followed, what is refused, what is kept."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, cast

import pytest
import redis.asyncio
from integration.router_kit import TOKEN_KEY, entry, service_entries

from narthex.routing import Entry, Kind, Position, TableStore, open_table_store
from narthex.runtime.tasks import background
from narthex.testing.servers import ValkeyServer, free_port, valkey_server
from narthex.testing.waiting import until
from narthex_router.copyist import Copyist
from narthex_router.diskcopy import read_copy, write_copy
from narthex_router.follower import Follower
from narthex_router.table import Table

NOBODY = "redis://127.0.0.1:1/0"


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator[ValkeyServer]:
    with valkey_server(tmp_path) as server:
        yield server


def many(count: int) -> list[Entry]:
    return [each for number in range(count) for each in service_entries([1], service=f"s{number}")]


@dataclass
class Followed:
    """A follower, and the kinds it said had changed."""

    follower: Follower
    changed: list[set[Kind]] = field(default_factory=list)

    @property
    def services(self) -> int:
        return self.follower.table.services()


@asynccontextmanager
async def following(url: str, tmp_path: Path, *, allow_shrink: bool = False) -> AsyncIterator[Followed]:
    changed: list[set[Kind]] = []
    async with open_table_store(url, 2.0) as store, background() as tasks:
        follower = Follower(
            store,
            lambda: Table("test", TOKEN_KEY),
            tmp_path / "table.copy",
            lambda table, kinds: changed.append(kinds),
            allow_shrink=allow_shrink,
        )
        tasks.start(follower.run(), "follow")
        yield Followed(follower, changed)


@asynccontextmanager
async def shared(valkey: ValkeyServer, entries: list[Entry]) -> AsyncIterator[TableStore]:
    async with open_table_store(valkey.url, 2.0) as store:
        await store.apply(entries)
        await store.mark_filled()
        yield store


async def filled_again(valkey: ValkeyServer, store: TableStore, entries: list[Entry]) -> None:
    """Valkey loses everything and gets these entries."""
    async with redis.asyncio.Redis.from_url(valkey.url) as client:
        await client.flushall()
    await store.apply(entries)
    await store.mark_filled()


async def test_a_table_is_loaded_and_its_changes_are_followed(valkey: ValkeyServer, tmp_path: Path) -> None:
    async with shared(valkey, many(3)) as store, following(valkey.url, tmp_path) as followed:
        await until(lambda: followed.services == 3)
        await store.apply([entry(Kind.HEALTH, "s0-i0", 2, health="unhealthy")])
        await until(lambda: {Kind.HEALTH} in followed.changed)
        route = followed.follower.table.route(b"s0.services.test")
        assert route is not None
        assert route.targets == ()


async def test_a_change_that_cannot_be_read_here_holds_up_none_that_follow(
    valkey: ValkeyServer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with (
        shared(valkey, many(1)) as store,
        following(valkey.url, tmp_path) as followed,
        redis.asyncio.Redis.from_url(valkey.url) as client,
    ):
        await until(lambda: followed.follower.waiting_for == "")
        number = await client.incr("nx:change-count")
        fields: Any = {"n": number, "k": "quota", "i": "q", "v": b"1 1 {}"}
        await client.xadd("nx:changes", fields)
        await store.apply([Entry(Kind.SERVICE, "broken", 1, 1, b"{"), *service_entries([1], service="next")])
        await until(lambda: followed.services == 2)
        assert followed.follower.table.unreadable == 1
        assert "unreadable change" in caplog.text


async def test_a_table_that_lost_most_services_is_refused_until_it_has_them_again(
    valkey: ValkeyServer, tmp_path: Path
) -> None:
    async with shared(valkey, many(10)) as store, following(valkey.url, tmp_path) as followed:
        await until(lambda: followed.follower.waiting_for == "" and followed.services == 10)
        await filled_again(valkey, store, many(6))
        await until(lambda: "has not lost its services (10 before, 6 now)" in followed.follower.waiting_for)
        assert followed.services == 10
        assert followed.follower.stale_s() > 0.0
        await store.apply(many(9))
        await until(lambda: followed.follower.waiting_for == "" and followed.services == 9)


async def test_a_valkey_that_lost_its_data_brings_no_session_back_that_was_ended(
    valkey: ValkeyServer, tmp_path: Path
) -> None:
    ended = Entry(Kind.SIGN_OUT, "session", 2_000_000_000, 0, b"{}")
    async with shared(valkey, many(3)) as store, following(valkey.url, tmp_path) as followed:
        await until(lambda: followed.follower.waiting_for == "" and followed.services == 3)
        await store.apply([ended])
        await until(lambda: followed.follower.table.sign_outs() == [ended])
        await filled_again(valkey, store, many(4))
        await until(lambda: followed.services == 4)
        assert followed.follower.table.sign_outs() == [ended]


async def test_an_operator_may_allow_a_table_that_lost_most_services(valkey: ValkeyServer, tmp_path: Path) -> None:
    async with shared(valkey, many(10)) as store, following(valkey.url, tmp_path, allow_shrink=True) as followed:
        await until(lambda: followed.follower.waiting_for == "" and followed.services == 10)
        await filled_again(valkey, store, many(2))
        await until(lambda: followed.services == 2)


async def test_a_table_full_of_entries_that_cannot_be_read_is_refused(valkey: ValkeyServer, tmp_path: Path) -> None:
    async with shared(valkey, many(30)) as store, following(valkey.url, tmp_path) as followed:
        await until(lambda: followed.follower.waiting_for == "" and followed.services == 30)
        damaged = [Entry(Kind.SERVICE, f"d{number}", 1, 1, b'{"port": 1}') for number in range(20)]
        await filled_again(valkey, store, [*many(30), *damaged])
        await until(lambda: "entries that cannot be read (0 before, 20" in followed.follower.waiting_for)
        assert followed.follower.table.unreadable == 0


async def test_what_nobody_needs_any_more_is_swept(valkey: ValkeyServer) -> None:
    gone = [Entry(Kind.SERVICE, "old", 2, 10, None), Entry(Kind.SERVICE, "new", 2, 11, None)]
    verdicts = [entry(Kind.HEALTH, "removed", health="healthy"), entry(Kind.HEALTH, "never seen", health="healthy")]
    removed = Entry(Kind.INSTANCE, "removed", 3, 9, None)
    async with shared(valkey, [*service_entries([1]), *gone, *verdicts, removed]) as store:
        assert await store.sweep(upto_sequence=10, now=1000.0) == 4
        left = {(found.kind, found.key) async for found in store.load()}
        assert left == {(each.kind, each.key) for each in service_entries([1])} | {(Kind.SERVICE, "new")}


async def test_a_router_starts_by_its_copy_and_goes_over_to_the_shared_table(tmp_path: Path) -> None:
    write_copy(tmp_path / "table.copy", many(3))
    port = free_port()
    async with following(f"redis://:secret@127.0.0.1:{port}/0", tmp_path) as followed:
        await until(lambda: followed.services == 3)
        assert "is away" in followed.follower.waiting_for
        with valkey_server(tmp_path, port=port, password="secret") as valkey:
            async with shared(valkey, many(4)):
                await until(lambda: followed.services == 4 and followed.follower.waiting_for == "")


async def test_a_router_starts_by_its_copy_where_valkey_says_what_nobody_understands(tmp_path: Path) -> None:
    class Confused:
        async def position(self) -> Position:
            raise ValueError("not a position")

    write_copy(tmp_path / "table.copy", many(3))
    store = cast(TableStore, Confused())
    new_table = partial(Table, "test", TOKEN_KEY)
    follower = Follower(store, new_table, tmp_path / "table.copy", lambda table, kinds: None, allow_shrink=False)
    async with background() as tasks:
        tasks.start(follower.run(), "follow")
        await until(lambda: follower.filled)
        assert follower.table.services() == 3
        await until(lambda: follower.waiting_for == "a routing table that can be read")


async def test_a_damaged_copy_is_not_served(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    write_copy(tmp_path / "table.copy", many(3))
    copy = (tmp_path / "table.copy").read_bytes()
    (tmp_path / "table.copy").write_bytes(copy[:-5])
    async with following(NOBODY, tmp_path) as followed:
        await until(lambda: "copy of the table not usable" in caplog.text)
        assert not followed.follower.filled


@asynccontextmanager
async def copying(valkey: ValkeyServer, path: Path) -> AsyncIterator[None]:
    async with open_table_store(valkey.url, 2.0) as store, background() as tasks:
        tasks.start(Copyist(store, path, every_s=0.02).run(), "copy")
        yield


def copied(path: Path) -> int:
    """How many services the copy holds; 0 when there is none."""
    table = Table("test", TOKEN_KEY)
    for block in read_copy(path):
        table.apply(block)
    return table.services()


async def test_the_copy_on_disk_follows_the_shared_table_by_its_changes(valkey: ValkeyServer, tmp_path: Path) -> None:
    path = tmp_path / "copy" / "table.copy"
    async with shared(valkey, many(3)) as store, copying(valkey, path):
        await until(lambda: copied(path) == 3)
        whole = path.stat().st_ino
        await store.apply([*many(5), Entry(Kind.SERVICE, "s0", 2, 2, None)])
        await until(lambda: copied(path) == 4)
        assert path.stat().st_ino == whole


async def test_a_valkey_that_was_emptied_leaves_the_copy_alone(valkey: ValkeyServer, tmp_path: Path) -> None:
    path = tmp_path / "table.copy"
    async with (
        shared(valkey, many(3)),
        copying(valkey, path),
        redis.asyncio.Redis.from_url(valkey.url) as client,
    ):
        await until(lambda: copied(path) == 3)
        await client.flushall()
        await asyncio.sleep(0.1)  # five times as long as the copyist takes to look
        assert copied(path) == 3
