"""Every record is stored or counted as lost, and none is stored twice, whatever goes away on the way."""

import asyncio
import json
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from integration.audit_kit import NOW, Installation, installation, request

from narthex.contracts.entities import RequestRecord
from narthex.contracts.errors import Unavailable
from narthex.contracts.events import RequestsServed
from narthex.contracts.ids import new_id, uuid7
from narthex.runtime.tasks import background
from narthex.testing.waiting import eventually, until
from narthex_router.ledger import Ledger

SMALL = 200_000  # bytes of the stream, and of the ledger


@pytest.fixture
async def small(tmp_path: Path) -> AsyncIterator[Installation]:
    """An installation whose stream of requests is soon full."""
    async with installation(tmp_path, requests_max_bytes=SMALL) as here:
        yield here


def batch(first: int, count: int) -> bytes:
    """Records as a worker hands them over; each some 300 bytes long."""
    made = [request(0, id=f"{new_id()}", path=f"/{first + number}", user_agent="x" * 200) for number in range(count)]
    fields = [record.model_dump(mode="json", exclude_defaults=True) for record in made]
    ordered = [{"project_id": each.pop("project_id"), "service_id": each.pop("service_id"), **each} for each in fields]
    return json.dumps(ordered, separators=(",", ":")).encode()


class Sender:
    """A router's ledger, and how many records it was given."""

    def __init__(self, ledger: Ledger, dropped: int = 3) -> None:
        self.ledger = ledger
        self.dropped = dropped  # of each hundred, in the worker
        self.sent = 0

    def send(self) -> None:
        self.ledger.add(batch(self.sent, 100), [("p", "s", self.dropped)] if self.dropped else [])
        self.sent += 100 + self.dropped

    async def taken(self, batches: int) -> None:
        """Send batches, an event each, and wait until the bus has taken them."""
        for _ in range(batches):
            self.send()
            await until(lambda: self.ledger.idle)


def numbered(run: str, first: int, *records: RequestRecord) -> RequestsServed:
    """A batch at a place of a run."""
    return RequestsServed(key="router-1", run=run, first=first, past=first + len(records), records=records)


async def to_the_record(
    here: Installation, stop: Callable[[], Awaitable[object]], go_on: Callable[[], object]
) -> dict[str, int]:
    """Send before, while something is stopped, and after; what was lost, once all that was sent is accounted for."""
    sender = Sender(Ledger(here.router, "router-1", max_bytes=SMALL))
    async with background() as tasks:
        tasks.start(sender.ledger.run(), "ledger")
        for _ in range(10):
            sender.send()
        await until(lambda: sender.ledger.idle)
        await stop()
        while not sender.ledger.stuck:
            sender.send()
            await asyncio.sleep(0.02)
        for _ in range(30):
            sender.send()
        go_on()

        async def complete() -> bool:
            try:
                return await here.charted() + sum((await here.lost()).values()) >= sender.sent
            except Unavailable:
                return False

        await eventually(complete, within_s=40)
    lost = await here.lost()
    assert await here.charted() + sum(lost.values()) == sender.sent
    assert lost["ring_full"] == sender.sent / 103 * 3
    return lost


async def test_with_audit_stopped_all_is_stored_or_counted(small: Installation) -> None:
    lost = await to_the_record(small, small.audit.end, small.audit.begin)
    assert lost["stream_full"] > 0


async def test_with_the_bus_stopped_all_is_stored_or_counted(small: Installation) -> None:
    nats = small.nats.process

    async def stop() -> None:
        nats.send_signal(signal.SIGSTOP)

    lost = await to_the_record(small, stop, lambda: nats.send_signal(signal.SIGCONT))
    assert lost["bus_away"] > 0


async def test_killed_again_and_again_it_stores_each_record_once_and_counts_it_once(tmp_path: Path) -> None:
    async with installation(tmp_path) as here:
        run, sent = new_id(), 0
        for number in range(20):
            for _ in range(3):
                records = [request(each, id=new_id(), logged=each % 2 == 0) for each in range(50)]
                await here.router.publish(numbered(run, sent, *records))
                sent += 50
            await asyncio.sleep(0.02 * (number % 5))  # in the middle of its work, wherever that is
            here.audit.kill()
            here.audit.begin()
        await here.audit.ready()

        async def all_counted() -> bool:
            return await here.charted() >= sent

        await eventually(all_counted, within_s=40)
        assert await here.charted() == sent
        assert await here.lost() == {}
        ids = [record.id for offset in range(0, sent, 500) for record in await here.find(limit=500, offset=offset)]
        assert len(ids) == len(set(ids)) == sent // 2


async def test_one_record_that_the_store_refuses_does_not_take_the_others_with_it(small: Installation) -> None:
    good = [request(number) for number in range(9)]
    await small.serve(*good, request(10, status=70_000))
    await small.found(9)

    assert await small.lost() == {"poison": 1}
    assert await small.charted() == 9


