"""A list longer than a page of the API: only what is in sight is read, drawn, and read again."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx2
import pytest
from playwright.sync_api import Page, Request, expect

from narthex.testing.system import System

HERE = "/projects/long/services"
PAGE = 100
COUNT = 280  # on pages 0, 1 and 2; what is in sight at the end is on the last one
LAST = f"service-{COUNT - 1}"
ROWS = "main [role=table] [role=row]"


@pytest.fixture(scope="module")
def long(system: System) -> Iterator[httpx2.Client]:
    """The API of a project with a list of many services."""
    with httpx2.Client(base_url=f"{system.api_url}/v2.1", headers={"Authorization": f"Token {system.token}"}) as api:
        organization = api.get("/organizations").json()[0]["name"]
        api.post("/projects", json={"name": "long", "organization_name": organization}).raise_for_status()
        api.base_url = f"{system.api_url}/v2.1/projects/long"
        api.post("/deployments", json={"name": "behind"}).raise_for_status()
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda number: make(api, number), range(COUNT)))
        yield api


def make(api: httpx2.Client, number: int) -> None:
    body = {"name": f"service-{number:03}", "deployment": "behind", "port": 9300}
    api.post("/services", json=body).raise_for_status()


@pytest.fixture
def shown(app: Page, long: httpx2.Client) -> Page:
    """The list, at its begin."""
    app.goto(HERE)
    expect(app.get_by_role("link", name="service-000")).to_be_visible()
    return app


@pytest.fixture
def asked(shown: Page) -> list[int]:
    """The pages of the list that are asked for from now on, by their numbers."""
    numbers: list[int] = []

    def look(request: Request) -> None:
        if found := re.search(r"/v2\.1/projects/long/services\?.*\boffset=(\d+)", request.url):
            numbers.append(int(found[1]) // PAGE)

    shown.on("request", look)
    return numbers


def test_the_whole_count_is_told_and_few_rows_exist(shown: Page) -> None:
    expect(shown.get_by_role("table", name="Services")).to_have_attribute("aria-rowcount", str(COUNT + 1))
    assert shown.locator(ROWS).count() < 60


def test_the_end_is_reached_at_once_and_what_lies_between_is_not_read(shown: Page, asked: list[int]) -> None:
    to_end(shown)
    expect(shown.get_by_role("row").filter(has_text=LAST)).to_have_attribute("aria-rowindex", str(COUNT + 1))
    assert shown.locator(ROWS).count() < 60
    assert 2 in asked
    assert 1 not in asked


def test_a_change_is_shown_and_only_what_is_in_sight_is_read_for_it(
    shown: Page, asked: list[int], long: httpx2.Client
) -> None:
    to_end(shown)
    row = shown.get_by_role("row").filter(has_text=LAST)
    expect(row).to_be_visible()
    asked.clear()
    long.patch(f"/services/{LAST}", json={"labels": {"team": "changed"}}).raise_for_status()
    expect(row).to_contain_text("team:changed")
    assert 2 in asked
    assert 1 not in asked


def test_a_row_keeps_the_focus_while_it_is_out_of_sight(shown: Page) -> None:
    link = shown.get_by_role("link", name="service-003")
    link.focus()
    to_end(shown)
    expect(shown.get_by_role("link", name=LAST)).to_be_visible()
    expect(link).to_be_focused()


def test_a_search_is_of_all_and_an_open_service_leads_back(shown: Page) -> None:
    shown.get_by_label("Search services").fill(LAST)
    expect(shown.get_by_role("table", name="Services")).to_have_attribute("aria-rowcount", "2")
    shown.get_by_role("link", name=LAST).click()
    expect(shown.get_by_role("heading", name=LAST)).to_be_visible()
    shown.go_back()
    expect(shown.get_by_label("Search services")).to_be_visible()


def test_an_address_is_copied_from_a_row_which_says_so(shown: Page, system: System) -> None:
    shown.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=system.api_url)
    row = shown.get_by_role("row").filter(has_text="service-000")
    row.get_by_role("button", name="Copy the address").click()
    expect(shown.get_by_role("status").filter(has_text="Copied")).to_have_count(1)
    copied = shown.evaluate("() => navigator.clipboard.readText()")
    assert copied == row.get_by_role("link").nth(1).get_attribute("href")
    expect(shown.get_by_role("heading", name="Services", exact=True)).to_be_visible()  # the row was not opened


def to_end(page: Page) -> None:
    page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
