"""No operation of the stock library is forgotten: each is served and tested here, or answered 501."""

import re
from pathlib import Path

import pytest
import ubiops
from compat.operations import NOT_SERVED, SERVED, call_with_anything, known, unserved
from compat.stage import Stage
from compat.stock import library, refused


def test_every_operation_of_the_library_is_sorted_into_served_and_not_served() -> None:
    assert known() >= SERVED
    assert [name for name in unserved() if not NOT_SERVED.match(name)] == []


def test_every_served_operation_is_called_by_a_test() -> None:
    sources = [file.read_text() for file in Path(__file__).parent.glob("test_*.py")]
    called = {name for source in sources for name in re.findall(r"\.([a-z_]+)\b", source)}
    in_loops = {name for source in sources for name in re.findall(r'"([a-z_]+)"', source)}
    assert sorted(SERVED - called - in_loops) == []


@pytest.fixture(scope="session")
def unchecked(stage: Stage) -> ubiops.CoreApi:
    """A library that sends bodies without looking at them: what is in them does not matter here."""
    core = library(stage.system, stage.system.token)
    core.api_client.configuration.client_side_validation = False
    core.api_client.client_side_validation = False
    return core


@pytest.fixture(scope="session")
def deployment(stage: Stage) -> str:
    name = stage.deployment("unserved")
    stage.version(name)
    return name


@pytest.mark.parametrize("operation", unserved())
def test_out_of_scope_is_answered_501_in_a_sentence(
    operation: str, unchecked: ubiops.CoreApi, stage: Stage, deployment: str, tmp_path: Path
) -> None:
    archive = tmp_path / "file.zip"
    archive.write_bytes(b"PK")
    path = {
        "project_name": stage.project,
        "deployment_name": deployment,
        "version": "v1",
        "organization_name": "default",
    }
    with refused(501):
        call_with_anything(unchecked, operation, path, str(archive))


def test_out_of_scope_asks_for_a_token_first(stage: Stage) -> None:
    with refused(401):
        library(stage.system, None).pipelines_list(stage.project)
