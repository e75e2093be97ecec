"""Every record is stored or counted as lost, and none is stored twice, whatever goes away on the way."""

import asyncio
import json
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from integration.audit_kit import NOW, Installation, installation, request

from narthex.contracts.errors import Unavailable
from narthex.contracts.ids import new_id
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

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.sent = 0

    def send(self) -> None:
        self.ledger.add(batch(self.sent, 100), [("p", "s", 3)])
        self.sent += 103


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
        sent = 0
        for number in range(20):
            for _ in range(3):
                await here.serve(*[request(each, id=new_id(), logged=each % 2 == 0) for each in range(50)])
                sent += 50
            await asyncio.sleep(0.02 * (number % 5))  # in the middle of its work, wherever that is
            here.audit.kill()
            here.audit.begin()
        await here.audit.ready()

        async def all_counted() -> bool:
            return await here.charted() >= sent

        await eventually(all_counted, within_s=40)
        assert await here.charted() == sent
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
