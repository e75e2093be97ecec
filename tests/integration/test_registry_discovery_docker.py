"""What is special about an engine: its health checks, its networks, its stream of events."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from integration.discovery_engine import Container
from integration.discovery_looks import refused, shows
from integration.discovery_stages import DockerStage, Named, discovering, staged

from narthex.testing.waiting import until


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[DockerStage]:
    async with staged("docker", tmp_path) as stage:
        assert isinstance(stage, DockerStage)
        yield stage


async def test_a_container_with_a_health_check_takes_requests_while_that_passes(
    stage: DockerStage, tmp_path: Path
) -> None:
    engine = stage.engine
    async with discovering(tmp_path, stage.settings()) as api:
        checked = stage.container("checked", Named("10.0.0.1"))
        checked.health = "starting"
        await engine.run(checked)
        await engine.run(stage.container("plain", Named("10.0.0.2")))
        await shows(api, lambda found: found.keys() == {"10.0.0.2"})
        for health, there in (("healthy", {"10.0.0.1", "10.0.0.2"}), ("unhealthy", {"10.0.0.2"})):
            checked.health = health
            await engine.happened(checked, f"health_status: {health}")
            await shows(api, lambda found, there=there: found.keys() == there)


async def test_after_the_events_broke_off_in_the_middle_of_a_line_everything_is_looked_at_again(
    stage: DockerStage, tmp_path: Path
) -> None:
    engine = stage.engine
    async with discovering(tmp_path, stage.settings()) as api:
        await stage.put("one", "10.0.0.1")
        before = await shows(api, lambda found: len(found) == 1)
        await engine.hang_up(b'{"Type": "container", "Action": "di')
        await until(lambda: engine.listeners == 0)
        engine.containers["two"] = stage.container("two", Named("10.0.0.2"))  # nobody hears of it
        after = await shows(api, lambda found: len(found) == 2)
        assert after["10.0.0.1"] == before["10.0.0.1"]


async def test_a_container_in_two_networks_needs_a_label_and_says_so(stage: DockerStage, tmp_path: Path) -> None:
    async with discovering(tmp_path, stage.settings()) as api:
        labels = stage.container("x", Named("10.0.0.1")).labels
        networks = {"front": "10.0.0.1", "back": "10.1.0.1"}
        await stage.engine.run(Container("unlabelled", labels, networks))
        assert "the label narthex.network must name one" in (await refused(api, 1))["causes"][0]
        await stage.engine.run(Container("labelled", {**labels, "narthex.network": "back"}, networks))
        await shows(api, lambda found: found.keys() == {"10.1.0.1"})
