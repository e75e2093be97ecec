"""Which project is open, also where the address names none, and the way to the others."""

from collections.abc import Iterator

import httpx2
import pytest
from playwright.sync_api import Page, expect

from narthex.testing.system import System
from web.test_errors import failure

PROJECTS = "**/v2.1/projects"


@pytest.fixture
def other(system: System) -> Iterator[str]:
    """A project beside the default one."""
    with httpx2.Client(base_url=f"{system.api_url}/v2.1", headers={"Authorization": f"Token {system.token}"}) as api:
        organization = api.get("/organizations").json()[0]["name"]
        api.post("/projects", json={"name": "other", "organization_name": organization}).raise_for_status()
        yield "other"
        api.delete("/projects/other").raise_for_status()


def test_the_project_that_was_open_stays_open_on_pages_that_belong_to_none(app: Page, other: str) -> None:
    project = app.get_by_role("combobox", name="Project")
    expect(project).to_have_value("default")
    project.click()
    app.get_by_role("option", name=other).click()
    expect(app.get_by_role("heading", name="No services yet")).to_be_visible()
    app.get_by_role("link", name="State", exact=True).click()
    expect(app.get_by_role("heading", name="Installation", exact=True)).to_be_visible()
    expect(project).to_have_value(other)
    app.get_by_role("link", name="Services", exact=True).click()
    expect(app.get_by_role("heading", name="No services yet")).to_be_visible()


def test_projects_that_could_not_be_read_are_read_again_when_somebody_looks_for_them(
    app: Page, other: str, watch_nothing: list[str]
) -> None:
    app.route(PROJECTS, failure)
    app.reload()
    project = app.get_by_role("combobox", name="Project")
    project.click()
    expect(app.get_by_role("option", name="could not be read")).to_be_visible()
    project.press("Escape")
    app.unroute(PROJECTS)
    project.click()
    app.get_by_role("option", name=other).click()
    expect(app.get_by_role("heading", name="No services yet")).to_be_visible()
