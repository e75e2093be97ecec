"""Secrets from files: which setting is wrong is in the sentence, the secret never."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from narthex.bus import BusSettings
from narthex.contracts.errors import Misconfigured
from narthex.runtime.settings import TableSettings, with_password


def test_a_secret_is_read_from_the_file_that_its_variable_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "password").write_text("hush hush\n")
    monkeypatch.setenv("NARTHEX_NATS_PASSWORD_FILE", str(tmp_path / "password"))
    assert BusSettings().password.get_secret_value() == "hush hush"


def test_a_file_that_is_missing_or_empty_is_said_with_its_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "password"
    monkeypatch.setenv("NARTHEX_NATS_PASSWORD_FILE", str(path))
    with pytest.raises(Misconfigured, match=r"NARTHEX_NATS_PASSWORD_FILE: cannot read .*: No such file"):
        BusSettings()
    path.write_text("\n")
    with pytest.raises(Misconfigured, match=r"NARTHEX_NATS_PASSWORD_FILE: .* is empty"):
        BusSettings()


def test_a_secret_and_a_file_for_it_are_one_too_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NARTHEX_NATS_PASSWORD", "hush")
    monkeypatch.setenv("NARTHEX_NATS_PASSWORD_FILE", str(tmp_path / "password"))
    with pytest.raises(Misconfigured, match="leave one of them out"):
        BusSettings()


def test_only_secrets_are_read_from_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NARTHEX_NATS_USER_FILE", str(tmp_path / "none"))
    assert BusSettings().user == ""


@pytest.mark.parametrize(
    ("url", "password", "whole"),
    [
        ("redis://router@valkey:6379/0", "p@ss/word", "redis://router:p%40ss%2Fword@valkey:6379/0"),
        ("redis://valkey:6379/0", "p", "redis://:p@valkey:6379/0"),
        ("redis://router:old@[fd00::1]:6379/0", "new", "redis://router:new@[fd00::1]:6379/0"),
        ("redis://router:old@valkey/0", "", "redis://router:old@valkey/0"),
        ("chdb:///var/lib/narthex", "p", "chdb:///var/lib/narthex"),
    ],
)
def test_a_password_that_is_kept_apart_goes_into_the_url(url: str, password: str, whole: str) -> None:
    assert with_password(url, SecretStr(password)) == whole


def test_the_table_has_its_password_from_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "password").write_text("hush")
    monkeypatch.setenv("NARTHEX_REDIS_URL", "redis://router@valkey:6379/0")
    monkeypatch.setenv("NARTHEX_REDIS_PASSWORD_FILE", str(tmp_path / "password"))
    assert TableSettings().address == "redis://router:hush@valkey:6379/0"
