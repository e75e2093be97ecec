"""The installation's sealing key on disk."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from narthex.contracts.errors import Misconfigured
from narthex.runtime.sealing import open_sealing_key, read_sealing_key, write_sealing_key


def test_parts_that_start_together_get_one_key(tmp_path: Path) -> None:
    path = tmp_path / "new" / "sealing.key"
    with ThreadPoolExecutor(8) as threads:
        keys = set(threads.map(lambda _: open_sealing_key(path, ""), range(8)))
    assert keys == {read_sealing_key(path)}
    assert path.stat().st_mode & 0o777 == 0o600
    assert [file.name for file in path.parent.iterdir()] == ["sealing.key"]


def test_a_key_that_is_there_stays(tmp_path: Path) -> None:
    path = tmp_path / "sealing.key"
    path.write_text("ab" * 32)
    write_sealing_key(path)
    assert open_sealing_key(path, "much depends on it") == b"\xab" * 32


def test_a_key_that_something_depends_on_is_not_made_anew(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match=r"missing, and ten secrets are sealed under it\. Put it back"):
        open_sealing_key(tmp_path / "sealing.key", "ten secrets are sealed under it")
    assert not list(tmp_path.iterdir())
