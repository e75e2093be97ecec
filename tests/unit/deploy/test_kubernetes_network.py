"""The arrows of the picture: what NetworkPolicies let through is this table, and nothing else."""

from collections.abc import Iterator

import pytest
from unit.deploy.cluster import PARTS, Place, Rendered, may_speak, pod, rendered

CLIENTS = {8080, 8443}  # at the routers, for whoever is not one of us
SERVERS = ("nats", "valkey", "postgresql", "clickhouse")

# Who may open a connection to whom, at which ports. `dns` is reached over UDP as well.
ARROWS: dict[str, dict[str, set[int]]] = {
    "ingress": {"registry": {8000}},
    "prometheus": {part: {9100} for part in PARTS},
    "registry": {"dns": {53}, "nats": {4222}, "postgresql": {5432}, "internet": {80, 443}, "api server": {6443}},
    "router": {"dns": {53}, "nats": {4222}, "valkey": {6379}, "instance": {22, 9000}, "internet": {443}},
    "healthcheck": {"dns": {53}, "nats": {4222}, "instance": {22, 9000}},
    "certs": {"dns": {53}, "nats": {4222}, "valkey": {6379}, "internet": {443}},
    "audit": {"dns": {53}, "nats": {4222}, "clickhouse": {8123, 8443}},
}

PORTS: dict[str, set[int]] = {
    **{part: {22, 8000, 8080, 8443, 9100} for part in PARTS},
    **{server: {22, 4222, 5432, 6379, 8123, 8222, 8443, 9100} for server in SERVERS},
    "instance": {22, 9000},
    "dns": {53},
    "internet": {22, 25, 80, 443, 4222, 6379, 8443},
    "api server": {80, 443, 6443, 10250},
    "metadata service": {80, 443},
    "another machine": {22, 80, 443, 4222, 5432, 6379},
    "stranger": {80, 443, 8000, 9100},
}


def places(overlay: Rendered) -> dict[str, Place]:
    """Everybody there is: our pods by the labels that they have, and others."""
    parts = {part: overlay.workload(part)["spec"]["template"]["metadata"]["labels"] for part in PARTS}
    # In production the servers that are pods are in a namespace of their own.
    home = "narthex" if overlay.overlay == "dev" else "data"
    servers = [pod(name, {"narthex.server": name}, home, servers="allowed") for name in SERVERS]
    everybody = (
        *(pod(name, labels, servers="allowed") for name, labels in parts.items()),
        *servers,
        pod("instance", {"app": "model"}, "team-a", instances="allowed"),
        pod("ingress", {"app": "ingress"}, "ingress", api="allowed"),
        pod("prometheus", {"app": "prometheus"}, "monitoring", monitoring="allowed"),
        # Anybody may label a pod of theirs; namespaces are the administrators'.
        pod("stranger", {"narthex.server": "nats", "app.kubernetes.io/part-of": "narthex"}, "team-b"),
        pod("dns", {"k8s-app": "kube-dns"}, "kube-system"),
        Place("client", address="203.0.113.9"),
        Place("internet", address="198.51.100.9"),
        Place("api server", address="10.0.0.1"),
        Place("metadata service", address="169.254.169.254"),
        Place("another machine", address="10.1.2.3"),
    )
    return {each.name: each for each in everybody}


def arrows(overlay: Rendered) -> Iterator[tuple[str, str, int]]:
    """All connections that come through, of all that are thought of here."""
    everybody, policies = places(overlay), overlay.of("NetworkPolicy")
    for source in everybody.values():
        for target, ports in PORTS.items():
            if source.name == target or "narthex" not in (source.namespace, everybody[target].namespace):
                continue
            yield from (
                (source.name, target, port) for port in ports if may_speak(policies, source, everybody[target], port)
            )


@pytest.mark.parametrize("name", ["dev", "production"])
def test_the_arrows_are_those_of_the_table(name: str) -> None:
    overlay = rendered(name)
    expected = {(source, target, port) for source, to in ARROWS.items() for target, at in to.items() for port in at}
    clients = [each.name for each in places(overlay).values() if each.namespace != "narthex"]
    expected |= {(client, "router", port) for client in clients for port in CLIENTS}
    if name == "dev":  # there is no ClickHouse, so nothing lets anybody into one
        expected -= {arrow for arrow in expected if arrow[1] == "clickhouse"}
    assert set(arrows(overlay)) == expected


def test_servers_outside_of_the_cluster_are_for_the_parts_that_need_them() -> None:
    overlay = rendered("production")
    policies, everybody = overlay.of("NetworkPolicy"), places(overlay)
    servers = {
        "nats": ("10.20.10.1", 4222, set(PARTS)),
        "valkey": ("10.20.10.17", 6379, {"router", "certs"}),
        "postgresql": ("10.20.10.33", 5432, {"registry"}),
        "clickhouse": ("10.20.10.49", 8443, {"audit"}),
    }
    for name, (address, port, expected) in servers.items():
        server = Place(name, address=address)
        assert {part for part in PARTS if may_speak(policies, everybody[part], server, port)} == expected


def test_names_are_looked_up_over_udp_too() -> None:
    overlay = rendered("dev")
    everybody = places(overlay)
    for part in PARTS:
        assert may_speak(overlay.of("NetworkPolicy"), everybody[part], everybody["dns"], 53, "UDP")
        assert not may_speak(overlay.of("NetworkPolicy"), everybody[part], everybody["nats"], 4222, "UDP")


def test_the_addresses_that_are_not_the_internet_are_left_out() -> None:
    overlay = rendered("dev")
    everybody = places(overlay)
    for part in ("registry", "router", "certs"):
        for address in (
            "10.0.0.9",
            "172.16.0.1",
            "192.168.1.1",
            "100.64.0.1",
            "127.0.0.1",
            "169.254.169.254",
            "fd00::1",
        ):
            assert not may_speak(overlay.of("NetworkPolicy"), everybody[part], Place("x", address=address), 443)
        for address in ("8.8.8.8", "2001:4860:4860::8888"):
            assert may_speak(overlay.of("NetworkPolicy"), everybody[part], Place("x", address=address), 443)
