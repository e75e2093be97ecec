"""What is special about DNS: failures and empty answers, types, TTLs."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from integration.discovery_looks import in_state, refused, serving, shows
from integration.discovery_stages import DnsStage, discovering, staged

from narthex.testing.waiting import until
from narthex_registry.discovery.settings import DiscoveryConfig, DnsName, DnsSettings


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[DnsStage]:
    async with staged("dns", tmp_path) as stage:
        assert isinstance(stage, DnsStage)
        yield stage


def asking(stage: DnsStage, *names: dict[str, Any], **more: Any) -> DiscoveryConfig:
    wanted = tuple(DnsName(**{"deployment": "hello", "version": "v1", **each}) for each in names)
    return DiscoveryConfig(dns=DnsSettings(names=wanted, servers=stage.server, **{**stage.ANSWERS, **more}))


WEB = {"name": "web.test", "port": 9000}


async def test_both_families_of_a_name_are_instances(stage: DnsStage, tmp_path: Path) -> None:
    stage.zone.put("web.test", "A", "10.0.0.1", "10.0.0.2")
    stage.zone.put("web.test", "AAAA", "fd00::1")
    async with discovering(tmp_path, asking(stage, WEB)) as api:
        found = await shows(api, lambda found: len(found) == 3)
        assert {(address, port) for address, (_, port, _) in found.items()} == {
            ("10.0.0.1", 9000), ("10.0.0.2", 9000), ("fd00::1", 9000),
        }  # fmt: skip


@pytest.mark.parametrize("failure", ["SERVFAIL", "REFUSED", "silence"])
async def test_a_look_up_that_fails_removes_nobody(stage: DnsStage, tmp_path: Path, failure: str) -> None:
    stage.zone.put("web.test", "A", "10.0.0.1")
    stage.zone.put("other.test", "A", "10.0.0.2")
    async with discovering(tmp_path, asking(stage, WEB, grace_s=0.0)) as api:
        before = await shows(api, lambda found: len(found) == 1)
        stage.zone.failing = failure if failure != "silence" else None
        stage.zone.silent = failure == "silence"
        told = await in_state(api, "away")
        assert told["reason"].startswith("web.test: look-up failed: ")
        assert failure == "silence" or failure in told["reason"]
        assert await serving(api) == before


@pytest.mark.parametrize("left", [{}, {("web.test", "TXT"): ['"still here"']}], ids=["NXDOMAIN", "no record"])
async def test_an_empty_answer_is_believed_after_a_grace(stage: DnsStage, tmp_path: Path, left: Any) -> None:
    stage.zone.put("web.test", "A", "10.0.0.1")
    async with discovering(tmp_path, asking(stage, WEB, grace_s=1.0)) as api:
        before = await shows(api, lambda found: len(found) == 1)
        stage.zone.records = left
        asked = stage.zone.asked
        await until(lambda: stage.zone.asked > asked + 4)
        assert await serving(api) == before
        await shows(api, lambda found: not found)


async def test_one_name_that_fails_holds_up_no_other(stage: DnsStage, tmp_path: Path) -> None:
    stage.zone.put("web.test", "A", "10.0.0.1")
    # A label of 64 characters is none: this name cannot be asked for.
    async with discovering(tmp_path, asking(stage, WEB, {"name": f"{'x' * 64}.test"})) as api:
        await shows(api, lambda found: len(found) == 1)
        told = await refused(api, 1)
        assert "look-up failed" in told["causes"][0]
        stage.zone.put("web.test", "A", "10.0.0.2")
        await shows(api, lambda found: found.keys() == {"10.0.0.2"})


async def test_of_several_priorities_the_best_is_taken(stage: DnsStage, tmp_path: Path) -> None:
    for number in (1, 2, 3):
        stage.zone.put(f"{number}.test", "A", f"10.0.0.{number}")
    stage.zone.put("_http._tcp.web.test", "SRV", "1 60000 9000 1.test.", "1 6 9000 2.test.", "2 1 9000 3.test.")
    async with discovering(tmp_path, asking(stage, {"name": "_http._tcp.web.test", "type": "SRV"})) as api:
        found = await shows(api, len)
        assert {address: weight for address, (_, _, weight) in found.items()} == {"10.0.0.1": 1000, "10.0.0.2": 1}
        stage.zone.put("_http._tcp.web.test", "SRV", "0 0 0 .")  # RFC 2782: not offered here
        await shows(api, lambda found: not found)


async def test_an_answer_too_long_for_udp_is_asked_for_over_tcp(stage: DnsStage, tmp_path: Path) -> None:
    stage.zone.put("web.test", "A", *(f"10.0.1.{number}" for number in range(1, 101)))
    async with discovering(tmp_path, asking(stage, WEB)) as api:
        await shows(api, lambda found: len(found) == 100)


async def test_a_name_that_leads_to_this_machine_is_refused(stage: DnsStage, tmp_path: Path) -> None:
    stage.zone.put("web.test", "A", "127.0.0.1", "10.0.0.1")
    async with discovering(tmp_path, asking(stage, WEB)) as api:
        await shows(api, lambda found: found.keys() == {"10.0.0.1"})
        assert "loopback" in (await refused(api, 1))["causes"][0]
