"""`narthex up` that cannot start: one sentence, exit code 2, nothing left behind."""

import json
import socket
from pathlib import Path

import pytest

from narthex.runtime.embedded import UpSettings, up
from narthex.runtime.embedded.command import prepare
from narthex.runtime.embedded.directory import DataDirectory
from narthex.runtime.embedded.ports import free_ports


@pytest.fixture(autouse=True)
def own_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


def settings(data_dir: Path, **changed: object) -> UpSettings:
    ports = free_ports(set())
    chosen = {"http_port": next(ports), "https_port": next(ports), "api_port": next(ports), "data_dir": data_dir}
    return UpSettings.model_validate({**chosen, **changed})


def test_a_refused_start_says_one_sentence_and_leaves_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        code = up(settings(tmp_path / "data", https_port=port))

    said = capsys.readouterr()
    assert code == 2
    assert said.err == (
        f"narthex up: port {port} is taken on 127.0.0.1: stop what uses it, or choose another with --https-port\n"
    )
    assert said.out == ""
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not Path("/proc/sys/kernel").is_dir(), reason="needs a place where even root cannot make a file")
def test_a_place_that_turns_out_not_to_be_writable_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    code = up(settings(Path("/proc/narthex")))

    said = capsys.readouterr().err
    assert code == 2
    assert said.startswith("narthex up: cannot write to /proc/narthex: ")
    assert said.endswith("; choose another with --data-dir\n")
    assert said.count("\n") == 1


def test_what_is_prepared_is_readable_by_its_owner_only(tmp_path: Path) -> None:
    directory = DataDirectory(tmp_path / "data")
    directory.root.mkdir()

    plan = prepare(settings(directory.root), directory, {"PATH": "/bin"})

    secrets = ["sealing.key", "credentials.json", "nats/nats.conf", "valkey/valkey.conf"]
    assert directory.root.stat().st_mode & 0o777 == 0o700
    assert {(directory.root / path).stat().st_mode & 0o777 for path in secrets} == {0o600}
    assert plan.urls["api"].startswith("http://127.0.0.1:")


def test_preparing_again_keeps_the_key_and_the_passwords(tmp_path: Path) -> None:
    directory = DataDirectory(tmp_path)
    chosen = settings(directory.root)

    prepare(chosen, directory, {})
    before = directory.sealing_key.read_text(), directory.credentials.read_text()
    prepare(chosen, directory, {})

    assert (directory.sealing_key.read_text(), directory.credentials.read_text()) == before


def test_the_command_line_knows_the_installation_once_it_is_ready(tmp_path: Path) -> None:
    directory = DataDirectory(tmp_path)
    chosen = settings(directory.root)
    user_file = tmp_path / "config" / "narthex" / "profiles.json"

    plan = prepare(chosen, directory, {})

    assert not user_file.exists()  # a start that fails leaves the command with the installation it knew
    profile = json.loads(plan.profiles[str(tmp_path / "profile.json")])
    assert str(chosen.api_port) in profile["api_url"]
    assert json.loads(plan.profiles[str(user_file)])["profiles"]["local"]["data_dir"] == str(tmp_path)
