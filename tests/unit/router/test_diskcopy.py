"""The copy of the table on disk: whole, or refused."""

from pathlib import Path

import pytest
from integration.router_kit import entry, service_entries

from narthex.routing import Entry, Kind
from narthex_router.diskcopy import Damaged, NewCopy, append_to_copy, read_copy, write_copy

ENTRIES = [*service_entries([1]), Entry(Kind.SERVICE, "gone", 3, 4, None)]
CHANGES = [entry(Kind.HEALTH, "svc-i0", 2, health="unhealthy")]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "router" / "table.copy"


def held(path: Path) -> list[Entry]:
    return [entry for block in read_copy(path) for entry in block]


def test_what_is_written_is_read(path: Path) -> None:
    assert held(path) == []
    assert write_copy(path, ENTRIES) == len(ENTRIES)
    append_to_copy(path, CHANGES)
    assert held(path) == ENTRIES + CHANGES
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_copy_that_was_not_finished_leaves_the_old_one(path: Path) -> None:
    write_copy(path, ENTRIES)
    with NewCopy(path) as copy:
        copy.add(CHANGES)
    assert held(path) == ENTRIES


def test_a_block_that_the_machine_went_down_with_is_left_out(path: Path) -> None:
    write_copy(path, ENTRIES)
    whole = path.read_bytes()
    append_to_copy(path, CHANGES)
    appended = path.read_bytes()[len(whole) :]
    for lost in range(1, len(appended) + 1):
        path.write_bytes(whole + appended[:-lost])
        assert held(path) == ENTRIES


def test_a_damaged_copy_is_refused_wherever_the_damage_is(path: Path) -> None:
    write_copy(path, ENTRIES)
    whole = path.read_bytes()
    for at in range(len(whole)):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0x40]) + whole[at + 1 :])
        with pytest.raises(Damaged):
            held(path)
        path.write_bytes(whole[:at])
        with pytest.raises(Damaged):
            held(path)


def test_kinds_of_a_newer_release_are_left_out(path: Path) -> None:
    write_copy(path, ENTRIES)
    path.write_bytes(path.read_bytes().replace(b"narthex-table 2 %012d" % len(ENTRIES), b"narthex-table 2 %012d" % 1))
    from_newer = Entry("quota", "q", 1, 1, b"{}")  # type: ignore[arg-type]
    append_to_copy(path, [from_newer, *CHANGES])
    assert held(path) == ENTRIES + CHANGES
