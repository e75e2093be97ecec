"""What is special about a cluster: list and watch, conditions, namespaces, ports, credentials, imported services."""

import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from integration.discovery_cluster import cluster_on
from integration.discovery_looks import in_state, provider, refused, serving, shows
from integration.discovery_stages import KubernetesStage, discovering, endpoint, endpoint_slice, kubeconfig, staged
from integration.registry_kit import P

from narthex.testing.ca import ThrowAwayCA
from narthex.testing.rest import Rest
from narthex.testing.waiting import eventually, until
from narthex_registry.discovery.settings import DiscoveryConfig, KubernetesSettings


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[KubernetesStage]:
    async with staged("kubernetes", tmp_path) as stage:
        assert isinstance(stage, KubernetesStage)
        yield stage


def slice_of(*endpoints: dict[str, Any], **more: Any) -> dict[str, Any]:
    return endpoint_slice("hello-1", list(endpoints), **more)


async def test_a_watch_that_breaks_in_the_middle_of_a_line_goes_on_where_it_was(
    stage: KubernetesStage, tmp_path: Path
) -> None:
    cluster = stage.cluster
    async with discovering(tmp_path, stage.settings()) as api:
        await cluster.put(slice_of(endpoint("a", "10.0.0.1")))
        await shows(api, lambda found: len(found) == 1)
        lists, seen = cluster.lists, cluster.slices["apps/hello-1"]["metadata"]["resourceVersion"]
        await cluster.hang_up(b'{"type": "MODIFIED", "object": {"metadata": {"name": "hello-1", "resourceVersion": "9')
        await until(lambda: cluster.watches[-1] == ("narthex.deployment", seen) and len(cluster.watches) > 1)
        await cluster.put(slice_of(endpoint("a", "10.0.0.1"), endpoint("b", "10.0.0.2")))
        await shows(api, lambda found: len(found) == 2)
        assert cluster.lists == lists


async def test_a_bookmark_is_where_the_next_watch_begins(stage: KubernetesStage, tmp_path: Path) -> None:
    cluster = stage.cluster
    async with discovering(tmp_path, stage.settings()) as api:
        await in_state(api, "following")
        before = int(cluster.watches[-1][1])
        await cluster.bookmark()
        await cluster.hang_up()
        await until(lambda: int(cluster.watches[-1][1]) == before + 10)


async def test_what_was_forgotten_is_listed_anew_and_only_the_difference_is_applied(
    stage: KubernetesStage, tmp_path: Path
) -> None:
    cluster = stage.cluster
    async with discovering(tmp_path, stage.settings()) as api:
        await cluster.put(slice_of(endpoint("a", "10.0.0.1"), endpoint("b", "10.0.0.2")))
        before = await shows(api, lambda found: len(found) == 2)
        lists = cluster.lists
        # While nobody watches, one goes and another comes; then the history is compacted.
        cluster.slices["apps/hello-1"]["endpoints"] = [endpoint("b", "10.0.0.2"), endpoint("c", "10.0.0.3")]
        await cluster.compact()
        after = await shows(api, lambda found: found.keys() == {"10.0.0.2", "10.0.0.3"})
        assert after["10.0.0.2"] == before["10.0.0.2"]
        assert cluster.lists > lists


async def test_long_lists_come_in_pages(stage: KubernetesStage, tmp_path: Path) -> None:
    for number in range(7):
        await stage.cluster.put(endpoint_slice(f"hello-{number}", [endpoint(str(number), f"10.0.0.{number + 1}")]))
    async with discovering(tmp_path, stage.settings()) as api:
        await shows(api, lambda found: len(found) == 7)
        assert stage.cluster.lists == 4


async def test_only_what_is_ready_takes_requests(stage: KubernetesStage, tmp_path: Path) -> None:
    async with discovering(tmp_path, stage.settings()) as api:
        unready = endpoint("b", "10.0.0.2", ready=False)
        await stage.cluster.put(slice_of(endpoint("a", "10.0.0.1"), unready, endpoint("c", "10.0.0.3")))
        await shows(api, lambda found: found.keys() == {"10.0.0.1", "10.0.0.3"})
        stopping = endpoint("c", "10.0.0.3", terminating=True)  # it still serves those that are with it
        await stage.cluster.put(slice_of(endpoint("a", "10.0.0.1"), endpoint("b", "10.0.0.2"), stopping))
        await shows(api, lambda found: found.keys() == {"10.0.0.1", "10.0.0.2"})


