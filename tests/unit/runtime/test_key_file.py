"""The installation's sealing keys on disk, and how one follows another."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest

from narthex.contracts.errors import Misconfigured
from narthex.runtime.key_file import (
    follow_keys,
    lines,
    new_key,
    open_sealing_keys,
    parse,
    promoted,
    read_keys,
    read_sealing_keys,
    replace_keys,
    staged,
    without,
    write_sealing_key,
)
from narthex.runtime.sealing import Sealer
from narthex.runtime.tasks import background
from narthex.testing.clock import ManualClock

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def test_parts_that_start_together_get_one_key(tmp_path: Path) -> None:
    path = tmp_path / "new" / "sealing.key"
    with ThreadPoolExecutor(8) as threads:
        keys = set(threads.map(lambda _: open_sealing_keys(path, ""), range(8)))
    assert keys == {read_sealing_keys(path)}
    assert path.stat().st_mode & 0o777 == 0o600
    assert [file.name for file in path.parent.iterdir()] == ["sealing.key"]


def test_a_key_that_is_there_stays(tmp_path: Path) -> None:
    path = tmp_path / "sealing.key"
    path.write_text("ab" * 32)
    write_sealing_key(path)
    assert open_sealing_keys(path, "much depends on it") == (b"\xab" * 32,)


def test_a_key_that_something_depends_on_is_not_made_anew(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match=r"missing, and ten secrets are sealed under it\. Put it back"):
        open_sealing_keys(tmp_path / "sealing.key", "ten secrets are sealed under it")
    assert not list(tmp_path.iterdir())


def test_a_new_key_waits_until_everybody_can_read_with_it_and_then_seals_and_the_old_one_still_opens() -> None:
    old = new_key(NOW)

    waiting = staged([old], NOW)
    assert waiting[0].secret == old.secret
    assert [key.next for key in waiting] == [False, True]

    turned = promoted(waiting, NOW)
    assert [key.next for key in turned] == [False, False]
    sealer = Sealer(*(key.secret for key in turned))
    before = Sealer(old.secret).seal(b"secret", "here")
    assert sealer.open(before, "here") == b"secret"
    after = sealer.renewed(before, "here")
    assert Sealer(turned[0].secret).open(after, "here") == b"secret"
    assert sealer.renewed(after, "here") == after
    with pytest.raises(ValueError, match="under another key or for another context"):
        Sealer(old.secret).open(after, "here")
    with pytest.raises(ValueError, match="under another key or for another context"):
        sealer.renewed(before, "elsewhere")

    assert without(turned, old.id) == turned[:1]
    with pytest.raises(Misconfigured, match="is the one that secrets are sealed under"):
        without(turned, turned[0].id)
    with pytest.raises(Misconfigured, match="that waits for its turn"):
        promoted(turned, NOW)
    with pytest.raises(Misconfigured, match="that waits for its turn"):
        staged(waiting, NOW)


def test_the_file_says_of_each_key_since_when_and_whether_it_waits(tmp_path: Path) -> None:
    keys = staged([new_key(NOW)], NOW)
    path = tmp_path / "sealing.key"
    path.write_text("ab" * 32)

    replace_keys(path, keys)

    assert read_keys(path) == keys
    assert path.stat().st_mode & 0o777 == 0o600
    assert [file.name for file in tmp_path.iterdir()] == ["sealing.key"]


@pytest.mark.parametrize(
    "text", ["", "ab", "xy" * 32, f"{'ab' * 32} next", f"{'ab' * 32} 2026-11-23T12:00:00+00:00 soon", "ab" * 33]
)
def test_a_file_that_is_something_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"digits|no key|isoformat"):
        parse(text)


def test_what_is_written_is_read_again() -> None:
    keys = promoted(staged([*parse("ab" * 32)], NOW), NOW)
    assert parse(lines(keys)) == keys


async def test_who_runs_has_the_files_keys_a_moment_later_and_goes_on_while_it_cannot_be_read(tmp_path: Path) -> None:
    path, clock = tmp_path / "sealing.key", ManualClock()
    write_sealing_key(path)
    told: list[tuple[bytes, ...]] = []
    first = read_sealing_keys(path)
    async with background() as tasks:
        tasks.start(follow_keys(path, first, lambda *keys: told.append(keys), clock), "follow")
        await clock.advance(5)
        assert told == []
        path.rename(tmp_path / "away")
        await clock.advance(5)
        assert told == []
        (tmp_path / "away").rename(path)
        replace_keys(path, staged(read_keys(path), NOW))
        await clock.advance(5)
    assert told == [read_sealing_keys(path)]
    assert told[0][0] == first[0]
