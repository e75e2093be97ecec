"""What `narthex up` runs: commands, environments, configurations."""

import hashlib
from collections.abc import Iterator
from dataclasses import is_dataclass
from itertools import count
from pathlib import Path

import pytest
from pydantic_settings import BaseSettings

from narthex.bus.permissions import ROLES
from narthex.contracts.reach import parse_reach
from narthex.routing.users import VALKEY_USERS
from narthex.runtime.embedded.credentials import Credentials
from narthex.runtime.embedded.directory import DataDirectory
from narthex.runtime.embedded.parts import (
    SERVERS,
    SERVICES,
    STOP_ORDER,
    server_specs,
    service_specs,
    urls,
    valkey_config,
)
from narthex.runtime.embedded.settings import UpSettings
from narthex.runtime.service import load_app
from narthex.runtime.supervisor.plan import Spec

DIRECTORY = DataDirectory(Path("/data"))
CREDENTIALS = Credentials(
    nats={name: f"nats-{name}" for name in ROLES}, valkey={name: f"valkey-{name}" for name in VALKEY_USERS}
)


def services(settings: UpSettings | None = None, inherited: dict[str, str] | None = None) -> dict[str, Spec]:
    specs = service_specs(
        settings or UpSettings(), DIRECTORY, CREDENTIALS, {"nats": 1, "valkey": 2}, inherited or {}, _ports()
    )
    return {spec.name: spec for spec in specs}


def _ports() -> Iterator[int]:
    return count(20000)


def test_every_part_that_runs_is_stopped_and_the_router_first() -> None:
    assert sorted(STOP_ORDER) == sorted([*SERVERS, *SERVICES])
    assert STOP_ORDER[0] == "router"
    assert STOP_ORDER[-2:] == ("valkey", "nats")


def test_a_service_runs_as_in_production_and_never_imports_from_the_current_directory() -> None:
    command = services()["certs"].command

    assert command[1:] == ("-P", "-m", "narthex", "serve", "certs")


@pytest.mark.parametrize("name", SERVICES)
def test_each_service_gets_its_own_credentials_and_admin_port(name: str) -> None:
    environment = services()[name].environment

    assert environment["NARTHEX_NATS_USER"] == name
    assert environment["NARTHEX_NATS_PASSWORD"] == f"nats-{name}"
    assert environment["NARTHEX_NATS_URL"] == "nats://127.0.0.1:1"
    assert environment["NARTHEX_DATA_DIR"] == "/data"
    assert environment["NARTHEX_SEALING_KEY_FILE"] == "/data/sealing.key"
    assert environment["NARTHEX_ADMIN_BIND"] == "127.0.0.1"
    assert len({spec.environment["NARTHEX_ADMIN_PORT"] for spec in services().values()}) == len(SERVICES)


def test_only_what_touches_the_routing_table_knows_where_it_is() -> None:
    knows = {name: spec.environment.get("NARTHEX_REDIS_URL") for name, spec in services().items()}

    assert knows.pop("router") == "redis://router:valkey-router@127.0.0.1:2/0"
    assert knows.pop("certs") == "redis://certs:valkey-certs@127.0.0.1:2/0"
    assert set(knows.values()) == {None}


def test_flags_reach_the_parts_they_are_about() -> None:
    settings = UpSettings(
        domain="apps.example", http_port=80, https_port=443, api_port=9000, bind="0.0.0.0", router_workers=3,
        allow_public=True, log_level="debug",
    )  # fmt: skip

    parts = services(settings)

    registry, router = parts["registry"].environment, parts["router"].environment
    assert registry["NARTHEX_API_BIND"] == router["NARTHEX_ROUTER_BIND"] == "0.0.0.0"
    assert (registry["NARTHEX_API_PORT"], registry["NARTHEX_API_PUBLIC_HTTPS_PORT"]) == ("9000", "443")
    assert registry["NARTHEX_API_ALLOW_PUBLIC"] == "true"
    assert (router["NARTHEX_ROUTER_HTTP_PORT"], router["NARTHEX_ROUTER_HTTPS_PORT"]) == ("80", "443")
    assert router["NARTHEX_ROUTER_WORKERS"] == "3"
    assert all(spec.environment["NARTHEX_DOMAIN"] == "apps.example" for spec in parts.values())
    assert all(spec.environment["NARTHEX_LOG_LEVEL"] == "debug" for spec in parts.values())


def test_nothing_else_of_the_users_environment_is_inherited() -> None:
    inherited = {"PATH": "/bin", "AWS_SECRET_ACCESS_KEY": "x", "PYTHONPATH": "/theirs", "NARTHEX_TOKEN": "nx_secret"}

    environment = services(inherited=inherited)["router"].environment

    assert environment["PATH"] == "/bin"
    assert not {"AWS_SECRET_ACCESS_KEY", "PYTHONPATH", "NARTHEX_TOKEN"} & set(environment)


