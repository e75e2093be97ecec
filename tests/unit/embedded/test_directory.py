"""What lies in the data directory, and who may read it."""

import json
from pathlib import Path

from narthex.runtime.atomic_write import write_atomically
from narthex.runtime.embedded.credentials import keep_credentials
from narthex.runtime.embedded.directory import DataDirectory
from narthex.runtime.supervisor import log


def test_credentials_are_made_once_and_kept(tmp_path: Path) -> None:
    directory = DataDirectory(tmp_path)

    first, again = keep_credentials(directory), keep_credentials(directory)

    assert first == again
    assert directory.credentials.stat().st_mode & 0o777 == 0o600
    assert len(set(first.nats.values()) | set(first.valkey.values())) == len(first.nats) + len(first.valkey)


def test_a_part_of_a_newer_release_gets_a_password_and_the_others_keep_theirs(tmp_path: Path) -> None:
    directory = DataDirectory(tmp_path)
    directory.credentials.write_text(json.dumps({"nats": {"registry": "kept"}}))

    credentials = keep_credentials(directory)

    assert credentials.nats["registry"] == "kept"
    assert len(credentials.nats["router"]) == 48


def test_a_file_is_replaced_whole_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("old")

    write_atomically(path, "new")

    assert path.read_text() == "new"
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_a_log_is_put_aside_when_it_has_grown_large(tmp_path: Path) -> None:
    small, large = tmp_path / "small.log", tmp_path / "large.log"
    small.write_text("x")
    large.write_bytes(b"x" * (log.KEPT_BYTES + 1))

    log.rotate(small)
    log.rotate(large)
    log.rotate(tmp_path / "missing.log")

    assert sorted(path.name for path in tmp_path.iterdir()) == ["large.log.1", "small.log"]


def test_the_last_line_that_says_anything_is_found(tmp_path: Path) -> None:
    path = tmp_path / "x.log"
    path.write_text("first\nnarthex certs: no key\n\n  \n")

    assert log.last_line(path) == "narthex certs: no key"
    assert log.last_line(tmp_path / "missing.log") == ""
