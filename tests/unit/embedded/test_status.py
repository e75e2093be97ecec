"""`supervisor.json` is for people: what runs does not depend on it."""

import logging
from pathlib import Path

import pytest

from narthex.runtime.supervisor.plan import Plan
from narthex.runtime.supervisor.status import PartStatus, State, StatusFile


def a_plan(directory: Path) -> Plan:
    return Plan((), (), (), str(directory), {}, "ready", {})


def test_a_status_that_cannot_be_written_is_said_once_and_stops_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    status = StatusFile(a_plan(tmp_path / "gone"))
    with caplog.at_level(logging.WARNING):
        status.write([PartStatus("nats", state=State.READY)])
        status.write([PartStatus("nats", state=State.BACKOFF)])
    assert [record.getMessage().split(";")[0] for record in caplog.records] == [
        f"cannot write {tmp_path / 'gone' / 'supervisor.json'}: No such file or directory"
    ]


def test_a_status_is_written_again_once_it_can_be(tmp_path: Path) -> None:
    plan = a_plan(tmp_path / "later")
    status = StatusFile(plan)
    status.write([])
    (tmp_path / "later").mkdir()
    status.write([PartStatus("nats", state=State.READY)])
    assert '"ready"' in plan.status.read_text()
