"""Filters and pages of the requests to a service."""

from datetime import UTC, datetime
from typing import Any

import pytest

from narthex.contracts.entities import RequestRecord
from narthex.contracts.errors import Invalid
from narthex_registry.api.service_requests import cursor_after, filter_of, position

MOMENT = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)


def record(**fields: Any) -> RequestRecord:
    return RequestRecord.model_validate({"id": "019b-7d2a", "time": MOMENT, "status": 200, "method": "GET", **fields})


def test_a_cursor_names_the_last_request_of_its_page() -> None:
    assert position(cursor_after(record())) == (MOMENT, "019b-7d2a")
    assert position("") == (None, None)


@pytest.mark.parametrize("text", ["x", "1.", "1.a b", "99999999999999999999.a", "-1.a", "1.é"])
def test_other_texts_are_no_cursors(text: str) -> None:
    with pytest.raises(Invalid, match="cursor"):
        position(text)


@pytest.mark.parametrize(
    ("query", "fitting", "other"),
    [
        ({"status": "5xx"}, {"status": 502}, {"status": 404}),
        ({"status": "404"}, {"status": 404}, {"status": 405}),
        ({"code": "no_instances"}, {"code": "no_instances"}, {}),
        ({"user": "u"}, {"subject_id": "u"}, {"subject_id": "v"}),
        ({"instance": "i"}, {"instance_id": "i"}, {}),
        ({"method": "post"}, {"method": "POST"}, {"method": "GET"}),
        ({"path": "^/v1/[a-z]+$"}, {"path": "/v1/chat"}, {"path": "/v1/chat/2"}),
        ({"slower_than_ms": "10.5"}, {"total_ms": 10.6}, {"total_ms": 10.5}),
        ({"status": "2xx", "method": "GET"}, {}, {"method": "PUT"}),
    ],
)
def test_each_filter_lets_pass_what_fits(query: dict[str, str], fitting: dict[str, Any], other: dict[str, Any]) -> None:
    fits = filter_of(query)
    assert fits(record(**fitting))
    assert not fits(record(**other))


@pytest.mark.parametrize(
    "query", [{"colour": "blue"}, {"status": "many"}, {"path": "("}, {"path": "a" * 401}, {"slower_than_ms": "-1"}]
)
def test_what_cannot_be_asked_is_said(query: dict[str, str]) -> None:
    with pytest.raises(Invalid, match=next(iter(query))):
        filter_of(query)
