"""Deployments, their versions, and going over from one to another: at once and in steps."""

from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from playwright.sync_api import Page, expect

from web.axe import grave_problems

ONE = "/deployments/staged"
VERSIONS = f"{ONE}/versions"


@pytest.fixture
def answering(api: httpx2.Client) -> tuple[str, int]:
    """Address and port of something that answers."""
    deployment = api.get("/deployments/hello").json()
    path = f"/deployments/hello/versions/{deployment['default_version']}/instances"
    instance = api.get(path).json()["results"][0]
    return instance["address"], 9300  # where the service says that they listen


@pytest.fixture
def staged(api: httpx2.Client, answering: tuple[str, int]) -> Iterator[dict[str, Any]]:
    """A service on a deployment with two versions, each with an instance that answers."""
    made(api, "/deployments", {"name": "staged"})
    for version in ("v1", "v2"):
        made(api, VERSIONS, {"version": version, "health_check": {"interval": 1}})
        made(api, f"{VERSIONS}/{version}/instances", {"address": answering[0], "port": answering[1]})
    yield made(api, "/services", {"name": "staged", "deployment": "staged", "port": answering[1]})
    api.delete("/services/staged").raise_for_status()
    api.delete(ONE).raise_for_status()


def made(api: httpx2.Client, path: str, body: dict[str, Any]) -> dict[str, Any]:
    answer = api.post(path, json=body)
    assert answer.is_success, answer.text
    made: dict[str, Any] = answer.json()
    return made


def test_a_deployment_is_made_gets_a_version_with_an_instance_and_is_deleted(
    app: Page, api: httpx2.Client, answering: tuple[str, int]
) -> None:
    app.get_by_role("link", name="Deployments", exact=True).click()
    app.get_by_role("button", name="Create deployment").first.click()
    dialog = app.get_by_role("dialog")
    dialog.get_by_label("Name").fill("By Hand")
    expect(dialog.get_by_text("starting with a letter")).to_be_visible()
    dialog.get_by_label("Name").fill("by-hand")
    dialog.get_by_role("button", name="Create").click()
    expect(app.get_by_role("heading", name="by-hand", level=1)).to_be_visible()

    app.get_by_role("button", name="Create version").click()
    dialog.get_by_label("Name").fill("v1")
    dialog.get_by_label("Path").fill("health")
    expect(dialog.get_by_text("must start with a single /")).to_be_visible()
    dialog.get_by_label("Path").fill("/")
    assert grave_problems(app) == []
    dialog.get_by_role("button", name="Create").click()
    expect(app.get_by_role("heading", name="v1", level=1)).to_be_visible()
    assert api.get("/deployments/by-hand/versions/v1").json()["health_check"]["path"] == "/"

    app.get_by_role("button", name="Register an instance").click()
    dialog.get_by_label("Address").fill(answering[0])
    dialog.get_by_label("Port").fill(str(answering[1]))
    dialog.get_by_role("button", name="Register").click()
    expect(app.get_by_text("1/1 healthy")).to_be_visible()

    app.goto("/projects/default/deployments/by-hand/danger")
    app.get_by_role("button", name="Delete by-hand").click()
    dialog.get_by_label("Type by-hand to confirm").fill("by-hand")
    dialog.get_by_role("button", name="Delete the deployment").click()
    expect(app.get_by_role("heading", name="Deployments", exact=True)).to_be_visible()
    expect(app.get_by_role("link", name="by-hand")).to_have_count(0)


def test_what_is_changed_of_a_version_is_shown_before_it_is_saved(
    app: Page, api: httpx2.Client, staged: dict[str, Any]
) -> None:
    app.goto("/projects/default/deployments/staged/versions/v2/settings")
    app.get_by_label("Description").fill("the second")
    app.get_by_label("Unhealthy after failures").fill("3")
    app.get_by_role("button", name="Review and save").click()
    review = app.get_by_role("dialog")
    expect(review.get_by_role("row")).to_have_count(3)  # the head, and two changes
    expect(review.get_by_role("row", name="Health check")).to_contain_text("failure_threshold: 3")
    review.get_by_role("button", name="Save").click()
    expect(app.get_by_text("Saved", exact=True)).to_be_visible()
    now = api.get(f"{VERSIONS}/v2").json()
    assert (now["description"], now["health_check"]["failure_threshold"]) == ("the second", 3)
    assert now["health_check"]["interval"] == 1  # what was not touched stays


def test_switching_the_default_version_says_which_services_go_over_and_whether_it_can_answer(
    app: Page, api: httpx2.Client, staged: dict[str, Any]
) -> None:
    made(api, VERSIONS, {"version": "empty"})
    app.goto("/projects/default/deployments/staged")
    rows = app.get_by_role("table", name="Versions").get_by_role("row")
    expect(rows.filter(has_text="v1")).to_contain_text("1/1 healthy")
    app.get_by_role("button", name="Make default: empty").click()
    dialog = app.get_by_role("dialog")
    expect(dialog.get_by_text("1 service follows the default version")).to_be_visible()
    expect(dialog.get_by_role("link", name="staged")).to_be_visible()
    expect(dialog.get_by_role("alert")).to_contain_text("empty has no healthy instance")
    assert grave_problems(app) == []
    dialog.get_by_role("button", name="Cancel").click()

    expect(rows.filter(has_text="v2")).to_contain_text("1/1 healthy")
    app.get_by_role("button", name="Make default: v2").click()
    expect(dialog.get_by_text("v2 has 1/1 healthy")).to_be_visible()
    dialog.get_by_role("button", name="Make it the default").click()
    expect(dialog).to_have_count(0)
    expect(rows.filter(has_text="v2").get_by_text("default", exact=True)).to_be_visible()
    assert api.get(ONE).json()["default_version"] == "v2"


def test_a_rollout_is_begun_stopped_and_taken_back(app: Page, api: httpx2.Client, staged: dict[str, Any]) -> None:
    app.goto("/projects/default/deployments/staged")
    rows = app.get_by_role("table", name="Versions").get_by_role("row")
    for version in ("v1", "v2"):
        expect(rows.filter(has_text=version)).to_contain_text("1/1 healthy")
    app.goto("/projects/default/services/staged/rollout")
    app.get_by_role("combobox", name="New version").click()
    app.get_by_role("option", name="v2").click()
    app.get_by_label("Step 1: percent of the requests").fill("120")
    app.get_by_role("button", name="Begin").click()
    expect(app.get_by_text("must be at most 100").or_(app.get_by_text("must be between 0 and 100"))).to_be_visible()
    app.get_by_label("Step 1: percent of the requests").fill("10")
    app.get_by_role("button", name="Begin").click()

    expect(app.get_by_role("heading", name="From v1 to v2")).to_be_visible()
    expect(app.get_by_text("10 % to v2", exact=True)).to_be_visible()
    assert grave_problems(app) == []
    app.get_by_role("button", name="Next step").click()
    expect(app.get_by_text("25 % to v2", exact=True)).to_be_visible()
    app.get_by_role("button", name="Stop here").click()
    expect(app.get_by_text("stopped", exact=True)).to_be_visible()
    app.get_by_role("button", name="Go back").click()
    dialog = app.get_by_role("dialog")
    expect(dialog).to_contain_text("All requests go to v1 from now on")
    dialog.get_by_role("button", name="Go back").click()

    past = app.get_by_role("table", name="Rollouts before")
    expect(past.get_by_role("row").filter(has_text="v1 → v2")).to_contain_text("gone back")
    assert api.get("/services/staged/rollouts").json()[0]["state"] == "rolled_back"
    expect(app.get_by_role("button", name="Begin")).to_be_visible()
