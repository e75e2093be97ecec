"""The registry goes away and comes back, or takes access back; what others change is seen without asking."""

import os
import signal
from collections.abc import Callable

import httpx2
from e2e.conftest import Caller
from playwright.sync_api import Page, Request, expect

from narthex.cli.status import read_system
from narthex.testing.system import System
from web.conftest import Open, sign_in

SERVICES = "/projects/default/services"
AWAY = "The registry does not answer."


def test_a_page_says_that_the_registry_is_away_and_comes_back_by_itself(app: Page) -> None:
    banner = app.get_by_text("Live updates are interrupted").or_(app.get_by_text(AWAY))
    link = app.get_by_role("link", name="hello", exact=True)
    expect(link).to_be_visible()
    app.context.set_offline(True)
    expect(banner).to_be_visible()
    link.click()  # neither the page's program nor its data can be had now
    app.context.set_offline(False)
    expect(app.get_by_role("heading", name="hello")).to_be_visible()
    expect(banner).to_have_count(0)


def test_what_somebody_else_changes_is_shown_without_loading_the_page_again(app: Page, api: httpx2.Client) -> None:
    assert api.post("/services", json={"name": "from-elsewhere", "deployment": "hello", "port": 9300}).is_success
    expect(app.get_by_role("link", name="from-elsewhere")).to_be_visible()
    expect(app.get_by_role("row").filter(has_text="from-elsewhere")).to_contain_text("2/2 ready")
    assert api.delete("/services/from-elsewhere").is_success
    expect(app.get_by_role("link", name="from-elsewhere")).to_have_count(0)


def test_all_pages_live_through_a_registry_that_stands_still_and_dies_and_a_form_keeps_what_was_typed(
    app: Page,
    api: httpx2.Client,
    system: System,
    caller: Callable[[str, str], Caller],
    watch_nothing: list[str],
) -> None:
    """A list, charts, requests that are followed, and a form that is sent meanwhile."""
    expect(app.get_by_role("link", name="hello", exact=True)).to_be_visible()
    charts, tail, form = (app.context.new_page() for _ in range(3))
    charts.goto(f"{SERVICES}/hello")
    expect(charts.get_by_role("region", name="Time to the whole answer")).to_be_visible()
    tail.goto(f"{SERVICES}/hello/requests")
    tail.get_by_role("button", name="Follow live").click()
    expect(tail.get_by_role("heading", name="Following")).to_be_visible()
    fill(form, "made-in-between")

    registry = registry_of(system)
    os.kill(registry, signal.SIGSTOP)
    form.get_by_role("button", name="Create", exact=True).click()
    app.get_by_label("Search services").fill("hell")
    charts.get_by_text("1 h", exact=True).click()
    for page in (form, app, charts):
        expect(page.get_by_text(AWAY)).to_be_visible()

    os.kill(registry, signal.SIGKILL)
    problem = form.get_by_role("alert").filter(has_text="The service was not made")
    expect(problem).to_contain_text("whether this was done is not known")
    expect(form.get_by_label("Name")).to_have_value("made-in-between")

    for page in (app, charts, tail, form):
        expect(page.get_by_text(AWAY).or_(page.get_by_text("Live updates are interrupted"))).to_have_count(0)
    expect(app.get_by_role("link", name="hello", exact=True)).to_be_visible()
    expect(charts.get_by_role("alert")).to_have_count(0)
    form.get_by_role("button", name="Create", exact=True).click()
    expect(form.get_by_role("heading", name="made-in-between")).to_be_visible()
    service = api.get("/services/hello").json()["id"]
    assert caller(service, system.token).get("/?followed-again").status_code == 200
    expect(tail.get_by_role("row").filter(has_text="followed-again")).to_be_visible()
    expect(tail.get_by_text("Requests that came meanwhile are not here")).to_be_visible()
    api.delete("/services/made-in-between").raise_for_status()


def fill(page: Page, name: str) -> None:
    """The form that makes a service."""
    page.goto(f"{SERVICES}/new")
    page.get_by_label("Name").fill(name)
    page.get_by_role("combobox", name="Deployment").click()
    page.get_by_role("option", name="hello").click()
    page.get_by_label("Port").fill("9300")


def registry_of(system: System) -> int:
    found = next(part.pid for part in read_system(system.data_dir).parts if part.name == "registry")
    assert found is not None
    return found


def test_streams_end_with_the_role_they_were_allowed_by_and_are_not_asked_for_again(
    open_page: Open, api: httpx2.Client
) -> None:
    program = api.post("/service-users", json={"name": "watcher"}).json()
    roles = {"sees": ["services.list", "services.get"], "follows": ["deployments.versions.requests.list"]}
    given = {name: give(api, program["id"], name, permissions) for name, permissions in roles.items()}
    page = open_page("/")
    with page.expect_request("**/live/stream"):  # the first page's own, which may be late
        sign_in(page, program["token"])
    streams: list[str] = []
    page.on("request", lambda request: note(streams, request))
    page.goto(f"{SERVICES}/hello/requests")
    page.get_by_role("button", name="Follow live").click()
    expect(page.get_by_role("heading", name="Following")).to_be_visible()
    api.delete(f"/role-assignments/{given['follows']}").raise_for_status()
    expect(page.get_by_role("alert")).to_contain_text("Your access was taken back")
    api.delete(f"/role-assignments/{given['sees']}").raise_for_status()
    expect(page.get_by_role("heading", name="Not for you yet")).to_be_visible()
    assert sorted(streams) == ["live/stream", "requests/stream"]
    api.delete(f"/service-users/{program['id']}").raise_for_status()
    for name in given:
        api.delete(f"/roles/{name}").raise_for_status()


def give(api: httpx2.Client, assignee: str, role: str, permissions: list[str]) -> str:
    """A new role; returns the assignment."""
    api.post("/roles", json={"name": role, "permissions": permissions}).raise_for_status()
    given = api.post("/role-assignments", json={"role": role, "assignee": assignee}).raise_for_status().json()
    return str(given["id"])


def note(streams: list[str], request: Request) -> None:
    path = request.url.split("?")[0]
    if path.endswith("/stream"):
        streams.append("/".join(path.split("/")[-2:]))
