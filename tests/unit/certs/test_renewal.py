"""When a certificate is made anew."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from narthex_certs.authority import BACKDATED, new_issuing, new_leaf, new_root
from narthex_certs.renewal import LAST_RETRY_S, due, pause_s, renewal_time, why_issue

NOW = datetime(2026, 1, 1, tzinfo=UTC)
WEEK = timedelta(days=7)
HOSTS = ("*.services.localhost",)
ROOT = new_root("localhost", NOW)
ISSUING = new_issuing(ROOT, NOW)
LEAF = new_leaf(ISSUING, HOSTS, NOW, WEEK)
CHAIN = [LEAF.certificate, ISSUING.certificate]


def test_renewal_is_at_two_thirds_of_the_life():
    assert renewal_time(NOW, NOW + timedelta(days=90)) == NOW + timedelta(days=60)


def test_a_week_is_renewed_before_its_fifth_day():
    moment = renewal_time(NOW - BACKDATED, NOW + WEEK)
    assert timedelta(days=4) < moment - NOW < timedelta(days=5)
    assert not due(LEAF.certificate, moment - timedelta(minutes=1))
    assert due(LEAF.certificate, moment)


@pytest.mark.parametrize(
    ("chain", "covered", "wanted", "root", "at", "expected"),
    [
        (CHAIN, HOSTS, HOSTS, ROOT, NOW, ""),
        ([], (), HOSTS, ROOT, NOW, "there is none yet"),
        (CHAIN, HOSTS, ("*.services.example.com",), ROOT, NOW, "it covers other hosts"),
        (CHAIN, HOSTS, HOSTS, new_root("localhost", NOW), NOW, "it was issued under another root"),
        (CHAIN, HOSTS, HOSTS, ROOT, NOW + timedelta(days=5), "two thirds of its life are over"),
    ],
)
def test_it_says_why_a_new_one_is_needed(chain, covered, wanted, root, at, expected):
    assert why_issue(chain, covered, wanted, root.certificate, at) == expected


@given(st.integers(0, 10**6), st.floats(1, 10**6), st.floats(0, 1))
def test_the_pause_is_bounded_and_never_longer_than_usual(failures, usual_s, chance):
    pause = pause_s(failures, usual_s, chance)
    assert 0 < pause <= usual_s * 1.1 + 1e-6
    if failures:
        assert pause <= LAST_RETRY_S * 1.1


def test_after_failures_it_looks_again_sooner_and_then_ever_later():
    assert [pause_s(failures, 7200, 0.5) for failures in range(5)] == [7200, 60, 120, 240, 480]