async def test_a_pod_with_two_addresses_is_one_instance(stage: KubernetesStage, tmp_path: Path) -> None:
    async with discovering(tmp_path, stage.settings()) as api:
        await stage.cluster.put(endpoint_slice("hello-six", [endpoint("a", "fd00::1")]))
        await stage.cluster.put(endpoint_slice("hello-four", [endpoint("a", "10.0.0.1")]))
        await shows(api, lambda found: found.keys() == {"10.0.0.1"})


async def test_the_namespace_says_which_project_and_others_have_none(stage: KubernetesStage, tmp_path: Path) -> None:
    settings = KubernetesSettings(config=str(stage.kubeconfig), namespaces={"team-a": "a", "apps": "default"})
    async with discovering(tmp_path, DiscoveryConfig(kubernetes=settings)) as api:
        await api.made("/v2.1/projects", {"name": "a", "organization_name": "default"})
        other = endpoint_slice("other", [endpoint("o", "10.0.0.9")], namespace="elsewhere")
        sly = endpoint_slice("sly", [endpoint("s", "10.0.0.8")], namespace="team-a", **{"narthex.project": "default"})
        for slice in (other, sly, slice_of(endpoint("a", "10.0.0.1"))):
            await stage.cluster.put(slice)
        await shows(api, lambda found: found.keys() == {"10.0.0.1"})

        async def in_a() -> list[str]:
            _, page = await api.get("/v2.1/projects/a/instances")
            return [each["address"] for each in page["results"]]

        await eventually(in_a)
        assert await in_a() == ["10.0.0.8"]


async def test_with_several_ports_the_label_names_one_and_a_slip_of_the_pen_stops_nobody(
    stage: KubernetesStage, tmp_path: Path
) -> None:
    ports = [{"name": "http", "port": 9000, "protocol": "TCP"}, {"name": "metrics", "port": 9100, "protocol": "TCP"}]
    async with discovering(tmp_path, stage.settings()) as api:
        slice = {**slice_of(endpoint("a", "10.0.0.1"), **{"narthex.port": "metrics"}), "ports": ports}
        await stage.cluster.put(slice)
        before = await shows(api, lambda found: found.get("10.0.0.1", ("", 0, 0))[1] == 9100)
        for label, why in (("metrcs", "no TCP port that is called"), ("", "several ports")):
            slice["metadata"]["labels"]["narthex.port"] = label
            await stage.cluster.put(slice)

            async def told(why: str = why) -> bool:
                return any(why in cause for cause in (await provider(api))["causes"])

            await eventually(told)
            assert await serving(api) == before


async def test_a_slice_that_is_not_understood_is_refused_by_itself(stage: KubernetesStage, tmp_path: Path) -> None:
    async with discovering(tmp_path, stage.settings()) as api:
        await stage.cluster.put({**endpoint_slice("odd", []), "endpoints": "none"})
        await stage.cluster.put(slice_of(endpoint("a", "10.0.0.1")))
        await shows(api, lambda found: found.keys() == {"10.0.0.1"})
        told = await refused(api, 1)
        assert told["causes"][0].startswith("apps/odd: the EndpointSlice is not understood: endpoints: ")


async def test_a_rotated_token_and_authority_are_read_again(tmp_path: Path) -> None:
    async with staged("kubernetes", tmp_path) as stage:
        assert isinstance(stage, KubernetesStage)
        await stage.away()
        token, authority = tmp_path / "token", tmp_path / "ca.crt"
        described = yaml.safe_load(kubeconfig(f"https://localhost:{stage.port}", ""))
        described["clusters"][0]["cluster"]["certificate-authority"] = "ca.crt"
        described["users"][0]["user"] = {"tokenFile": "token"}
        stage.kubeconfig.write_text(yaml.safe_dump(described))
        await stage.cluster.put(slice_of(endpoint("a", "10.0.0.1")))
        async with discovering(tmp_path, stage.settings()) as api:
            assert "the cluster's certificates cannot be used" in (await in_state(api, "away"))["reason"]
            for word in ("first", "second"):
                tls = new_authority(authority)
                stage.cluster.token = word
                token.write_text(word)
                async with cluster_on(stage.cluster, stage.port, tls):
                    await in_state(api, "following")
                await in_state(api, "away")
            assert len(await serving(api)) == 1


