"""What goes wrong between us and the CA: what is held goes on serving, the reason is told, orders are not repeated."""

import asyncio
import itertools
import os
from datetime import UTC, datetime, timedelta

import pytest
from aiohttp import web
from integration.acme_faults import faulty, problem
from integration.acme_kit import needs_pebble, site

import narthex_certs.app
from narthex.contracts.events import CertRenewalFailed
from narthex.contracts.queries import RENEW_CERTIFICATE_SUBJECT, CertificateRenewal, CertificateState
from narthex.routing import LeaseLost, RecordStore
from narthex.runtime.clock import SystemClock
from narthex.testing.pebble import pebble
from narthex.testing.system import NARTHEX, start
from narthex.testing.waiting import until

pytestmark = needs_pebble

HOST = "svc.services.test"


async def renew(here) -> None:
    await here.bus.ask(RENEW_CERTIFICATE_SUBJECT, CertificateRenewal(id=HOST), CertificateState)


async def test_a_worker_stopped_between_any_two_steps_leaves_orders_that_are_resumed_and_not_repeated(
    tmp_path, monkeypatch
):
    """A step's record is kept or not, and then the worker is gone: for each of twenty orders at another step."""
    put = RecordStore.put
    counts: dict[str, itertools.count] = {}
    killed: set[str] = set()

    async def fatal(self: RecordStore, noun: str, key: str, value: str) -> None:
        at = next(counts.setdefault(key, itertools.count(1))) if noun in ("order", "certificate") else 0
        number = int(key[1:3]) if key.startswith("s") and key[1:3].isdigit() else 0
        fatal_now = number > 0 and at == (number + 1) // 2 and key not in killed
        if fatal_now:
            killed.add(key)
        if not (fatal_now and number % 2):
            await put(self, noun, key, value)
        if fatal_now:
            raise LeaseLost("killed")

    monkeypatch.setattr(RecordStore, "put", fatal)
    async with site(tmp_path, monkeypatch) as here:
        for number in range(1, 17):
            await here.add_service(f"s{number:02}")
        async with here.certs():
            for number in range(1, 17):
                await here.served(here.host(f"s{number:02}"), within_s=40.0)
        assert len(killed) >= 14
        assert here.ca.orders() == 16
        await until(lambda: not here.plane.table.challenges)


async def test_of_two_workers_one_orders_and_the_other_goes_on_where_it_was_killed(tmp_path, monkeypatch):
    async with site(tmp_path, monkeypatch, PEBBLE_VA_NOSLEEP="0", PEBBLE_VA_SLEEPTIME="2") as here:
        here.set(lease_s=2)
        monkeypatch.setenv("NARTHEX_DATA_DIR", str(tmp_path / "first"))
        first = start([*NARTHEX, "serve", "certs"], dict(os.environ), tmp_path)
        await asyncio.to_thread(first.output.wait_for, "leading", 20.0)
        async with here.certs("second"):
            await here.add_service("svc")
            await until(lambda: here.ca.orders() == 1)
            first.process.kill()  # the CA has the order, and is about to look
            await here.served(HOST)
            assert here.ca.orders() == 1
        await asyncio.to_thread(first.process.wait)


async def test_a_ca_that_is_down_or_has_forgotten_us_leaves_the_certificate_as_it_is(tmp_path, monkeypatch):
    async with site(tmp_path, monkeypatch) as here, here.certs():
        await here.add_service("svc")
        first = await here.served(HOST)
        await here.issued(HOST)
        here.ca.process.kill()
        await renew(here)
        failure = await here.failed(HOST)
        assert "is away" in failure.reason
        assert failure.next_try is not None
        assert (await here.served(HOST, trust=here.trusted))["serialNumber"] == first["serialNumber"]
        # It comes back without its data, so without our account: pebble keeps nothing.
        with pebble(tmp_path, here.http_port, here.https_port, port=here.ca.port) as ca:
            await here.issued(HOST, 2)
            assert ca.orders() == 2  # its log goes on where the first one's ended


@pytest.mark.parametrize("kind", ["serverInternal", "rateLimited"])
async def test_a_ca_that_says_later_is_asked_later_with_the_same_order(tmp_path, monkeypatch, kind):
    async with site(tmp_path, monkeypatch) as here, faulty(here.ca) as ca:
        status = {"serverInternal": 503, "rateLimited": 429}[kind]
        said: list[float] = []

        def fault(request: web.Request) -> web.Response | None:
            if request.path.startswith("/finalize-order") and not said:
                said.append(asyncio.get_running_loop().time())
                return problem(kind, status, **{"Retry-After": "1"})
            return None

        ca.fault = fault
        here.order_from(ca.ca)
        async with here.certs():
            await here.add_service("svc")
            failure = await here.failed(HOST)
            await here.served(HOST)
        assert kind in failure.reason
        assert asyncio.get_running_loop().time() - said[0] >= 1
        assert here.ca.orders() == 1