async def test_a_batch_that_nobody_can_read_is_counted_by_its_records(small: Installation) -> None:
    body = b'{"id":"x","key":"r","records":' + batch(0, 7) + b"}"  # no time
    await small.router.publish_raw("narthex.v1.requests.served", body, new_id())
    await small.serve(request(1))
    await small.found(1)

    assert await small.lost() == {"poison": 7}


@asynccontextmanager
async def sending(here: Installation) -> AsyncIterator[Sender]:
    """A router that sends. Its workers drop nothing."""
    sender = Sender(Ledger(here.router, "router-1"), dropped=0)
    async with background() as tasks:
        tasks.start(sender.ledger.run(), "ledger")
        yield sender


async def all_accounted_for(here: Installation, sender: Sender) -> dict[str, int]:
    """What was lost, once stored and lost are as many as were sent, and stay so while audit looks again."""

    async def accounted() -> float:
        try:
            return await here.charted() + sum((await here.lost()).values())
        except Unavailable:
            return -1

    async def complete() -> bool:
        return await accounted() >= sender.sent

    await eventually(complete, within_s=40)
    assert await accounted() == sender.sent
    return await here.lost()


async def test_what_the_bus_took_and_lost_before_audit_read_it_is_counted_once(tmp_path: Path) -> None:
    async with installation(tmp_path) as here, sending(here) as sender:
        await sender.taken(2)
        await all_accounted_for(here, sender)
        here.audit.kill()
        await sender.taken(3)
        await here.nats_comes_back_empty()
        await sender.taken(1)
        here.audit.begin()

        assert await all_accounted_for(here, sender) == {"bus_lost": 300}
        assert await here.lost(service_id="other") == {"bus_lost": 300}  # nobody knows whose they were
        assert await here.lost(since=NOW + timedelta(hours=1)) == {}
        name = 'narthex_request_records_reported_lost_total{reason="bus_lost",router="router-1"}'
        assert (await here.audit.metrics())[name] == 300

        here.audit.kill()
        here.audit.begin()
        await sender.taken(1)
        assert await all_accounted_for(here, sender) == {"bus_lost": 300}


async def test_a_run_whose_first_batches_the_bus_lost_misses_them_too(tmp_path: Path) -> None:
    async with installation(tmp_path) as here, sending(here) as sender:
        here.audit.kill()
        await sender.taken(2)
        await here.nats_comes_back_empty()
        here.audit.begin()
        await sender.taken(1)

        assert await all_accounted_for(here, sender) == {"bus_lost": 200}


async def test_with_audit_frozen_while_nats_comes_back_empty_all_is_stored_or_counted(tmp_path: Path) -> None:
    async with installation(tmp_path) as here, sending(here) as sender:
        await sender.taken(1)
        here.audit.freeze()
        await sender.taken(2)  # audit may have been given them, and not have read them
        await here.nats_comes_back_empty()
        here.audit.thaw()
        await sender.taken(1)

        await all_accounted_for(here, sender)


async def test_of_a_run_that_began_before_audit_took_note_only_later_holes_are_lost(small: Installation) -> None:
    an_hour_ago = str(uuid7(int((time.time() - 3600) * 1000)))
    await small.router.publish(numbered(an_hour_ago, 50, request(1)))
    await small.router.publish(numbered(an_hour_ago, 53, request(2)))

    assert await eventually(small.lost) == {"bus_lost": 2}


async def test_a_dead_letter_is_not_lost_in_the_bus(small: Installation) -> None:
    run = new_id()
    # It says no time.
    unreadable = b'{"id":"x","key":"r","run":"%b","first":0,"past":7,"records":%b}' % (run.encode(), batch(0, 7))
    await small.router.publish_raw("narthex.v1.requests.served", unreadable, new_id())
    await small.router.publish(numbered(run, 7, request(1)))
    await small.router.publish(numbered(run, 9, request(2)))

    async def told() -> bool:
        return await small.lost() == {"poison": 7, "bus_lost": 1}

    await eventually(told)


async def test_losses_are_found_by_their_time(small: Installation) -> None:
    await small.router.publish_raw("narthex.v1.requests.served", b'{"records":' + batch(0, 2) + b"}", new_id())
    await small.serve(request(1))
    await small.found(1)

    assert await small.lost(since=NOW) == {"poison": 2}
    assert await small.lost(until=NOW) == {}
    assert await small.lost(service_id="other") == {}


async def test_requests_that_are_only_counted_are_in_charts_and_on_no_list(small: Installation) -> None:
    await small.serve(request(1, logged=False, status=503), request(2))
    await small.found(1)

    assert [record.id for record in await small.find()] == ["request-0002"]
    assert (await small.charted(), await small.charted("services.failed_requests")) == (2, 1)
