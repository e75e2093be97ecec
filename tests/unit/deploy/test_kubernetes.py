"""The manifests for Kubernetes: taken by each version that is supported, safe, complete, and about this program."""

import re
import subprocess
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
from pydantic import SecretStr
from pydantic_settings import BaseSettings
from unit.deploy.cluster import (
    KUBERNETES,
    OVERLAYS,
    PARTS,
    WORKLOADS,
    Manifest,
    Rendered,
    container_of,
    milli,
    rendered,
    unrestricted,
)

from narthex.bus.permissions import ROLES
from narthex.runtime.embedded.preflight import nats_binary
from narthex.runtime.secret_directory import prepare
from narthex.runtime.service import service_names
from narthex.runtime.settings import ProcessSettings
from narthex_registry.api.server import SHUTDOWN_S
from narthex_registry.config import ApiSettings
from narthex_router.app import LAST_RECORDS_S
from narthex_router.config import BoundSettings, ListenSettings
from narthex_router.workers import KILL_AFTER_S

VERSIONS = ("1.30", "1.34", "1.37")  # the oldest and the newest that is supported, and one between
README = KUBERNETES / "README.md"


@pytest.fixture(scope="module", params=OVERLAYS)
def overlay(request: pytest.FixtureRequest) -> Rendered:
    return rendered(request.param)


@pytest.fixture(params=PARTS)
def part(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def volumes_of(workload: Manifest) -> dict[str, Manifest]:
    spec = workload["spec"]
    claimed = {each["metadata"]["name"]: each for each in spec.get("volumeClaimTemplates", ())}
    return {each["name"]: each for each in spec["template"]["spec"].get("volumes", ())} | claimed


# -- what a cluster takes ---------------------------------------------------------------------------------


@pytest.mark.parametrize("version", VERSIONS)
def test_every_object_is_one_that_this_version_knows(overlay: Rendered, version: str) -> None:
    for each in overlay.objects:
        kubernetes_validate.validate(each, version, strict=True)


def test_a_wrong_field_would_be_noticed(overlay: Rendered) -> None:
    wrong = {**overlay.workload("router"), "spec": {**overlay.workload("router")["spec"], "replica": 2}}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, VERSIONS[0], strict=True)


def test_the_documentation_names_the_versions_that_are_checked() -> None:
    assert f"Kubernetes {VERSIONS[0]} to {VERSIONS[-1]}" in README.read_text()


# -- what is safe -----------------------------------------------------------------------------------------


def test_the_namespace_takes_restricted_pods_only(overlay: Rendered) -> None:
    [namespace] = overlay.of("Namespace")
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"


def test_every_pod_is_one_that_the_restricted_profile_lets_in(overlay: Rendered) -> None:
    for workload in overlay.of(*WORKLOADS):
        assert list(unrestricted(workload["spec"]["template"])) == [], workload["metadata"]["name"]


def test_every_container_has_bounds_and_is_looked_after(overlay: Rendered) -> None:
    for workload in overlay.of(*WORKLOADS):
        container = container_of(workload)
        assert {"cpu", "memory"} <= set(container["resources"]["limits"]), workload["metadata"]["name"]
        assert {"cpu", "memory"} <= set(container["resources"]["requests"])
        for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
            assert probe in container, (workload["metadata"]["name"], probe)
        assert milli(container["resources"]["requests"]["cpu"]) <= milli(container["resources"]["limits"]["cpu"])


def test_no_variable_of_the_clusters_own_gets_into_a_pod(overlay: Rendered) -> None:
    """A Service narthex-router would set NARTHEX_ROUTER_PORT, which is no number."""
    for workload in overlay.of(*WORKLOADS):
        assert workload["spec"]["template"]["spec"]["enableServiceLinks"] is False


