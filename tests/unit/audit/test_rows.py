"""Records survive the way into the columns of a table and back."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from narthex.contracts.entities import Attempt, Loss, RequestRecord
from narthex.contracts.events import RequestsServed
from narthex_audit.batch import COLUMNS, TEXT_KEPT, Place, columns, loss_columns, place, read
from narthex_audit.handlers import owners
from narthex_audit.rows import record

WHEN = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)


def rows_of(body: bytes) -> list[list[Any]]:
    """The table's rows for a message of the bus."""
    return [list(row) for row in zip(*columns(read(body).records, COLUMNS), strict=True)]


def back(values: Sequence[Any]) -> RequestRecord:
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=values[COLUMNS.index("time")])
    return record([moment if name == "time" else value for name, value in zip(COLUMNS, values, strict=True)], COLUMNS)


def message(*records: RequestRecord, **more: Any) -> bytes:
    return RequestsServed(key="router-1", records=records, **more).model_dump_json().encode()


def test_a_record_comes_back_as_it_was() -> None:
    original = RequestRecord(
        id="0198",
        time=WHEN,
        service_id="s",
        path="/größe?\x00\n'",
        status=502,
        total_ms=12.345,
        route_sequence=7,
        request_body="AAH/",
        request_cut=True,
        attempts=(
            Attempt(instance_id="a", address="127.0.0.1:9", outcome="connect_failed", reason="refused", at_ms=0.1),
            Attempt(instance_id="b", address="127.0.0.1:8", outcome="answered", at_ms=2.5),
        ),
    )

    [row] = rows_of(message(original))

    assert back(row) == original


def test_a_time_as_the_routers_write_it_is_exact() -> None:
    [row] = rows_of(
        b'{"id":"b","time":"2026-01-02T03:04:05Z","key":"r","records":[{"id":"1","time":1767323045678901e-6}]}'
    )

    assert back(row) == RequestRecord(id="1", time=WHEN)


def test_what_a_client_chose_is_kept_up_to_a_length() -> None:
    [row] = rows_of(message(RequestRecord(id="1", time=WHEN, path="p" * 9000, query="q" * 9000, user_agent="u" * 9000)))

    kept = back(row)
    assert [len(kept.path), len(kept.query), len(kept.user_agent)] == [TEXT_KEPT] * 3


def test_what_a_newer_release_says_can_be_read() -> None:
    newer = (
        b'{"id":"b","time":"2026-01-02T03:04:05Z","key":"r","colour":1,"records":[{"id":"1","time":"2026-01-02T03:04:05Z",'
        b'"colour":"blue","attempts":[{"instance_id":"a","address":"h:1","outcome":"answered","colour":"blue"}]}]}'
    )
    assert back(rows_of(newer)[0]).attempts[0].instance_id == "a"


@pytest.mark.parametrize(
    "body", [b"", b"{}", b"[]", b'{"id":"b","time":"2026-01-02T03:04:05Z","key":"r","records":[{}]}']
)
def test_what_is_no_batch_is_a_value_error(body: bytes) -> None:
    with pytest.raises(ValueError, match=r".*"):
        read(body)


def test_losses_are_read_and_written_with_their_router() -> None:
    lost = Loss(project_id="p", service_id="s", reason="ring_full", count=7)
    batch = read(message(lost=(lost,), dropped=7))

    assert (batch.losses(), batch.dropped) == ((lost,), 7)
    assert loss_columns([lost], "r", WHEN) == [[WHEN], ["p"], ["s"], ["r"], ["ring_full"], [7]]


def test_the_owners_of_records_are_found_even_in_what_cannot_be_read() -> None:
    good = b'{"project_id":"p","service_id":"s","path":"\\"project_id\\":\\"x\\",\\"service_id\\":\\"y\\""}'
    assert owners(b'{"records":[' + good + b"," + good + b"]}") == [("p", "s")] * 2
    assert owners(b'{"records":[' + good + b"," + good[:60]) == [("p", "s")] * 2
    assert owners(b"\xff") == []


def test_the_place_of_a_batch_in_its_run_is_read_also_where_its_records_cannot_be() -> None:
    whole = message(run="a", first=3, past=9)

    assert place(whole) == Place("router-1", "a", 3, 9)
    assert place(b'{"records":[{"time":"never"}],"key":"r","run":"a","first":3,"past":9}') == Place("r", "a", 3, 9)
    assert place(b'{"records":[]}') == place(b"\xff") == Place()
    assert (read(whole).run, read(whole).first, read(whole).past) == ("a", 3, 9)
