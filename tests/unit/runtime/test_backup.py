"""Backups: what is in them, what they notice, and where they may be put back."""

import fcntl
import io
import json
import os
import sqlite3
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from narthex.contracts.errors import Misconfigured
from narthex.runtime.backup import place, restore, take
from narthex.runtime.backup.archive import MANIFEST, check


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A data directory as `narthex up` leaves it, with contents that say where they were."""
    home = tmp_path / "home"
    for name in ("sealing.key", "admin.token", "credentials.json", "ca/root.pem", "ca.before-1/root.pem"):
        write(home / name)
    for name in ("certs/acme/account/a.json", "audit/store/status", "audit/store/data/part.bin"):
        write(home / name)
    for name in ("nats/store/stream", "valkey/appendonly", "router/table.copy", "logs/registry.log", "lock"):
        write(home / name)
    (home / "registry").mkdir()
    with sqlite3.connect(home / "registry" / "registry.db") as database:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("CREATE TABLE things (name TEXT)")
        database.execute("INSERT INTO things VALUES ('kept')")
    return home


def write(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"contents of {path.name}")
    path.chmod(0o600)


def files(home: Path) -> dict[str, bytes]:
    return {str(each.relative_to(home)): each.read_bytes() for each in home.rglob("*") if each.is_file()}


def things(database: Path) -> list[str]:
    connection = sqlite3.connect(database)
    try:
        return [name for (name,) in connection.execute("SELECT name FROM things")]
    finally:
        connection.close()


def test_what_cannot_be_made_again_comes_back_and_the_rest_does_not(home: Path, tmp_path: Path) -> None:
    archive, new = tmp_path / "backup.tar", tmp_path / "new"
    manifest = take(archive, place(home))
    assert manifest.left_out == {}
    assert archive.stat().st_mode & 0o777 == 0o600
    restore(archive, place(new))
    before, after = files(home), files(new)
    assert things(new / "registry" / "registry.db") == ["kept"]
    derived = ("nats/", "valkey/", "router/", "logs/", "lock", "registry/")
    assert {name: text for name, text in after.items() if not name.startswith("registry/")} == {
        name: text for name, text in before.items() if not name.startswith(derived)
    }
    assert (new / "sealing.key").stat().st_mode & 0o777 == 0o600
    assert not list(tmp_path.glob(".backup-*"))


def test_a_change_that_is_not_in_the_databases_file_yet_is_in_the_backup(home: Path, tmp_path: Path) -> None:
    writer = sqlite3.connect(home / "registry" / "registry.db")
    try:
        writer.execute("INSERT INTO things VALUES ('in the log beside it')")
        writer.commit()
        writer.execute("INSERT INTO things VALUES ('not committed')")
        take(tmp_path / "backup.tar", place(home))
    finally:
        writer.close()
    restore(tmp_path / "backup.tar", place(tmp_path / "new"))
    assert things(tmp_path / "new" / "registry" / "registry.db") == ["kept", "in the log beside it"]


def test_without_the_key_it_says_so(home: Path, tmp_path: Path) -> None:
    manifest = take(tmp_path / "backup.tar", place(home), with_key=False)
    assert "sealing.key" not in manifest.files
    assert "sealing key" in check(tmp_path / "backup.tar").left_out


def test_a_log_store_that_is_open_is_left_out(home: Path, tmp_path: Path) -> None:
    held = os.open(home / "audit" / "store" / "status", os.O_RDWR)
    fcntl.flock(held, fcntl.LOCK_EX)
    try:
        manifest = take(tmp_path / "backup.tar", place(home))
    finally:
        os.close(held)
    assert manifest.left_out == {"request log": "audit is running: stop it to have the log in a backup"}
    assert not any(name.startswith("audit/") for name in manifest.files)


def test_the_key_is_where_the_settings_say(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = tmp_path / "secrets" / "key"
    write(elsewhere)
    monkeypatch.setenv("NARTHEX_SEALING_KEY_FILE", str(elsewhere))
    take(tmp_path / "backup.tar", place(home))
    restore(tmp_path / "backup.tar", place(tmp_path / "new"))
    assert (tmp_path / "new" / "sealing.key").read_bytes() == elsewhere.read_bytes()


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (lambda data: data.replace(b"contents of root.pem", b"contents of evil.pem"), "damaged: ca"),
        (lambda data: data[: len(data) // 2], "backup"),
        (lambda data: data[:-20480], "backup"),
        (lambda data: b"", "no backup of Narthex"),
        (lambda data: b"x" * 4096, "no backup of Narthex"),
        (lambda data: data.replace(b'"format": 1', b'"format": 2'), "format 2; this release reads 1"),
        (lambda data: data.replace(b'"format"', b'"formas"'), "format None"),
    ],
    ids=["changed", "cut", "without a manifest", "empty", "something else", "of a later release", "of nobody's"],
)
def test_an_archive_that_is_not_what_was_written_is_not_put_back(
    home: Path, tmp_path: Path, spoil: Callable[[bytes], bytes], sentence: str
) -> None:
    archive = tmp_path / "backup.tar"
    take(archive, place(home))
    archive.write_bytes(spoil(archive.read_bytes()))
    with pytest.raises(Misconfigured, match=sentence):
        restore(archive, place(tmp_path / "new"))
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("name", ["../out", "/etc/out", "ca/../../out", "ca//out", "./out", ".."])
def test_a_file_that_would_be_put_elsewhere_makes_it_no_backup(tmp_path: Path, name: str) -> None:
    archive = tmp_path / "backup.tar"
    manifest = {"release": "1", "made_at": "now", "database": "sqlite", "files": {name: "0"}, "format": 1}
    with tarfile.open(archive, "w") as tar:
        for each, text in ((name, b"evil"), (MANIFEST, json.dumps(manifest).encode())):
            info = tarfile.TarInfo(each)
            info.size = len(text)
            tar.addfile(info, io.BytesIO(text))
    with pytest.raises(Misconfigured, match="is not one of its files"):
        restore(archive, place(tmp_path / "new"))


def test_a_link_makes_it_no_backup(tmp_path: Path) -> None:
    archive = tmp_path / "backup.tar"
    with tarfile.open(archive, "w") as tar:
        info = tarfile.TarInfo("ca")
        info.type, info.linkname = tarfile.SYMTYPE, "/etc"
        tar.addfile(info)
    with pytest.raises(Misconfigured, match="ca is not one of its files"):
        restore(archive, place(tmp_path / "new"))


def test_nothing_is_put_over_what_is_there(home: Path, tmp_path: Path) -> None:
    take(tmp_path / "backup.tar", place(home))
    with pytest.raises(Misconfigured, match=r"is not empty \(admin.token, audit, ca\): restore into a new directory"):
        restore(tmp_path / "backup.tar", place(home))


def test_an_empty_volume_is_a_place_to_restore_to(home: Path, tmp_path: Path) -> None:
    take(tmp_path / "backup.tar", place(home))
    (tmp_path / "volume" / "lost+found").mkdir(parents=True)
    restore(tmp_path / "backup.tar", place(tmp_path / "volume"))
    assert things(tmp_path / "volume" / "registry" / "registry.db") == ["kept"]


@pytest.mark.parametrize(
    ("missing", "sentence"),
    [("registry/registry.db", "there is no database at"), ("sealing.key", "there is no sealing key at")],
)
def test_a_backup_without_what_it_is_for_is_not_written(
    home: Path, tmp_path: Path, missing: str, sentence: str
) -> None:
    (home / missing).unlink()
    with pytest.raises(Misconfigured, match=sentence):
        take(tmp_path / "backup.tar", place(home))
    assert list(tmp_path.iterdir()) == [home]


def test_a_place_that_cannot_be_written_is_a_sentence(home: Path, tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="there is no directory"):
        take(tmp_path / "nowhere" / "backup.tar", place(home))


def test_a_backup_of_one_kind_of_database_is_not_put_into_the_other(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    take(tmp_path / "backup.tar", place(home))
    monkeypatch.setenv("NARTHEX_DATABASE_URL", "postgresql://u@127.0.0.1:1/d")
    with pytest.raises(Misconfigured, match="of a sqlite database and NARTHEX_DATABASE_URL names a postgresql one"):
        restore(tmp_path / "backup.tar", place(tmp_path / "new"))


def test_a_file_or_a_link_that_somebody_has_put_where_a_backup_goes_gets_nothing_of_it(
    home: Path, tmp_path: Path
) -> None:
    shared, elsewhere = tmp_path / "shared", tmp_path / "elsewhere"
    shared.mkdir()
    elsewhere.write_text("theirs")
    planted = shared / ".backup.tar.new"  # the draft's name, when it could be known
    planted.write_text("theirs")
    planted.chmod(0o666)
    (shared / "backup.tar").symlink_to(elsewhere)
    take(shared / "backup.tar", place(home))
    assert planted.read_text() == elsewhere.read_text() == "theirs"
    assert not (shared / "backup.tar").is_symlink()
    assert (shared / "backup.tar").stat().st_mode & 0o777 == 0o600
    assert check(shared / "backup.tar").files


@pytest.mark.parametrize("manifest", [b"[]", b"1", b"null", b'"x"', b"{}", b'{"format": 1}', b"{", b"\xff"])
def test_a_manifest_that_is_none_is_a_sentence_and_nothing_is_written(tmp_path: Path, manifest: bytes) -> None:
    with tarfile.open(tmp_path / "backup.tar", "w") as tar:
        info = tarfile.TarInfo(MANIFEST)
        info.size = len(manifest)
        tar.addfile(info, io.BytesIO(manifest))
    with pytest.raises(Misconfigured):
        restore(tmp_path / "backup.tar", place(tmp_path / "new"))
    assert not (tmp_path / "new").exists()
