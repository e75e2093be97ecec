"""Records survive the way into a row and back."""

from datetime import UTC, datetime

from narthex.contracts.entities import Attempt, RequestRecord
from narthex_audit.rows import COLUMNS, TEXT_KEPT, record, row


def test_a_record_comes_back_as_it_was() -> None:
    original = RequestRecord(
        id="0198",
        time=datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC),
        service_id="s",
        path="/größe?\x00\n'",
        status=502,
        total_ms=12.345,
        attempts=(
            Attempt(instance_id="a", address="127.0.0.1:9", outcome="connect_failed", reason="refused", at_ms=0.1),
            Attempt(instance_id="b", address="127.0.0.1:8", outcome="answered", at_ms=2.5),
        ),
    )

    assert record(row(original), COLUMNS) == original


def test_what_a_client_chose_is_kept_up_to_a_length() -> None:
    values = row(
        RequestRecord(id="1", time=datetime.now(UTC), path="p" * 9000, query="q" * 9000, user_agent="u" * 9000)
    )

    kept = record(values, COLUMNS)
    assert [len(kept.path), len(kept.query), len(kept.user_agent)] == [TEXT_KEPT] * 3


def test_attempts_of_a_newer_release_can_be_read() -> None:
    values = dict(zip(COLUMNS, row(RequestRecord(id="1", time=datetime.now(UTC))), strict=True))
    values["attempts"] = '[{"instance_id": "a", "address": "h:1", "outcome": "answered", "colour": "blue"}]'

    assert record([values[name] for name in COLUMNS], COLUMNS).attempts[0].instance_id == "a"