def test_only_the_registry_may_ask_the_cluster_and_only_for_endpoint_slices(overlay: Rendered) -> None:
    for workload in overlay.of(*WORKLOADS):
        spec = workload["spec"]["template"]["spec"]
        is_registry = workload["metadata"]["name"] == "narthex-registry"
        assert spec["automountServiceAccountToken"] is is_registry, workload["metadata"]["name"]
    roles = overlay.of("Role", "ClusterRole")
    assert [rule for role in roles for rule in role["rules"]] == [
        {"apiGroups": ["discovery.k8s.io"], "resources": ["endpointslices"], "verbs": ["list", "watch"]}
    ]
    bindings = overlay.of("RoleBinding", "ClusterRoleBinding")
    assert [(each["roleRef"]["name"], each["subjects"]) for each in bindings] == [
        ("narthex-discovery", [{"kind": "ServiceAccount", "name": "narthex-registry", "namespace": "narthex"}])
    ]


def test_no_secret_stands_in_the_repository() -> None:
    assert [each["metadata"]["name"] for each in rendered("production").of("Secret")] == []
    ignored = (KUBERNETES / "overlays" / "dev" / ".gitignore").read_text().split()
    assert ignored == ["secrets/"]


# -- what fits together -----------------------------------------------------------------------------------


def test_every_part_is_there(overlay: Rendered) -> None:
    ours = {each["metadata"]["name"] for each in overlay.of(*WORKLOADS)}
    assert {f"narthex-{part}" for part in PARTS} <= ours
    for part in PARTS:
        assert container_of(overlay.workload(part))["args"] == ["serve", part]
    assert sorted(PARTS) == service_names()


def test_selectors_select_what_they_are_about(overlay: Rendered) -> None:
    pods = {each["metadata"]["name"]: each["spec"]["template"] for each in overlay.of(*WORKLOADS)}
    for workload in overlay.of(*WORKLOADS):
        wanted = workload["spec"]["selector"]["matchLabels"].items()
        assert wanted <= workload["spec"]["template"]["metadata"]["labels"].items()
        for spread in workload["spec"]["template"]["spec"].get("topologySpreadConstraints", ()):
            assert spread["labelSelector"]["matchLabels"].items() == wanted
    for each in overlay.of("Service", "PodDisruptionBudget"):
        selector = each["spec"]["selector"]
        wanted = selector.get("matchLabels", selector).items()
        found = [name for name, template in pods.items() if wanted <= template["metadata"]["labels"].items()]
        assert found == [each["metadata"]["name"]]
        names = {port["name"] for port in pods[found[0]]["spec"]["containers"][0]["ports"]}
        assert {port["targetPort"] for port in each["spec"].get("ports", ())} <= names
    assert {each["metadata"]["name"] for each in overlay.of("PodDisruptionBudget")} == {f"narthex-{p}" for p in PARTS}


def test_whatever_a_pod_mounts_or_is_run_as_is_there(overlay: Rendered) -> None:
    made = {(each["kind"], each["metadata"]["name"]) for each in overlay.objects}
    documented = README.read_text()
    for workload in overlay.of(*WORKLOADS):
        volumes = volumes_of(workload)
        mounted = [each["name"] for each in container_of(workload)["volumeMounts"]]
        assert set(mounted) == set(volumes), workload["metadata"]["name"]
        for kind, name in references(volumes.values()):
            assert (kind, name) in made or (kind == "Secret" and f"`{name}`" in documented), (kind, name)
        account = workload["spec"]["template"]["spec"].get("serviceAccountName")
        assert account is None or ("ServiceAccount", account) in made


def references(volumes: Any) -> Iterator[tuple[str, str]]:
    for volume in volumes:
        for source in (volume, *volume.get("projected", {}).get("sources", ())):
            if "secret" in source:
                yield "Secret", source["secret"].get("secretName") or source["secret"]["name"]
            if "configMap" in source:
                yield "ConfigMap", source["configMap"]["name"]
            if "persistentVolumeClaim" in source:
                yield "PersistentVolumeClaim", source["persistentVolumeClaim"]["claimName"]


def files_of(settings: dict[str, str], part: str) -> set[str]:
    named = {value.rpartition("/")[2] for name, value in settings.items() if name.endswith("_FILE")}
    # The map that all parts read names the sealing key; these two have nothing sealed.
    return named - {"sealing.key"} if part in ("healthcheck", "audit") else named


def test_a_file_that_a_setting_names_is_in_the_secrets_of_the_dev_overlay(part: str) -> None:
    overlay = rendered("dev")
    sources = volumes_of(overlay.workload(part))["secrets"]["projected"]["sources"]
    keys = {key for source in sources for key in overlay.one("Secret", source["secret"]["name"])["data"]}
    assert keys == files_of(overlay.settings(part), part)


