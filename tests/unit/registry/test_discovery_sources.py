"""How the sources of discovery are read: files, containers, slices, kubeconfigs."""

import base64
from pathlib import Path
from typing import Any

import pytest
import yaml

from narthex_registry.discovery.docker.container import Reading, inspected
from narthex_registry.discovery.entries import Malformed, read
from narthex_registry.discovery.found import Away
from narthex_registry.discovery.kubernetes.cluster import ACCOUNT, IN_CLUSTER, open_cluster

# -- files --------------------------------------------------------------------------------------------------

FILE = b"""
deployments:
  hello:
    v1:
      - address: 10.0.0.5
        port: 9000
        weight: 2
        metadata: {rack: a1}
      - {address: 10.0.0.6, id: 7, draining: true}
projects:
  team-a:
    hello: {v1: [{address: fd00::1}]}
"""


def test_a_file_names_instances_by_project_deployment_and_version() -> None:
    seen = read(FILE, "default")
    assert not seen.refused
    assert [(str(each.target), each.id, each.port, each.weight, each.draining) for each in seen.found] == [
        ("default/hello/v1", "10.0.0.5:9000", 9000, 2, False),
        ("default/hello/v1", "7", None, 1, True),
        ("team-a/hello/v1", "fd00::1", None, 1, False),
    ]


def test_an_entry_may_say_what_the_instance_answers_when_it_is_asked_who_it_is() -> None:
    content = b"deployments: {hello: {v1: [{address: 10.0.0.5, identity: 0123456789abcdef}, {address: 10.0.0.6}]}}"
    assert [each.identity for each in read(content, "default").found] == ["0123456789abcdef", None]


@pytest.mark.parametrize(
    ("entry", "why"),
    [
        ("10.0.0.5", "must be a mapping with an address"),
        ("{port: 9000}", "address: Field required"),
        ("{address: 10.0.0.7, port: '9000'}", "port: Input should be a valid integer"),
        ("{address: 10.0.0.7, prot: 9000}", "prot: Extra inputs are not permitted"),
        ("{address: 10.0.0.5}", "there is another instance with the same id, or the same address and port"),
    ],
)
def test_an_entry_that_is_wrong_is_refused_and_the_others_are_not(entry: str, why: str) -> None:
    seen = read(f"deployments: {{hello: {{v1: [{{address: 10.0.0.5}}, {entry}]}}}}".encode(), "default")
    assert [each.address for each in seen.found] == ["10.0.0.5"]
    [refused] = seen.refused
    assert (refused.what, refused.why) == ("default/hello/v1[1]", why)


def test_names_that_the_api_would_not_take_are_refused() -> None:
    seen = read(b"deployments: {'imported:x': {imported: [{address: 10.0.0.5}]}}", "default")
    assert not seen.found
    assert seen.refused[0].why.startswith("deployment: must be 1 to 64 characters")


@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b"deployments: []", b"deployments: {1: {}}", b"a: b", b"deployments: {x: 1}", b"\x00", b"{" * 3_000],
    ids=lambda content: str(content[:20]),
)
def test_what_is_no_such_file_is_malformed(content: bytes) -> None:
    with pytest.raises(Malformed):
        read(content, "default")


