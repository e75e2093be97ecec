"""What a worker does without while memory is short: the decision, and where it learns how short it is."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from narthex_router.memory import Memory, limited_group, worker_limit
from narthex_router.pressure import DWELL_S, LARGE, ROOM, Level, level, of_container, of_limit, refused

MB = 1 << 20


@pytest.mark.parametrize(
    ("share", "found"),
    [
        (0.0, Level.EASE),
        (0.74, Level.EASE),
        (0.75, Level.LEAN),
        (0.86, Level.TIGHT),
        (0.92, Level.SCARCE),
        (0.99, Level.FULL),
        (1.5, Level.FULL),
    ],
)
def test_a_level_begins_at_its_share_of_the_limit_at_once(share: float, found: Level) -> None:
    assert level(Level.EASE, share, 0.0) is found


def test_a_level_is_left_well_below_where_it_began_and_not_at_once() -> None:
    assert level(Level.SCARCE, 0.89, DWELL_S) is Level.SCARCE  # it began at 0.90
    assert level(Level.SCARCE, 0.84, 0.0) is Level.SCARCE
    assert level(Level.SCARCE, 0.84, DWELL_S) is Level.TIGHT
    assert level(Level.SCARCE, 0.20, DWELL_S) is Level.EASE


def test_memory_that_goes_up_and_down_by_a_little_changes_the_level_once() -> None:
    held, seen = Level.EASE, []
    for share in (0.74, 0.76, 0.74, 0.76, 0.73, 0.76, 0.69):
        held = level(held, share, DWELL_S)
        seen.append(held)
    assert seen == [Level.EASE, *[Level.LEAN] * 5, Level.EASE]


def test_what_a_worker_has_at_rest_is_not_held_against_its_clients() -> None:
    limit, table = 128 * MB, 265 * MB
    assert level(Level.EASE, of_limit(table, limit, table), 0.0) is Level.EASE
    assert level(Level.EASE, of_limit(table + ROOM // 2, limit, table), 0.0) is Level.EASE
    assert level(Level.EASE, of_limit(table + ROOM, limit, table), 0.0) is Level.FULL


@given(st.integers(0, 512), st.integers(0, 512))
def test_at_its_limit_a_worker_is_full_however_its_memory_is_shared_out(rest: int, used: int) -> None:
    limit = 512
    share = of_limit(used * MB, limit * MB, min(rest, used) * MB)
    assert share <= used / limit + 1e-9
    if used == limit and limit - rest >= ROOM // MB:
        assert share == 1.0


def test_a_container_that_is_filled_for_ever_is_no_reason_to_refuse_everything_for_ever() -> None:
    idle, busy = 0.001, 0.2
    assert level(Level.EASE, of_container(0.93, busy), 0.0) is Level.SCARCE
    assert level(Level.EASE, of_container(0.93, idle), 0.0) is Level.LEAN
    assert level(Level.EASE, of_container(0.96, idle), 0.0) is Level.FULL  # the next byte may be the last
    assert level(Level.EASE, of_container(0.50, idle), 0.0) is Level.EASE


def test_large_work_is_refused_before_all_of_it_is() -> None:
    small = {"length": 200, "chunked": False, "upgrade": False}
    large = ({**small, "length": LARGE + 1}, {**small, "chunked": True}, {**small, "upgrade": True})
    assert [refused(at, **small) for at in Level] == ["", "", "", "requests", "requests"]
    for wish in large:
        assert [refused(at, **wish) for at in Level] == ["", "", "large_requests", "requests", "requests"]


def groups(root: Path, **files: str) -> Path:
    """A tree like /sys/fs/cgroup: its files by their paths, with `__` for the slashes."""
    for name, text in files.items():
        path = root / name.replace("__", "/").replace("memory_", "memory.")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def test_of_the_limits_above_a_process_the_least_counts(tmp_path: Path) -> None:
    root = groups(tmp_path, a__memory_max=f"{512 * MB}\n", a__b__memory_max="max\n", a__b__memory_high=f"{900 * MB}\n")
    (tmp_path / "cgroup").write_text("0::/a/b\n")
    found = limited_group(tmp_path / "cgroup", root)
    assert found is not None
    assert (found.limit, found.used) == (512 * MB, root / "a" / "memory.current")


def test_a_container_that_sees_its_own_group_as_the_root_finds_its_limit(tmp_path: Path) -> None:
    root = groups(tmp_path, memory__memory_limit_in_bytes=f"{256 * MB}\n")
    (tmp_path / "cgroup").write_text("9:cpu:/x\n4:memory:/docker/0123\n0::/\n")
    found = limited_group(tmp_path / "cgroup", root)
    assert found is not None
    assert (found.limit, found.used) == (256 * MB, root / "memory" / "memory.usage_in_bytes")


def test_without_a_limit_there_is_no_group(tmp_path: Path) -> None:
    root = groups(tmp_path, memory__memory_limit_in_bytes="9223372036854771712\n", memory_max="max\n")
    (tmp_path / "cgroup").write_text("4:memory:/\n0::/\n")
    assert limited_group(tmp_path / "cgroup", root) is None
    assert limited_group(tmp_path / "no such file", root) is None


def test_copies_of_files_do_not_count_as_used(tmp_path: Path) -> None:
    root = groups(
        tmp_path,
        memory_max=f"{100 * MB}",
        memory_current=f"{90 * MB}",
        memory_stat=f"anon {40 * MB}\ninactive_file {30 * MB}\nactive_file {10 * MB}\n",
    )
    (tmp_path / "cgroup").write_text("0::/\n")
    memory = Memory(1 << 60, limited_group(tmp_path / "cgroup", root))
    assert memory.share() == pytest.approx(0.5)
    (root / "memory.current").write_text(f"{50 * MB}")  # far from the limit: nobody looks how much of it is files
    assert memory.share() == pytest.approx(0.5)


def test_a_worker_without_a_container_has_its_own_part() -> None:
    assert worker_limit(512, 4) == 128 * MB
    assert worker_limit(0, 2) > 128 * MB  # half of the machine
    memory = Memory(worker_limit(512, 4), None)
    assert memory.share() == pytest.approx(memory.resident() / (128 * MB), rel=0.2)