def new_authority(file: Path) -> ssl.SSLContext:
    """Another authority in the file, and a server's context that it vouches for."""
    ca = ThrowAwayCA()
    issued = ca.issue("localhost")
    file.write_text(ca.root_pem)
    chain = file.with_suffix(".chain")
    chain.write_bytes(issued.key + issued.chain.encode())
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(chain)
    return context


async def test_a_refused_account_says_what_is_missing(stage: KubernetesStage, tmp_path: Path) -> None:
    stage.cluster.token = "another"
    async with discovering(tmp_path, stage.settings()) as api:
        told = await in_state(api, "away")
        assert "answered 401" in told["reason"]
        assert "the token is not accepted" in told["reason"]


# -- imported services --------------------------------------------------------------------------------------

IMPORTED = {"name": "shop", "type": "imported", "imported_name": "shop", "imported_namespace": "apps", "port": 8080}
SERVICE = {"spec": {"ports": [{"name": "metrics", "port": 9100}, {"name": "http", "port": 8080, "targetPort": 5000}]}}


def shop(*endpoints: dict[str, Any]) -> dict[str, Any]:
    slice = endpoint_slice("shop-1", list(endpoints), port=5000)
    slice["metadata"]["labels"] = {"kubernetes.io/service-name": "shop"}
    slice["ports"].append({"name": "metrics", "port": 5100, "protocol": "TCP"})
    return slice


async def behind(api: Rest) -> dict[str, int | None]:
    """Address and port of what an imported service leads to."""
    _, page = await api.get(f"{P}/instances", status="pending,running,initialising")
    return {each["address"]: each["port"] for each in page["results"]}


def importing(stage: KubernetesStage) -> DiscoveryConfig:
    return DiscoveryConfig(kubernetes=stage.settings().kubernetes.model_copy(update={"imported": True}))


async def test_an_imported_service_leads_to_its_pods_instead_of_its_name(
    stage: KubernetesStage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("narthex_registry.discovery.kubernetes.imports.LOOK_EVERY_S", 0.1)
    stage.cluster.services["apps/shop"] = SERVICE
    async with discovering(tmp_path, importing(stage), create_missing=False) as api:
        await api.made(f"{P}/services", IMPORTED)
        assert await behind(api) == {"shop.apps.svc.cluster.local": None}
        await stage.cluster.put(shop(endpoint("a", "10.0.0.1"), endpoint("b", "10.0.0.2")))

        async def at_pods() -> bool:
            return await behind(api) == {"10.0.0.1": 5000, "10.0.0.2": 5000}

        await eventually(at_pods)
        await stage.cluster.put(shop(endpoint("a", "10.0.0.1", terminating=True), endpoint("b", "10.0.0.2")))

        async def at_one() -> bool:
            return await behind(api) == {"10.0.0.2": 5000}

        await eventually(at_one)
        assert await api.get(f"{P}/deployments") == (200, [])  # what it stands on is still seen by nobody


async def test_a_service_that_the_cluster_does_not_have_keeps_its_name(
    stage: KubernetesStage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("narthex_registry.discovery.kubernetes.imports.LOOK_EVERY_S", 0.1)
    stage.cluster.services["apps/shop"] = SERVICE
    async with discovering(tmp_path, importing(stage)) as api:
        await api.made(f"{P}/services", {**IMPORTED, "name": "gone", "imported_name": "gone"})
        await api.made(f"{P}/services", IMPORTED)
        await stage.cluster.put(shop(endpoint("a", "10.0.0.1")))

        async def settled() -> bool:
            return await behind(api) == {"gone.apps.svc.cluster.local": None, "10.0.0.1": 5000}

        await eventually(settled)