async def test_a_wrong_answer_to_a_challenge_is_told_in_the_cas_words_and_tried_within_the_ledger(
    tmp_path, monkeypatch
):
    async with site(tmp_path, monkeypatch) as here:
        monkeypatch.setattr("narthex_certs.acme.signing.AccountKey.key_authorization", lambda self, token: "wrong")
        here.set(acme_retry_s=0.02)
        async with here.certs():
            await here.add_service("svc")
            failure = await here.failed(HOST)
            assert failure.problem["type"].endswith("unauthorized")
            await here.failed(HOST, 5)  # the fifth is the ledger's: four failures in an hour are all it allows
        assert here.ca.orders() == 4
        last = here.told_of(CertRenewalFailed, HOST)[-1]
        assert "ledger" in last.reason
        assert last.next_try - last.time > timedelta(minutes=50)


@pytest.mark.parametrize("hours", [-1, 1])
async def test_a_clock_that_is_an_hour_off_does_not_keep_certificates_from_being_made(tmp_path, monkeypatch, hours):
    class Off(SystemClock):
        def now(self) -> datetime:
            return datetime.now(UTC) + timedelta(hours=hours)

    monkeypatch.setattr(narthex_certs.app, "SystemClock", Off)
    async with site(tmp_path, monkeypatch) as here, here.certs():
        await here.add_service("svc")
        await here.served(HOST)
        assert here.ca.orders() == 1


async def test_a_certificate_is_renewed_when_the_ca_asks_for_it_and_that_does_not_count_to_its_limits(
    tmp_path, monkeypatch
):
    async with site(tmp_path, monkeypatch) as here, faulty(here.ca) as ca:
        ca.window = ("2020-01-01T00:00:00Z", "2020-01-02T00:00:00Z")  # it is to be replaced at once
        here.order_from(ca.ca)
        here.set(acme_limit_same_week=1)
        monkeypatch.setattr("narthex_certs.opinions.ASK_EVERY_S", 0.1)
        monkeypatch.setattr("narthex_certs.opinions.LEAST_S", 0.1)
        async with here.certs():
            await here.add_service("svc")
            await here.issued(HOST, 3)  # the ledger would have allowed one
        assert any(line.startswith("GET /renewal-info/") for line in ca.requests)


async def test_a_service_that_keeps_its_certificate_goes_on_serving_while_the_next_one_is_made(tmp_path, monkeypatch):
    """Connections stay, handshakes go on: a hundred of the one, some hundreds of the other, through three swaps."""
    async with site(tmp_path, monkeypatch) as here, here.certs():
        await here.add_service("svc")
        await here.served(HOST)
        trust = here.trust()
        held = [
            await asyncio.open_connection("127.0.0.1", here.https_port, ssl=trust, server_hostname=HOST)
            for _ in range(30)
        ]
        serials: set[str] = set()
        done = asyncio.Event()

        async def shake() -> int:
            count = 0
            while not done.is_set():
                serials.add((await here.handshake(HOST, trust))["serialNumber"])
                count += 1
                await asyncio.sleep(0.01)
            return count

        async with asyncio.TaskGroup() as group:
            shaking = [group.create_task(shake()) for _ in range(2)]
            for times in (2, 3, 4):
                await here.issued(HOST, times - 1)
                await renew(here)
            await here.issued(HOST, 4)
            await until(lambda: len(serials) == 4)
            done.set()
        assert sum(task.result() for task in shaking) > 20
        for reader, writer in held:
            writer.write(f"GET / HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode())
            assert (await reader.readuntil(b"\r\n")).startswith(b"HTTP/1.1 502")
            writer.close()


async def test_a_domain_that_the_ca_limits_is_not_ordered_for_again_by_each_of_its_services(tmp_path, monkeypatch):
    async with site(tmp_path, monkeypatch) as here, faulty(here.ca) as ca:

        def fault(request: web.Request) -> web.Response | None:
            limited = request.path.startswith("/order-plz")
            return problem("rateLimited", 429, **{"Retry-After": "3600"}) if limited else None

        ca.fault = fault
        here.order_from(ca.ca)
        here.set(acme_parallel=1)
        for name in ("one", "two", "three"):
            await here.add_service(name)
        async with here.certs():
            for name in ("one", "two", "three"):
                failure = await here.failed(here.host(name))
                assert failure.next_try - failure.time > timedelta(minutes=50)
        assert ca.requests.count("POST /order-plz") == 1
