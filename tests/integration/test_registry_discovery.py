"""What every provider of discovery does, told by each source in its own way."""

import os
from collections.abc import AsyncIterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from integration.discovery_dockerd import DockerdStage, dockerd_in, missing
from integration.discovery_looks import INSTANCES, in_state, refused, serving, shows
from integration.discovery_stages import Stage, discovering, staged
from integration.registry_kit import P

REAL_DOCKER = os.environ.get("NARTHEX_TEST_DOCKER") == "1"  # `make test-docker`
SOURCES = ["dockerd"] if REAL_DOCKER else ["file", "dns", "docker", "kubernetes"]


@pytest.fixture(params=SOURCES)
async def stage(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Stage]:
    if request.param != "dockerd":
        async with staged(request.param, tmp_path) as stage:
            yield stage
    elif why := missing():
        pytest.skip(why)
    else:
        # Short, because a socket's path may have 107 characters.
        with TemporaryDirectory(prefix="nx") as directory:
            async with dockerd_in(Path(directory)) as dockerd:
                yield DockerdStage(dockerd)


async def test_what_a_source_names_is_registered_and_says_where_it_comes_from(stage: Stage, tmp_path: Path) -> None:
    async with discovering(tmp_path, stage.settings()) as api:
        await stage.put("one", "10.0.0.1")
        await stage.put("two", "10.0.0.2", port=9100)
        found = await shows(api, lambda found: len(found) == 2)
        assert {address: port for address, (_, port, _) in found.items()} == {"10.0.0.1": 9000, "10.0.0.2": 9100}
        _, one = await api.get(f"{INSTANCES}/{found['10.0.0.1'][0]}")
        assert one["metadata"]["discovery.provider"] == stage.name
        told = await in_state(api, "following")
        assert (told["name"], told["reason"], told["refused"]) == (stage.name, "", 0)


async def test_what_a_source_no_longer_names_is_drained_and_then_gone(stage: Stage, tmp_path: Path) -> None:
    async with discovering(tmp_path, stage.settings()) as api:
        await stage.put("one", "10.0.0.1")
        await stage.put("two", "10.0.0.2")
        found = await shows(api, lambda found: len(found) == 2)
        await stage.drop("one")
        await shows(api, lambda found: found.keys() == {"10.0.0.2"})
        status, gone = await api.get(f"{INSTANCES}/{found['10.0.0.1'][0]}")
        assert status == 404 or gone["status"] == "stopping"


async def test_at_another_address_or_port_it_is_another_instance(stage: Stage, tmp_path: Path) -> None:
    async with discovering(tmp_path, stage.settings()) as api:
        await stage.put("one", "10.0.0.1")
        before = await shows(api, lambda found: "10.0.0.1" in found)
        await stage.put("one", "10.0.0.1", port=9100)
        after = await shows(api, lambda found: found.get("10.0.0.1", ("", 0, 0))[1] == 9100)
        assert after["10.0.0.1"][0] != before["10.0.0.1"][0]
        await stage.put("one", "10.0.0.9", port=9100)
        await shows(api, lambda found: found.keys() == {"10.0.0.9"})


async def test_with_another_weight_it_is_the_same_instance(stage: Stage, tmp_path: Path) -> None:
    if not stage.says_weights:
        pytest.skip(f"{stage.name} cannot change the weight of what runs")
    async with discovering(tmp_path, stage.settings()) as api:
        await stage.put("one", "10.0.0.1", weight=2)
        before = await shows(api, lambda found: "10.0.0.1" in found)
        await stage.put("one", "10.0.0.1", weight=7)
        after = await shows(api, lambda found: found["10.0.0.1"][2] == 7)
        assert after["10.0.0.1"][0] == before["10.0.0.1"][0]


async def test_what_is_going_away_is_drained_while_it_is_still_there(stage: Stage, tmp_path: Path) -> None:
    if not stage.says_draining:
        pytest.skip(f"{stage.name} cannot say that something is going away")
    async with discovering(tmp_path, stage.settings()) as api:
        await stage.put("one", "10.0.0.1")
        await stage.put("two", "10.0.0.2")
        await shows(api, lambda found: len(found) == 2)
        await stage.drain("one")
        await shows(api, lambda found: found.keys() == {"10.0.0.2"})
        assert "one" in stage.named


async def test_while_the_source_is_away_everything_stays_and_then_only_the_difference_is_applied(
    stage: Stage, tmp_path: Path
) -> None:
    async with discovering(tmp_path, stage.settings()) as api:
        await stage.put("one", "10.0.0.1")
        await stage.put("two", "10.0.0.2")
        before = await shows(api, lambda found: len(found) == 2)
        await in_state(api, "following")
        await stage.away()
        told = await in_state(api, "away")
        assert told["reason"]
        assert await serving(api) == before
        await stage.back()
        await stage.drop("one")
        await stage.put("three", "10.0.0.3")
        after = await shows(api, lambda found: found.keys() == {"10.0.0.2", "10.0.0.3"})
        assert after["10.0.0.2"] == before["10.0.0.2"]
        await in_state(api, "following")


async def test_a_registry_that_starts_again_keeps_the_instances_it_had(stage: Stage, tmp_path: Path) -> None:
    async with discovering(tmp_path, stage.settings()) as api:
        await stage.put("one", "10.0.0.1")
        await stage.put("two", "10.0.0.2")
        before = await shows(api, lambda found: len(found) == 2)
    await stage.drop("two")
    async with discovering(tmp_path, stage.settings()) as api:
        after = await shows(api, lambda found: found.keys() == {"10.0.0.1"})
        assert after["10.0.0.1"] == before["10.0.0.1"]


async def test_a_registry_that_starts_while_the_source_is_away_keeps_what_was_there(
    stage: Stage, tmp_path: Path
) -> None:
    async with discovering(tmp_path, stage.settings()) as api:
        await stage.put("one", "10.0.0.1")
        before = await shows(api, lambda found: len(found) == 1)
    await stage.away()
    async with discovering(tmp_path, stage.settings()) as api:
        await in_state(api, "away")
        assert await serving(api) == before
        await stage.back()
        await in_state(api, "following")
        assert await serving(api) == before


async def test_what_a_source_names_cannot_be_stopped_by_hand(stage: Stage, tmp_path: Path) -> None:
    async with discovering(tmp_path, stage.settings()) as api:
        await stage.put("one", "10.0.0.1")
        [(id, _, _)] = (await shows(api, lambda found: len(found) == 1)).values()
        for status, body in (
            await api.delete(f"{INSTANCES}/{id}"),
            await api.patch(f"{INSTANCES}/{id}", {"status": "stopped"}),
            await api.patch(f"{P}/instances/{id}", {"status": "stopped"}),
        ):
            assert (status, body["error"].partition(" (")[0]) == (409, "this instance was found by discovery")
            assert "stop it there" in body["error"]


async def test_bad_entries_are_refused_one_by_one_with_their_reasons(stage: Stage, tmp_path: Path) -> None:
    if not stage.says_every_address:
        pytest.skip("an engine gives its containers no such addresses")
    async with discovering(tmp_path, stage.settings()) as api:
        await stage.put("good", "10.0.0.1")
        await stage.put("metadata", "169.254.169.254")
        await stage.put("sly", "::ffff:169.254.169.254")
        await shows(api, lambda found: found.keys() == {"10.0.0.1"})

        told = await refused(api, 2)
        [cause] = told["causes"]
        assert "which this installation does not allow" in cause
        assert told["instances"] == 1