def test_a_file_that_a_setting_names_is_in_the_secrets_that_the_documentation_asks_for(part: str) -> None:
    rows = [line for line in README.read_text().splitlines() if line.startswith("| `narthex-")]
    overlay = rendered("production")
    sources = volumes_of(overlay.workload(part))["secrets"]["projected"]["sources"]
    [*about] = (row for source in sources for row in rows if row.startswith(f"| `{source['secret']['name']}`"))
    keys = {key for row in about for key in re.findall(r"`([a-z.-]+)`", row.split("|")[2].partition(":")[0])}
    assert keys == files_of(overlay.settings(part), part)


def test_the_autoscaler_alone_decides_how_many_routers_there_are() -> None:
    overlay = rendered("production")
    [scaler] = overlay.of("HorizontalPodAutoscaler")
    target = overlay.one(scaler["spec"]["scaleTargetRef"]["kind"], scaler["spec"]["scaleTargetRef"]["name"])
    assert "replicas" not in target["spec"]
    measures = {each["type"]: each for each in scaler["spec"]["metrics"]}
    assert measures["Resource"]["resource"]["name"] == "cpu"
    assert measures["Pods"]["pods"]["metric"]["name"] == "narthex_router_in_flight"
    adapter = (KUBERNETES / "overlays" / "production" / "prometheus-adapter.yaml").read_text()
    assert "as: narthex_router_in_flight" in adapter
    worker = (Path(__file__).parents[3] / "services/router/narthex_router/worker.py").read_text()
    assert '"in_flight"' in worker  # told as narthex_router_worker_in_flight


# -- what is about this program ---------------------------------------------------------------------------


def groups(config: Any) -> Iterator[BaseSettings]:
    for value in vars(config).values():
        if isinstance(value, BaseSettings):
            yield value
        elif hasattr(value, "__dataclass_fields__"):
            yield from groups(value)


def variables(config: Any) -> dict[str, Any]:
    """Every variable that a part reads, and what it has read."""
    found = {}
    for group in groups(config):
        for name, field in type(group).model_fields.items():
            variable = f"{type(group).model_config['env_prefix']}{name}".upper()
            found[variable] = getattr(group, name)
            if field.annotation is SecretStr:
                found[f"{variable}_FILE"] = getattr(group, name)
    return found


@pytest.fixture
def secrets(tmp_path: Path) -> Path:
    for name in ("nats-password", "valkey-password", "database-password", "store-password", "sealing.key"):
        (tmp_path / name).write_text("secret")
    return tmp_path


