"""Snapshot cursors, and which event a row is told as."""

from datetime import UTC, datetime

import pytest

from narthex.contracts.errors import Invalid
from narthex.contracts.events import InstanceDraining, InstanceRegistered, TokenIssued, TokenRevoked
from narthex.contracts.ids import new_id
from narthex_registry import tables
from narthex_registry.snapshot import Cursor, decode, facts_of, kind_of

ID = "01a20901-ab84-7c45-834d-94554d19b646"  # the same in every process: the tests are named after it


def test_a_cursor_survives_its_text_form() -> None:
    cursor = Cursor(42, 3, new_id())
    assert decode(cursor.encode()) == cursor


@pytest.mark.parametrize("text", ["x", "1.2", "1.9.", f"1.8.{ID}", f"{'9' * 30}.1.{ID}"])
def test_a_cursor_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        decode(text)


def test_a_draining_instance_is_told_as_draining() -> None:
    assert kind_of(tables.Instance()) is InstanceRegistered
    assert kind_of(tables.Instance(remove_at=datetime.now(UTC))) is InstanceDraining


def test_a_revoked_token_is_told_as_revoked() -> None:
    assert kind_of(tables.Token(revoked=False)) is TokenIssued
    assert kind_of(tables.Token(revoked=True)) is TokenRevoked


def test_a_fact_carries_the_rows_revision_and_sequence() -> None:
    row = tables.Deployment(id=new_id(), project_id=new_id(), name="hello", revision=3, sequence=17)
    [fact] = facts_of(row)
    assert fact.subject == "narthex.v1.deployment.updated"
    assert (fact.event["revision"], fact.event["sequence"], fact.event["key"]) == (3, 17, row.id)
    assert fact.event["project"] == row.project_id
