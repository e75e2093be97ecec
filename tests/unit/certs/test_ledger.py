"""How many orders the ledger lets through, and until when it holds the next one back."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from narthex_certs.ledger import Limits, Note, hold, old, registered_domain

NOW = datetime(2026, 1, 8, tzinfo=UTC)
LIMITS = Limits(domain_week=3, account_three_hours=5, same_week=2, failures_hour=2)


def note(host: str, ago: timedelta = timedelta(0), **more: object) -> Note:
    return Note(id=host, time=NOW - ago, domain=registered_domain(host), hosts=(host,), **more)  # type: ignore[arg-type]


def held(notes: list[Note], wanted: Note) -> str:
    found = hold(notes, wanted, LIMITS)
    return found[1] if found is not None else ""


DAYS = timedelta(days=1)


@pytest.mark.parametrize(
    ("notes", "wanted", "reason"),
    [
        ([], note("a.test"), ""),
        ([note(f"{n}.a.test", DAYS) for n in "xyz"], note("b.a.test"), "3 new certificates below a.test in a week"),
        ([note(f"{n}.a.test", DAYS) for n in "xyz"], note("b.test"), ""),
        ([note(f"{n}.a.test", 8 * DAYS) for n in "xyz"], note("b.a.test"), ""),
        ([note(f"{n}.a.test", DAYS, failed=True) for n in "xyz"], note("b.a.test"), ""),
        ([note(f"{n}.a.test", DAYS) for n in "xyz"], note("x.a.test", renewal=True), ""),
        ([note("a.test", n * DAYS) for n in (1, 2)], note("a.test", renewal=True), "2 certificates for these names"),
        ([note("a.test", n * DAYS) for n in (1, 2)], note("a.test", exempt=True), ""),
        ([note(f"{n}.test") for n in "vwxyz"], note("a.test"), "5 orders of this account in three hours"),
        ([note("a.test", failed=True)] * 2, note("a.test"), "2 failed orders for these names in an hour"),
        ([note("a.test", timedelta(hours=2), failed=True)] * 2, note("a.test"), ""),
    ],
)
def test_an_order_waits_when_a_limit_says_so(notes, wanted, reason):
    assert held(notes, wanted).removeprefix("the ledger allows ") == reason


def test_it_waits_until_the_first_of_those_that_count_is_too_old():
    found = hold([note(f"{n}.a.test", n * DAYS) for n in (1, 2, 3)], note("b.a.test"), LIMITS)
    assert found is not None
    assert found[0] == NOW + 4 * DAYS


@given(st.lists(st.integers(0, 14 * 24 * 60), max_size=200))
@settings(max_examples=50, deadline=None)
def test_whenever_orders_are_wanted_no_window_ever_has_more_than_a_limit(minutes):
    made: list[Note] = []
    for at in sorted(minutes):
        wanted = Note(id="x", time=NOW + timedelta(minutes=at), domain="a.test", hosts=("a.test",))
        if hold(made, wanted, LIMITS) is None:
            made.append(wanted)
    for each in made:
        week = [one for one in made if each.time - 7 * DAYS < one.time <= each.time]
        assert len(week) <= min(LIMITS.domain_week, LIMITS.same_week)


def test_a_note_is_forgotten_when_no_limit_reaches_back_to_it():
    assert old(note("a.test", 7 * DAYS), NOW)
    assert not old(note("a.test", 6 * DAYS), NOW)


@pytest.mark.parametrize(
    ("host", "domain"),
    [
        ("*.services.example.com", "example.com"),
        ("a.b.example.co.uk", "example.co.uk"),
        ("svc.services.localhost", "services.localhost"),
        ("someone.github.io", "someone.github.io"),
    ],
)
def test_the_registered_domain_is_the_one_below_the_public_suffix(host, domain):
    assert registered_domain(host) == domain