def test_a_parts_own_settings_reach_it_and_no_other() -> None:
    inherited = {"NARTHEX_AUDIT_STORE": "clickhouse://u:secret@host/db", "NARTHEX_DATABASE_URL": "postgresql://db"}

    parts = services(inherited=inherited)

    assert [name for name, spec in parts.items() if "NARTHEX_AUDIT_STORE" in spec.environment] == ["audit"]
    assert [name for name, spec in parts.items() if "NARTHEX_DATABASE_URL" in spec.environment] == ["registry"]


def test_single_sign_on_of_the_users_environment_reaches_the_registry_alone() -> None:
    parts = services(inherited={"NARTHEX_SINGLE_SIGN_ON_ISSUER": "https://id.example"})

    assert [name for name, spec in parts.items() if "NARTHEX_SINGLE_SIGN_ON_ISSUER" in spec.environment] == ["registry"]


# Of several machines only, or said in the URL that we make.
NOT_OF_ONE_MACHINE = {
    "NARTHEX_STOP_DELAY_S",
    "NARTHEX_NATS_REPLICAS",
    "NARTHEX_REDIS_PASSWORD",
    "NARTHEX_REDIS_TIMEOUT_S",
}
# Of the streams, which the registry makes.
NOT_OF_EVERY_PART = {"NARTHEX_NATS_REQUESTS_MAX_BYTES"}


def variables(config: object) -> set[str]:
    """All that a part's settings are read from."""
    found = set()
    for group in vars(config).values():
        if isinstance(group, BaseSettings):
            found |= {f"{group.model_config['env_prefix']}{name}".upper() for name in type(group).model_fields}
        elif is_dataclass(group):
            found |= variables(group)
    return found


@pytest.mark.parametrize("name", SERVICES)
def test_every_setting_of_a_part_reaches_it_or_is_set_here(name: str) -> None:
    own = variables(load_app(name).Config())
    environment = services(inherited=dict.fromkeys(own, "theirs"))[name].environment

    lacking = own - environment.keys() - NOT_OF_ONE_MACHINE
    assert lacking == (set() if name == "registry" else NOT_OF_EVERY_PART)


def test_where_traces_go_reaches_every_part() -> None:
    parts = services(inherited={"NARTHEX_TRACES_ENDPOINT": "http://collector:4318"})

    assert {spec.environment["NARTHEX_TRACES_ENDPOINT"] for spec in parts.values()} == {"http://collector:4318"}


def test_the_child_servers_run_inside_their_own_directory() -> None:
    binaries = {"nats": Path("/bin/nats-server"), "valkey": Path("/bin/valkey-server")}

    nats, valkey = server_specs(DIRECTORY, binaries, {"PATH": "/bin", "SECRET": "x"}, _ports())

    assert (nats.command, nats.directory) == (("/bin/nats-server", "--config", "nats.conf"), "/data/nats")
    assert (valkey.command, valkey.directory) == (("/bin/valkey-server", "valkey.conf"), "/data/valkey")
    assert nats.environment == valkey.environment == {"PATH": "/bin"}
    assert nats.admin_port is None


def test_valkey_knows_its_users_by_digest_only_and_no_default_user() -> None:
    config = valkey_config(6379, {"router": "secret"})

    assert "user default off\n" in config
    assert f"user router on #{hashlib.sha256(b'secret').hexdigest()} resetchannels ~nx:table:* " in config
    assert "secret" not in config
    assert "bind 127.0.0.1\nport 6379\n" in config
    assert "appendonly yes\nappendfsync everysec\n" in config


@pytest.mark.parametrize(
    ("bind", "api"),
    [
        ("127.0.0.1", "http://127.0.0.1:8000"),
        ("0.0.0.0", "http://127.0.0.1:8000"),
        ("::", "http://[::1]:8000"),
        ("10.1.2.3", "http://10.1.2.3:8000"),
    ],
)
def test_the_api_is_shown_at_an_address_that_can_be_called(bind: str, api: str) -> None:
    assert urls(UpSettings(bind=bind))["api"] == api


def test_services_are_shown_under_the_domain() -> None:
    assert urls(UpSettings(domain="apps.example"))["https"] == "https://<service-id>.services.apps.example:8443"


def test_no_instance_may_be_where_the_installation_itself_listens() -> None:
    parts = services(inherited={"NARTHEX_INSTANCES_DENY": "10.9.0.0/16"})
    denied = {parts[name].environment["NARTHEX_INSTANCES_DENY"] for name in ("registry", "router", "healthcheck")}
    assert len(denied) == 1
    reach = parse_reach("", denied.pop())
    for port in (8000, 8080, 8443, 1, *(spec.port for spec in parts.values())):
        assert reach.refusal("127.0.0.1", port)
    assert reach.refusal("10.9.1.1", 9000)
    assert not reach.refusal("127.0.0.1", 9000)
    assert not reach.refusal("127.0.1.1", 8000)
