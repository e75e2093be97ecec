"""Settings: what changes is shown before it is saved, and nobody's change is lost under another's."""

from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from playwright.sync_api import Page, expect

HOSTILE = '"><script>document.title="broken in"</script><img src=x onerror=alert(1)>'


@pytest.fixture
def service(api: httpx2.Client) -> Iterator[dict[str, Any]]:
    body = {"name": "tuned", "deployment": "hello", "port": 9300, "description": HOSTILE, "labels": {"team": "<b>red"}}
    yield api.post("/services", json=body).raise_for_status().json()
    api.delete("/services/tuned").raise_for_status()


def test_only_what_was_changed_is_saved_after_it_was_shown(
    app: Page, api: httpx2.Client, service: dict[str, Any]
) -> None:
    app.goto("/projects/default/services/tuned/settings")
    app.get_by_label("First byte of an answer").fill("30")
    app.get_by_role("combobox", name="Only from these networks").fill("127.0.0.0/8")
    app.keyboard.press("Enter")
    app.get_by_role("button", name="Review and save").click()
    review = app.get_by_role("dialog")
    expect(review.get_by_role("row")).to_have_count(3)  # the head, and two changes
    expect(review.get_by_role("row", name="Only from these networks")).to_contain_text("127.0.0.0/8")
    review.get_by_role("button", name="Save").click()
    expect(app.get_by_text("Saved", exact=True)).to_be_visible()
    now = api.get("/services/tuned").json()
    assert (now["first_byte_timeout"], now["ip_allow"]) == (30.0, ["127.0.0.0/8"])
    assert {**now, **{name: service[name] for name in ("first_byte_timeout", "ip_allow", "time_updated")}} == service


def test_a_change_of_somebody_else_is_noticed_and_not_overwritten(
    app: Page, api: httpx2.Client, service: dict[str, Any]
) -> None:
    app.goto("/projects/default/services/tuned/settings")
    app.get_by_label("First byte of an answer").fill("30")
    api.patch("/services/tuned", json={"first_byte_timeout": 5.0}).raise_for_status()
    expect(app.get_by_text("Somebody changed this service")).to_be_visible()
    app.get_by_role("button", name="Review and save").click()
    app.get_by_role("dialog").get_by_role("button", name="Save").click()
    expect(app.get_by_role("dialog").get_by_role("alert")).to_contain_text("look at it again")
    assert api.get("/services/tuned").json()["first_byte_timeout"] == 5.0


def test_what_is_stored_is_shown_as_text_whatever_is_in_it(app: Page, service: dict[str, Any]) -> None:
    app.goto("/projects/default/services/tuned")
    expect(app.get_by_text(HOSTILE)).to_be_visible()
    expect(app).to_have_title("tuned · Narthex")
    app.goto("/projects/default/services")
    expect(app.get_by_text("team:<b>red")).to_be_visible()
