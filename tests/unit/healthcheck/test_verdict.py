"""The verdict on an instance, from outcomes in a row."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from narthex.contracts.entities import Health
from narthex_healthcheck.verdict import ANSWERED, History, Outcome, Thresholds, Verdict, verdict

GOOD = Outcome(ANSWERED, "probe: HTTP 200")
DOWN = Outcome("refused", "probe: connection refused")
SICK = Outcome("http_5xx", "probe: HTTP 503")
OUTCOMES = {"+": GOOD, "-": DOWN, "5": SICK}


def judge(seen: str, failure: int = 1, success: int = 1) -> list[Verdict]:
    """The verdict after each of the outcomes."""
    held, history, verdicts = Verdict(), History(), []
    for mark in seen:
        history = history.then(OUTCOMES[mark])
        held = verdict(held, history, Thresholds(failure, success))
        verdicts.append(held)
    return verdicts


@pytest.mark.parametrize(
    ("seen", "failure", "success", "expected"),
    [
        ("+", 1, 1, "h"),
        ("-", 1, 1, "u"),
        ("+-+", 1, 1, "huh"),
        ("--", 3, 1, "??"),
        ("---", 3, 1, "??u"),
        ("+--+---", 3, 1, "hhhhhhu"),
        ("+-+-+-", 2, 1, "hhhhhh"),
        ("-+++", 1, 3, "uuuh"),
        ("-++-++", 1, 3, "uuuuuu"),
        ("++", 1, 2, "?h"),
        ("+", 0, 0, "h"),  # a threshold below one counts as one
    ],
)
def test_it_changes_when_a_threshold_is_reached_in_a_row(seen, failure, success, expected):
    marks = {Health.HEALTHY: "h", Health.UNHEALTHY: "u", Health.UNKNOWN: "?"}
    assert "".join(marks[each.health] for each in judge(seen, failure, success)) == expected


def test_it_says_why():
    assert judge("-")[-1].reason == "probe: connection refused"


def test_another_cause_is_another_verdict():
    first, second = judge("-5")
    assert not second.same_as(first)
    assert second.reason == "probe: HTTP 503"


def test_another_wording_of_the_same_cause_is_not():
    held = verdict(Verdict(), History().then(SICK), Thresholds())
    history = History().then(SICK).then(Outcome("http_5xx", "probe: HTTP 502"))
    again = verdict(held, history, Thresholds())
    assert again.same_as(held)
    assert again.reason == "probe: HTTP 503"


def test_without_an_outcome_nothing_changes():
    held = Verdict(Health.HEALTHY, ANSWERED, "probe: HTTP 200")
    assert verdict(held, History(), Thresholds()) == held


@given(st.text("+-5", max_size=60), st.integers(1, 5), st.integers(1, 5))
def test_a_change_always_follows_a_full_run(seen, failure, success):
    before = Health.UNKNOWN
    for end, each in enumerate(judge(seen, failure, success), start=1):
        if each.health is not before:
            run = seen[:end][-success:] if each.health is Health.HEALTHY else seen[:end][-failure:]
            assert len(run) == (success if each.health is Health.HEALTHY else failure)
            assert ("+" in run) is (each.health is Health.HEALTHY)
            assert len({mark == "+" for mark in run}) == 1
        before = each.health
