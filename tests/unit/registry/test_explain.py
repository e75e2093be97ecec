"""Why a request went as it did, in one sentence; and how the instances stood then."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from narthex.contracts.entities import Attempt, RequestRecord
from narthex_registry.explain import _BECAUSE, instances_then, sentence
from narthex_registry.tables import ProjectEvent

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
FIRST = Attempt(instance_id="a", address="10.0.0.1:9000", outcome="connect_failed", reason="connection refused")
SECOND = Attempt(instance_id="b", address="10.0.0.2:9000", outcome="answered")


def record(**fields: Any) -> RequestRecord:
    return RequestRecord.model_validate({"id": "r", "time": NOW, "status": 200, "total_ms": 12.4, **fields})


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"attempts": (SECOND,)}, "Instance 10.0.0.2:9000 answered 200 after 12 ms."),
        (
            {"attempts": (FIRST, SECOND)},
            "Instance 10.0.0.2:9000 answered 200 after 12 ms. Tried without success: 10.0.0.1:9000 (connect_failed).",
        ),
        (
            {"attempts": (SECOND,), "status": 500},
            "Instance 10.0.0.2:9000 answered 500 after 12 ms: the error is the application's own.",
        ),
        (
            {"status": 502, "code": "connect_failed", "attempts": (FIRST,)},
            "The router answered 502 connect_failed after 12 ms: no instance could be connected to"
            " (connection refused).",
        ),
        (
            {"status": 503, "code": "no_healthy_instances"},
            "The router answered 503 no_healthy_instances after 12 ms: no instance of the service was healthy.",
        ),
        ({"outcome": "client_gone"}, "The client went away after 12 ms, before it had its whole answer."),
        (
            {"outcome": "truncated", "code": "upstream_closed", "attempts": (SECOND,)},
            "The answer (200) broke off after 12 ms: the instance closed the connection before it had answered.",
        ),
    ],
)
def test_a_sentence_says_what_became_of_a_request_and_why(fields: dict[str, Any], said: str) -> None:
    assert sentence(record(**fields)) == said


def test_every_answer_of_the_routers_own_has_its_reason() -> None:
    from narthex_router.responses import PROBLEMS

    unrouted = {"header_too_large", "uri_too_long", "unknown_service", "misdirected"}  # no service, so no record
    assert PROBLEMS.keys() - unrouted <= _BECAUSE.keys()


def happened(minutes: int, name: str, instance: str = "a", **details: Any) -> ProjectEvent:
    moment = NOW + timedelta(minutes=minutes)
    text = f"Instance 10.0.0.9:9000 {name}"
    return ProjectEvent(date=moment, instance_id=instance, type=name, text=text, details=details)


def test_the_last_verdict_before_a_request_is_how_an_instance_stood() -> None:
    events = [
        happened(-9, "instance_registered"),
        happened(-8, "instance_health_changed", health="healthy", reason="probe: HTTP 200"),
        happened(-1, "instance_health_changed", health="unhealthy", reason="probe: HTTP 503"),
        happened(1, "instance_health_changed", health="healthy", reason="probe: HTTP 200"),
    ]
    [then] = instances_then(events, NOW, record())
    assert (then.id, then.address, then.health, then.reason) == ("a", "10.0.0.9:9000", "unhealthy", "probe: HTTP 503")
    assert then.since == NOW - timedelta(minutes=1)


def test_instances_that_were_gone_are_left_out_unless_they_had_the_request() -> None:
    gone = [happened(-3, "instance_registered", each) for each in "ac"]
    gone += [happened(-2, "instance_draining", each) for each in "ac"]
    gone += [happened(-1, "instance_removed", each) for each in "ac"]
    [then] = instances_then(gone, NOW, record(attempts=(FIRST,)))
    assert (then.id, then.tried, then.draining) == ("a", True, True)


def test_an_instance_of_which_nothing_is_remembered_is_unknown() -> None:
    [then] = instances_then([], NOW, record(attempts=(SECOND,)))
    assert (then.id, then.health, then.address) == ("b", "unknown", "10.0.0.2:9000")
