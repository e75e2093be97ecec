"""What holds for discovery whatever the source, told with files."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from integration.discovery_looks import INSTANCES, in_state, provider, refused, serving, shows
from integration.discovery_stages import FileStage, Named, discovering, staged
from integration.registry_kit import P

from narthex.testing.waiting import eventually
from narthex_registry.discovery.settings import DiscoveryConfig


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[FileStage]:
    async with staged("file", tmp_path) as stage:
        assert isinstance(stage, FileStage)
        yield stage


@pytest.mark.on_postgres
async def test_of_two_registries_one_runs_a_provider_and_the_other_takes_over(stage: FileStage, tmp_path: Path) -> None:
    async with discovering(tmp_path, stage.settings()) as second:
        async with discovering(tmp_path, stage.settings()) as first:
            runner = (await in_state(first, "following"))["runner"]
            for number in range(20):
                await stage.put(str(number), f"10.0.1.{number}")
            await shows(first, lambda found: len(found) == 20)
            _, page = await first.get(INSTANCES, limit="250")
            assert len(page["results"]) == 20
            assert (await provider(second))["runner"] == (await provider(first))["runner"] == runner
        await stage.put("later", "10.0.2.1")
        await shows(second, lambda found: len(found) == 21)


async def test_without_leave_to_create_nothing_is_created(stage: FileStage, tmp_path: Path) -> None:
    async with discovering(tmp_path, stage.settings(), create_missing=False) as api:
        await stage.put("one", "10.0.0.1")

        told = await refused(api, 1)
        assert "NARTHEX_DISCOVERY_CREATE_MISSING=true would create them" in told["causes"][0]
        assert await api.get(f"{P}/deployments") == (200, [])


async def test_of_too_many_entries_those_that_were_there_stay(stage: FileStage, tmp_path: Path) -> None:
    async with discovering(tmp_path, stage.settings(), most_instances=3) as api:
        await stage.put("z", "10.0.0.1")
        before = await shows(api, lambda found: len(found) == 1)
        for number in range(10):
            stage.named[f"a{number}"] = Named(f"10.0.1.{number}")
        await stage.say()
        after = await shows(api, lambda found: len(found) == 3)
        assert after["10.0.0.1"] == before["10.0.0.1"]


async def test_only_an_administrator_sees_the_providers(stage: FileStage, tmp_path: Path) -> None:
    async with discovering(tmp_path, stage.settings()) as api:
        person = {"email": "ann@example.test", "password": "a long password of hers"}
        await api.made("/v2.1/user", person)
        status, session = await api.post("/v2.1/authorize", person)
        assert status == 200
        headers = {"Authorization": f"Bearer {session['access']}"}
        status, _ = await api.call("GET", "/v2.1/discovery", headers=headers)
        assert status == 403


async def test_a_file_that_is_broken_or_gone_changes_nothing_and_says_why(stage: FileStage, tmp_path: Path) -> None:
    async with discovering(tmp_path, stage.settings()) as api:
        await stage.put("one", "10.0.0.1")
        before = await shows(api, lambda found: len(found) == 1)
        for broken, why in (
            ("deployments: {hello: {v1: [", "is no YAML"),
            ("", "is empty"),
            ("deployments: {hello: {v1: [], v1: []}}", "v1 is there twice"),
            ("deployments: [hello]", "deployments must be a mapping by names"),
            ("instances: []", "must have `deployments` and `projects` and nothing else"),
        ):
            stage.write(broken)

            async def told(why: str = why) -> bool:
                return why in (await provider(api))["reason"]

            await eventually(told)
            assert await serving(api) == before
        await stage.drop("one")
        await shows(api, lambda found: not found)


async def test_a_version_that_is_no_list_keeps_its_instances(stage: FileStage, tmp_path: Path) -> None:
    async with discovering(tmp_path, stage.settings()) as api:
        await stage.put("one", "10.0.0.1")
        before = await shows(api, lambda found: len(found) == 1)
        stage.write("deployments: {hello: {v1: {address: 10.0.0.1}}, other: {v1: [{address: 10.0.0.2}]}}")
        told = await refused(api, 1)
        assert told["causes"] == ["default/hello/v1: must be a list of instances"]
        assert await serving(api) == before


async def test_a_file_may_name_this_machine_and_other_sources_may_not(tmp_path: Path) -> None:
    async with staged("file", tmp_path) as stage, discovering(tmp_path, stage.settings()) as api:
        await stage.put("one", "127.0.0.5")
        await shows(api, lambda found: found.keys() == {"127.0.0.5"})
    (tmp_path / "other").mkdir()
    async with (
        staged("docker", tmp_path / "other") as docker,
        discovering(tmp_path / "other", docker.settings()) as api,
    ):
        await docker.put("one", "127.0.0.5")
        told = await refused(api, 1)
        assert "this machine's own loopback" in told["causes"][0]


async def test_what_a_provider_that_is_off_left_behind_can_be_stopped_by_hand(stage: FileStage, tmp_path: Path) -> None:
    async with discovering(tmp_path, stage.settings()) as api:
        await stage.put("one", "10.0.0.1")
        [(id, _, _)] = (await shows(api, lambda found: len(found) == 1)).values()
    async with discovering(tmp_path, DiscoveryConfig()) as api:
        assert (await provider(api))["state"] == "off"
        assert (await api.delete(f"{INSTANCES}/{id}"))[0] == 204


async def test_a_version_that_is_made_later_gets_the_instances_that_wait_for_it(
    stage: FileStage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("narthex_registry.discovery.follower.LOOK_AGAIN_S", 0.1)
    async with discovering(tmp_path, stage.settings(), create_missing=False) as api:
        await stage.put("one", "10.0.0.1")
        await refused(api, 1)
        await api.made(f"{P}/deployments", {"name": "hello"})
        await api.made(f"{P}/deployments/hello/versions", {"version": "v1"})
        await shows(api, lambda found: len(found) == 1)
        await refused(api, 0)
