"""What somebody may not do is not offered."""

import re
from collections.abc import Iterator

import httpx2
import pytest
from playwright.sync_api import Page, expect

from web.conftest import Open, sign_in


@pytest.fixture
def viewer(open_page: Open, api: httpx2.Client) -> Iterator[Page]:
    """A program that may look at everything in the project and change nothing."""
    made = api.post("/service-users", json={"name": "viewer"}).json()
    assert api.post("/role-assignments", json={"role": "project-viewer", "assignee": made["id"]}).is_success
    page = open_page("/")
    sign_in(page, made["token"])
    yield page
    assert api.delete(f"/service-users/{made['id']}").is_success


def test_a_viewer_sees_services_and_is_offered_no_change(viewer: Page) -> None:
    expect(viewer.get_by_role("link", name="hello", exact=True)).to_be_visible()
    expect(viewer.get_by_role("link", name="Create service")).to_have_count(0)
    viewer.get_by_role("link", name="hello", exact=True).click()
    expect(viewer.get_by_role("tab", name="Requests")).to_be_visible()
    expect(viewer.get_by_role("tab", name="Settings")).to_have_count(0)
    expect(viewer.get_by_role("tab", name="Danger zone")).to_have_count(0)
    viewer.get_by_role("tab", name="Access and limits").click()
    expect(viewer.get_by_role("region", name="Limits", exact=True)).to_contain_text("no limit")
    expect(viewer.get_by_role("button", name="Review and save")).to_have_count(0)


def test_a_page_that_is_not_for_somebody_says_what_they_need(viewer: Page) -> None:
    viewer.goto("/projects/default/services/new")
    expect(viewer.get_by_role("heading", name="Not for you yet")).to_be_visible()
    expect(viewer.get_by_text("services.create")).to_be_visible()


CHANGES = re.compile("^(Create|Add|Edit|Delete|Remove|Make|Register|Give|Take back|Begin|Actions)", re.IGNORECASE)
PLACES = ("deployments", "deployments/hello", "members", "roles", "service-users", "webhooks", "variables", "audit")


@pytest.mark.parametrize("place", [*PLACES, "services/hello/rollout"])
def test_a_viewer_is_offered_no_change_anywhere_in_the_project(viewer: Page, place: str) -> None:
    viewer.goto(f"/projects/default/{place}")
    expect(viewer.get_by_role("heading", level=1)).to_be_visible()
    expect(viewer.locator("[aria-busy=true]")).to_have_count(0)
    expect(viewer.get_by_role("main").get_by_role("button", name=CHANGES)).to_have_count(0)
    expect(viewer.get_by_role("alert")).to_have_count(0)  # nothing was asked for that is refused


def test_the_installation_is_for_administrators(viewer: Page) -> None:
    expect(viewer.get_by_role("link", name="Deployments", exact=True)).to_be_visible()
    expect(viewer.get_by_role("link", name="State", exact=True)).to_have_count(0)
    viewer.goto("/installation")
    expect(viewer.get_by_role("heading", name="For administrators")).to_be_visible()