def test_aliases_that_multiply_are_no_way_to_fill_the_memory() -> None:
    lines = ["a0: &a0 [{address: 10.0.0.1}]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    with pytest.raises(Malformed):
        read("\n".join(lines).encode(), "default")


# -- containers ---------------------------------------------------------------------------------------------

LABELS = {"narthex.deployment": "hello", "narthex.version": "v1", "narthex.port": "9000"}


def container(labels: dict[str, str] | None = None, **more: Any) -> dict[str, Any]:
    return {
        "Id": "c0ffee",
        "Name": "/web",
        "State": {"Running": True},
        "Config": {"Labels": LABELS if labels is None else labels},
        "NetworkSettings": {"Networks": {"bridge": {"IPAddress": "172.17.0.2"}}, "Ports": {}},
        **more,
    }


def test_a_container_is_at_its_own_address() -> None:
    found = Reading("default", "").found(inspected(container()), stopping=False)
    assert (str(found.target), found.id) == ("default/hello/v1", "c0ffee")
    assert (found.address, found.port) == ("172.17.0.2", 9000)


def test_or_at_its_published_port_where_the_engine_is_elsewhere() -> None:
    ports = {"9000/tcp": [{"HostIp": "0.0.0.0", "HostPort": "32768"}]}
    raw = container(NetworkSettings={"Ports": ports})
    found = Reading("default", "10.0.0.7").found(inspected(raw), stopping=False)
    assert (found.address, found.port) == ("10.0.0.7", 32768)


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (container({"narthex.deployment": "hello"}), "the label narthex.version is missing or empty"),
        (container({**LABELS, "narthex.port": "http"}), "the label narthex.port must be a number"),
        (container({**LABELS, "narthex.network": "front"}), "it has no address in the network of its label"),
        (container(NetworkSettings={"Networks": {"a": {"IPAddress": "10.1.0.1"}, "b": {"IPAddress": "10.2.0.1"}}}),
         "it is in several networks"),
        (container(NetworkSettings={"Networks": {"host": {"IPAddress": ""}}}), "it has no address of its own"),
    ],
)  # fmt: skip
def test_a_container_that_cannot_be_reached_says_why(raw: dict[str, Any], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        Reading("default", "").found(inspected(raw), stopping=False)


def test_a_container_says_that_it_is_of_a_project_and_only_of_those_that_may_be_said() -> None:
    foreign = inspected(container({**LABELS, "narthex.project": "team-b"}))
    assert str(Reading("default", "").found(foreign, stopping=False).target) == "team-b/hello/v1"
    narrow = Reading("default", "", frozenset({"team-a"}))
    with pytest.raises(ValueError, match=r"PROJECTS lacks the project of the label narthex\.project"):
        narrow.found(foreign, stopping=False)
    own = inspected(container({**LABELS, "narthex.project": "team-a"}))
    assert str(narrow.found(own, stopping=False).target) == "team-a/hello/v1"
    assert str(narrow.found(inspected(container()), stopping=False).target) == "default/hello/v1"


@pytest.mark.parametrize(
    ("state", "serves"),
    [
        ({"Running": True}, True),
        ({"Running": False}, False),
        ({"Running": True, "Paused": True}, False),
        ({"Running": True, "Health": {"Status": "starting"}}, False),
        ({"Running": True, "Health": {"Status": "healthy"}}, True),
        ({"Running": True, "Health": {"Status": "unhealthy"}}, False),
    ],
)
def test_a_container_serves_when_it_runs_and_its_own_check_passes(state: dict[str, Any], serves: bool) -> None:
    assert inspected(container(State=state)).serves is serves


def test_the_signal_that_a_container_wants_to_be_stopped_with_counts() -> None:
    assert inspected(container()).stop_signals == {"9", "15"}
    assert inspected(container(Config={"Labels": LABELS, "StopSignal": "SIGQUIT"})).stop_signals == {"9", "3"}


# -- clusters -----------------------------------------------------------------------------------------------


def described(user: dict[str, Any]) -> dict[str, Any]:
    cluster = {"server": "https://k8s", "certificate-authority-data": base64.b64encode(b"pem").decode()}
    return {
        "current-context": "here",
        "contexts": [{"name": "here", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": cluster}],
        "users": [{"name": "u", "user": user}],
    }


def test_a_kubeconfig_says_where_and_who(tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.write_text(yaml.safe_dump(described({"tokenFile": "token"})))
    (tmp_path / "token").write_text("abc\n")
    cluster = open_cluster(str(config), "")
    assert (cluster.server, cluster.ca, cluster.headers()) == ("https://k8s", b"pem", {"Authorization": "Bearer abc"})


@pytest.mark.parametrize(
    ("content", "context", "why"),
    [
        ("nonsense: [", "", "cannot be used"),
        (yaml.safe_dump(described({"exec": {"command": "aws"}})), "", "gets its credentials from a program"),
        (yaml.safe_dump(described({})), "there", "contexts has no there"),
    ],
)
def test_a_kubeconfig_that_is_of_no_use_says_why(tmp_path: Path, content: str, context: str, why: str) -> None:
    config = tmp_path / "config"
    config.write_text(content)
    with pytest.raises(Away) as caught:
        open_cluster(str(config), context)
    assert why in caught.value.reason


def test_in_a_pod_the_account_is_where_kubernetes_puts_it() -> None:
    there = {"KUBERNETES_SERVICE_HOST": "fd00::1", "KUBERNETES_SERVICE_PORT": "6443"}
    cluster = open_cluster(IN_CLUSTER, "", there)
    assert (cluster.server, cluster.token) == ("https://[fd00::1]:6443", ACCOUNT / "token")
    with pytest.raises(Away, match="this process is in no pod"):
        open_cluster(IN_CLUSTER, "", {})
