"""What a worker sees of instances: failures by kind, answers, progress; and what the main process makes of it."""

import errno

import pytest
from integration.router_kit import service_entries

from narthex_router.endpoints import Endpoints
from narthex_router.evidence import BAD_RESPONSE, REFUSED, RESET, Evidence, Place, Seen, kind_of, read
from narthex_router.exchange import UPSTREAM_BAD_RESPONSE, UPSTREAM_CLOSED, Attempt
from narthex_router.suspects import entity
from narthex_router.table import Table, Target

TARGET = Target("svc", "i", "127.0.0.1", 9000)
PLACE = Place("i", "127.0.0.1", 9000)


def told(evidence: Evidence, now: float) -> dict[Place, Seen]:
    return dict(read(evidence.take(now) or b"[]"))


@pytest.mark.parametrize(
    "error",
    [OSError(errno.EMFILE, "too many open files"), OSError(errno.EADDRNOTAVAIL, "no port left"), UnicodeError("name")],
)
def test_what_we_lack_ourselves_is_not_held_against_an_instance(error: Exception) -> None:
    assert kind_of(error) is None


def test_a_name_with_several_addresses_that_refuse_is_a_refusal() -> None:
    several = OSError("Multiple exceptions: [Errno 101] Network is unreachable, [Errno 111] Connect call failed")
    assert kind_of(several) == REFUSED


def test_failures_are_told_with_their_time_and_only_once() -> None:
    evidence = Evidence()
    for now in (10.0, 10.1, 10.18):
        assert evidence.connect_failed(TARGET, ConnectionRefusedError(), now) == PLACE
    seen = told(evidence, 10.2)[PLACE]
    said = entity(PLACE, seen, 10.2)
    assert (said.refused, said.failed_for_ms, said.failed_ago_ms) == (3, 180, 20)
    assert told(evidence, 10.5) == {}


def test_a_kept_connection_that_the_instance_closed_is_no_failure_of_it() -> None:
    evidence = Evidence()
    evidence.attempt_failed(Attempt(TARGET, 1.0, reused=True), UPSTREAM_CLOSED, 2.0, answered=False)
    evidence.attempt_failed(Attempt(TARGET, 1.0, reused=False), UPSTREAM_CLOSED, 2.0, answered=True)
    assert evidence.take(0.5) == b""
    evidence.attempt_failed(Attempt(TARGET, 1.0, reused=False), UPSTREAM_CLOSED, 2.0, answered=False)
    evidence.attempt_failed(Attempt(TARGET, 1.0, reused=True), UPSTREAM_BAD_RESPONSE, 2.0, answered=True)
    seen = told(evidence, 0.6)[PLACE]
    assert (seen.failures[RESET], seen.failures[BAD_RESPONSE]) == (1, 1)


def test_workers_are_added_up() -> None:
    one, other = Seen(), Seen()
    one.fail(REFUSED, 5.0)
    other.fail(REFUSED, 4.0)
    other.fail(RESET, 6.0)
    other.successes, other.progress = 7, 3.0
    one.add(other)
    assert (one.failures[REFUSED], one.failures[RESET], one.first, one.last) == (2, 1, 4.0, 6.0)
    assert (one.successes, one.progress) == (7, 3.0)


def test_an_instance_that_is_shunned_gets_nothing_until_it_is_readmitted() -> None:
    table = Table("test", bytes(32))
    table.apply(service_entries([1, 2]))
    route = table.route(b"svc.services.test")
    assert route is not None
    endpoints = Endpoints(1, 1.0)
    first = Place("svc-i0", "127.0.0.1", 1)
    assert len(endpoints.of(route)) == 2
    assert endpoints.shun([first])
    assert not endpoints.shun([first])  # known already
    assert [endpoint.target.port for endpoint in endpoints.of(route)] == [2]
    endpoints.readmit([first])
    assert len(endpoints.of(route)) == 2


def test_the_last_instances_are_never_shunned() -> None:
    table = Table("test", bytes(32))
    table.apply(service_entries([1, 2]))
    route = table.route(b"svc.services.test")
    assert route is not None
    endpoints = Endpoints(1, 1.0)
    endpoints.shun([Place("svc-i0", "127.0.0.1", 1), Place("svc-i1", "127.0.0.1", 2)])
    assert len(endpoints.of(route)) == 2


def test_another_port_of_an_instance_is_another_place() -> None:
    table = Table("test", bytes(32))
    table.apply(service_entries([1, 2]))
    route = table.route(b"svc.services.test")
    assert route is not None
    endpoints = Endpoints(1, 1.0)
    endpoints.shun([Place("svc-i0", "127.0.0.1", 9999)])
    assert len(endpoints.of(route)) == 2
