"""If-Match: a change that was meant for an older revision is refused, on services, deployments and versions."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from integration.registry_kit import SERVICE, P, running

from narthex.testing.rest import Rest

DEPLOYMENT = f"{P}/deployments/hello"
PATHS = [f"{P}/services/web", DEPLOYMENT, f"{DEPLOYMENT}/versions/v1"]
CHANGE = {"description": "another"}


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[Rest]:
    """The API of a registry with a deployment, a version and a service."""
    async with running(tmp_path) as client:
        await client.made(f"{P}/deployments", {"name": "hello"})
        await client.made(f"{DEPLOYMENT}/versions", {"version": "v1"})
        await client.made(f"{P}/services", SERVICE)
        yield client


async def sent(api: Rest, method: str, path: str, body: Any = None, if_match: str | None = None) -> tuple[int, Any]:
    """The status, and the ETag or the error."""
    headers = {} if if_match is None else {"If-Match": if_match}
    async with api.session.request(method, path, json=body, headers=headers) as response:
        failed = response.status >= 400
        return response.status, (await response.json())["error"] if failed else response.headers.get("ETag")


async def test_an_answer_says_the_revision_that_it_shows(api: Rest) -> None:
    assert await sent(api, "POST", f"{P}/services", SERVICE | {"name": "other"}) == (201, '"1"')
    for path in PATHS:
        status, first = await sent(api, "GET", path)
        assert (status, first) == (200, '"1"' if path != DEPLOYMENT else '"2"')  # its version became the default
        changed = (200, f'"{int(first.strip(chr(34))) + 1}"')
        assert await sent(api, "PATCH", path, CHANGE) == changed
        assert await sent(api, "GET", path) == changed


@pytest.mark.on_postgres
@pytest.mark.parametrize("path", PATHS)
async def test_of_two_who_have_read_the_same_the_second_is_refused(api: Rest, path: str) -> None:
    _, seen = await sent(api, "GET", path)
    assert (await sent(api, "PATCH", path, CHANGE, seen))[0] == 200
    status, error = await sent(api, "PATCH", path, {"description": "too late"}, seen)
    assert status == 412
    assert "has changed since you read it: it is at revision" in error
    assert (await sent(api, "DELETE", path, None, seen))[0] == 412
    assert (await api.get(path))[1]["description"] == "another"


@pytest.mark.parametrize("if_match", ["*", '"0", "1"', '"1",W/"1"'])
async def test_a_list_of_revisions_and_any_revision_are_understood(api: Rest, if_match: str) -> None:
    assert (await sent(api, "DELETE", PATHS[0], None, if_match))[0] == 204


@pytest.mark.parametrize(("if_match", "status"), [('W/"1"', 412), ('"x"', 412), ("1", 400), ("", 400), ('"1', 400)])
async def test_what_names_no_revision_changes_nothing(api: Rest, if_match: str, status: int) -> None:
    assert (await sent(api, "DELETE", PATHS[0], None, if_match))[0] == status
    assert (await api.get(PATHS[0]))[0] == 200


async def test_a_change_that_changes_nothing_keeps_the_revision(api: Rest) -> None:
    assert await sent(api, "PATCH", PATHS[0], {"port": SERVICE["port"]}, '"1"') == (200, '"1"')