def configured(part: str, settings: dict[str, str], secrets: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A part's configuration by the manifest's environment and nothing else."""
    for name, value in settings.items():
        monkeypatch.setenv(name, value.replace("/etc/narthex/secrets", str(secrets)))
    return import_module(f"narthex_{part}.config").Config()


def test_every_setting_is_one_that_the_part_reads(
    overlay: Rendered, part: str, secrets: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = overlay.settings(part)
    config = configured(part, settings, secrets, monkeypatch)
    read = variables(config)
    own = {each["name"] for each in container_of(overlay.workload(part))["env"]}
    assert own - set(read) == set()
    for name in own & {name for name in read if name.endswith("_FILE")} - {"NARTHEX_SEALING_KEY_FILE"}:
        assert read[name] or read[name.removesuffix("_FILE")], name


def test_what_all_parts_are_told_concerns_one_of_them(
    overlay: Rendered, secrets: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: set[str] = set()
    for part in PARTS:
        with monkeypatch.context() as patch:
            read |= set(variables(configured(part, overlay.settings(part), secrets, patch)))
    [shared] = [each for each in overlay.of("ConfigMap") if each["metadata"]["name"].startswith("narthex-")]
    assert set(shared["data"]) - read == set()


def test_parts_say_who_they_are_as_the_bus_knows_them(overlay: Rendered, part: str) -> None:
    assert overlay.settings(part)["NARTHEX_NATS_USER"] == part
    assert part in ROLES


def test_ports_are_those_that_the_part_listens_on(
    overlay: Rendered, part: str, secrets: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = configured(part, overlay.settings(part), secrets, monkeypatch)
    ports = {each["name"]: each["containerPort"] for each in container_of(overlay.workload(part))["ports"]}
    wanted = {"admin": config.process.admin_port}
    assert config.process.admin_bind == "0.0.0.0"
    for group in groups(config):
        if isinstance(group, ApiSettings):
            wanted["api"] = group.port
            assert group.bind == "0.0.0.0"
        if isinstance(group, ListenSettings):
            wanted |= {"http": group.http_port, "https": group.https_port}
            assert group.bind == "0.0.0.0"
            assert group.public_https_port == 443
    assert ports == wanted
    probes = [container_of(overlay.workload(part))[f"{each}Probe"] for each in ("startup", "readiness", "liveness")]
    assert [each["httpGet"]["port"] for each in probes] == ["admin"] * 3
    assert [each["httpGet"]["path"] for each in probes] == ["/healthz", "/readyz", "/healthz"]


def test_a_router_has_a_worker_for_each_core_that_it_asks_for(secrets: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = configured("router", rendered("production").settings("router"), secrets, monkeypatch)
    assert config.listen.workers == 4


def test_clients_come_in_with_their_own_addresses(overlay: Rendered) -> None:
    service = overlay.one("Service", "narthex-router")
    assert service["spec"]["type"] == "LoadBalancer"
    assert service["spec"]["externalTrafficPolicy"] == "Local"
    assert {each["port"]: each["targetPort"] for each in service["spec"]["ports"]} == {80: "http", 443: "https"}


# -- how a pod is replaced --------------------------------------------------------------------------------


def test_a_pod_has_the_time_to_finish_what_it_does(
    overlay: Rendered, part: str, secrets: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SIGTERM, the delay in which it goes on, the drain, and what comes after; then the kubelet would kill it."""
    config = configured(part, overlay.settings(part), secrets, monkeypatch)
    process: ProcessSettings = config.process
    needed = process.stop_delay_s + {
        "router": next((each.drain_timeout_s for each in groups(config) if isinstance(each, BoundSettings)), 0.0)
        + KILL_AFTER_S
        + LAST_RECORDS_S,
        "registry": SHUTDOWN_S,
    }.get(part, 0.0)
    grace = overlay.workload(part)["spec"]["template"]["spec"]["terminationGracePeriodSeconds"]
    assert needed + 5 <= grace


@pytest.mark.parametrize("serving", ["registry", "router"])
def test_whoever_answers_requests_goes_on_while_others_learn_that_it_goes(overlay: Rendered, serving: str) -> None:
    readiness = container_of(overlay.workload(serving))["readinessProbe"]
    unready_after = readiness["periodSeconds"] * readiness["failureThreshold"] + readiness["timeoutSeconds"]
    assert float(overlay.settings(serving)["NARTHEX_STOP_DELAY_S"]) > unready_after


def test_what_runs_several_times_never_runs_fewer_times_while_it_is_replaced(overlay: Rendered) -> None:
    for workload in overlay.of("Deployment"):
        strategy = workload["spec"]["strategy"]
        if strategy["type"] == "Recreate":
            assert workload["spec"]["replicas"] == 1
        else:
            assert strategy["rollingUpdate"]["maxUnavailable"] == 0
            assert workload["spec"].get("replicas", 2) >= 2
            topologies = [
                each["topologyKey"] for each in workload["spec"]["template"]["spec"]["topologySpreadConstraints"]
            ]
            assert topologies == ["kubernetes.io/hostname", "topology.kubernetes.io/zone"]


# -- the servers of the dev overlay -----------------------------------------------------------------------


def test_nats_takes_its_configuration(tmp_path: Path) -> None:
    overlay = rendered("dev")
    [config] = [each for each in overlay.of("ConfigMap") if each["metadata"]["name"].startswith("nats-")]
    text = config["data"]["nats.conf"].replace("/data", str(tmp_path / "data"))
    (tmp_path / "nats.conf").write_text(text)
    prepare(tmp_path / "users")
    done = subprocess.run(
        [nats_binary(), "-t", "--config", "nats.conf"], cwd=tmp_path, capture_output=True, text=True, timeout=20
    )
    assert done.returncode == 0, done.stdout + done.stderr
