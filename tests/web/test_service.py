"""One service: its charts and its instances."""

import re
from collections.abc import Iterator

import httpx2
import pytest
from playwright.sync_api import Locator, Page, expect

from narthex.testing.servers import free_port
from narthex.testing.waiting import eventually_sync


@pytest.fixture
def lonely(api: httpx2.Client) -> Iterator[str]:
    """A service whose only instance is not there; yields where it should be."""
    address = f"127.0.0.1:{free_port()}"
    for path, body in {
        "/deployments": {"name": "lonely"},
        "/deployments/lonely/versions": {"version": "v1"},
        "/deployments/lonely/versions/v1/instances": {"address": "127.0.0.1", "port": int(address.split(":")[1])},
        "/services": {"name": "lonely", "deployment": "lonely", "port": 9300},
    }.items():
        api.post(path, json=body).raise_for_status()
    yield address
    for path in ("/services/lonely", "/deployments/lonely"):
        api.delete(path).raise_for_status()


def test_an_instance_says_why_it_gets_no_requests_and_is_removed(app: Page, lonely: str) -> None:
    app.goto("/projects/default/services/lonely/call")
    expect(app.get_by_role("heading", name="Not ready yet")).to_be_visible()
    app.get_by_role("link", name="see why").click()
    row = app.get_by_role("row").filter(has_text=lonely)
    expect(row).to_contain_text("unhealthy")
    row.get_by_role("button", name=lonely).click()
    opened = app.get_by_role("dialog", name="Instance")
    expect(opened.get_by_text("refused").first).to_be_visible()
    opened.get_by_role("button", name="Drain and remove").click()
    app.get_by_role("dialog", name=f"Drain {lonely.split(':')[0]}").get_by_role(
        "button", name="Drain and remove"
    ).click()
    expect(app.get_by_role("heading", name="No instances")).to_be_visible()


def test_dragging_over_a_chart_zooms_in_and_a_button_zooms_out(app: Page) -> None:
    app.goto("/projects/default/services/hello")
    out = app.get_by_role("button", name="Zoom out")

    def zooms_in() -> bool:  # a chart that was resized just then has forgotten the beginning
        drag(app, app.get_by_role("region", name="Time to the whole answer").locator(".u-over"))
        return out.count() > 0

    assert eventually_sync(zooms_in)
    out.click()
    expect(out).to_have_count(0)
    app.get_by_text("30 d", exact=True).click()
    expect(app.get_by_role("region", name=re.compile("Requests, each .*hours"))).to_be_visible()


def drag(app: Page, over: Locator) -> None:
    box = over.bounding_box()
    assert box is not None
    app.mouse.move(box["x"] + box["width"] * 0.3, box["y"] + 50)
    app.mouse.down()
    app.mouse.move(box["x"] + box["width"] * 0.6, box["y"] + 60, steps=4)
    app.mouse.up()


def test_snippets_of_a_service_with_the_installations_own_certificate_name_its_root(app: Page) -> None:
    app.goto("/projects/default/services/hello/call")
    expect(app.get_by_label("curl, to be pasted")).to_contain_text("--cacert")
    app.get_by_role("tab", name="OpenAI client").click()
    expect(app.get_by_label("OpenAI client, to be pasted")).to_contain_text("from openai import OpenAI")
