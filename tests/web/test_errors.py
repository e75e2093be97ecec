"""What went wrong is said with what to do about it and the request's id, and pages recover by themselves or when asked.

The API's own refusals are real; only what no registry does on demand, a failure of its own, is put in its place.
"""

import re
from collections.abc import Callable

import httpx2
from playwright.sync_api import Locator, Page, Route, expect

from narthex.testing.system import System
from web.conftest import Open, sign_in

SERVICES = "**/v2.1/projects/default/services?*"
PERMISSIONS = "**/v2.1/session/permissions?*"
STREAM = "**/v2.1/projects/*/live/stream*"


def says(problem: Locator, *words: str) -> None:
    for word in words:
        expect(problem).to_contain_text(word)
    expect(problem).to_contain_text(re.compile(r"Request \S{8,}"))


def failure(route: Route) -> None:
    body = '{"error": "something went wrong inside Narthex", "code": "internal"}'
    headers = {"x-request-id": "0123456789", "content-type": "application/json"}
    route.fulfill(status=500, headers=headers, body=body)


def test_a_name_that_is_taken_is_said_where_the_service_is_made(app: Page) -> None:
    app.goto("/projects/default/services/new")
    app.get_by_label("Name").fill("hello")
    app.get_by_role("combobox", name="Deployment").click()
    app.get_by_role("option", name="hello").click()
    app.get_by_label("Port").fill("9300")
    app.get_by_role("button", name="Create", exact=True).click()
    says(app.get_by_role("main"), "there is already a service hello")
    expect(app.get_by_label("Name")).to_have_value("hello")  # nothing that was typed is lost


def test_a_role_that_was_taken_back_meanwhile_is_said_with_whom_to_ask(
    open_page: Open, system: System, api: httpx2.Client
) -> None:
    made = api.post("/service-users", json={"name": "editor"}).json()
    for role in ("project-viewer", "project-admin"):
        given = api.post("/role-assignments", json={"role": role, "assignee": made["id"]}).json()
    api.post("/services", json={"name": "kept", "deployment": "hello", "port": 9300}).raise_for_status()
    page = open_page("/")
    sign_in(page, made["token"])
    page.goto("/projects/default/services/kept/danger")
    page.get_by_role("button", name="Delete kept").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Type kept to confirm").fill("kept")
    page.route("**/session/permissions*", lambda route: route.abort())  # the page does not learn of it in time
    api.delete(f"/role-assignments/{given['id']}").raise_for_status()
    dialog.get_by_role("button", name="Delete the service").click()
    says(page.get_by_role("alert").filter(has_text="Request"), "Ask somebody who manages this project")
    assert api.get("/services/kept").is_success
    api.delete("/services/kept").raise_for_status()
    api.delete(f"/service-users/{made['id']}").raise_for_status()


def test_a_failure_of_the_registry_names_the_request_and_is_over_when_asked_again(
    app: Page, watch_nothing: list[str]
) -> None:
    app.route(SERVICES, failure)
    app.reload()
    problem = app.get_by_role("alert")
    says(problem, "Something went wrong inside Narthex", "log", "0123456789")
    app.unroute(SERVICES)
    problem.get_by_role("button", name="Try again").click()
    expect(app.get_by_role("link", name="hello", exact=True)).to_be_visible()


def test_a_refusal_at_a_field_names_the_request_too(app: Page, api: httpx2.Client) -> None:
    app.goto("/projects/default/webhooks")
    app.get_by_role("button", name="Create webhook").first.click()
    dialog = app.get_by_role("dialog")
    dialog.get_by_label("Name").fill("to-myself")
    dialog.get_by_label("Address").fill("http://127.0.0.1:1/")
    dialog.get_by_role("button", name="Create").click()
    says(dialog, "127.0.0.1 is not on the public Internet")
    expect(dialog.get_by_role("alert")).to_have_count(0)  # it is said once, at the field
    assert not any(webhook["name"] == "to-myself" for webhook in api.get("/webhooks").json())


def test_when_it_cannot_be_read_what_somebody_may_do_no_page_says_that_they_may_not(
    app: Page, watch_nothing: list[str]
) -> None:
    app.route(PERMISSIONS, failure)
    app.goto("/account")  # for which nothing is needed
    expect(app.get_by_role("heading", name="Your account")).to_be_visible()
    app.goto("/projects/default/services")
    says(app.get_by_role("alert"), "What you may do here could not be read", "0123456789")
    expect(app.get_by_role("navigation", name="Pages")).to_contain_text("could not be read")
    expect(app.get_by_role("heading", name="Not for you yet")).to_have_count(0)
    app.unroute(PERMISSIONS)
    expect(app.get_by_role("link", name="hello", exact=True)).to_be_visible()  # by itself


def test_a_filter_a_forms_choices_and_what_is_shown_say_why_they_cannot_be_followed_read_and_read_again(
    app: Page, api: httpx2.Client, watch_nothing: list[str]
) -> None:
    app.goto("/projects/default/services/hello/requests?path=(")
    app.get_by_role("button", name="Follow live").click()
    says(app.get_by_role("alert"), "must be an RE2 regular expression")
    app.goto("/projects/default/members")
    app.route("**/v2.1/projects/default/roles", failure)
    app.get_by_role("button", name="Give a role").click()
    says(app.get_by_role("dialog").get_by_role("alert"), "Not all choices could be read", "0123456789")
    app.goto("/projects/default/deployments")
    expect(app.get_by_role("link", name="hello", exact=True)).to_be_visible()
    app.route("**/v2.1/projects/default/deployments", failure)
    api.post("/deployments", json={"name": "unseen"}).raise_for_status()
    says(app.get_by_role("alert"), "What is shown is old", "0123456789")
    expect(app.get_by_role("link", name="hello", exact=True)).to_be_visible()
    app.unroute("**/v2.1/projects/default/deployments")
    api.delete("/deployments/unseen").raise_for_status()
    expect(app.get_by_role("alert")).to_have_count(0)


def test_why_something_could_not_be_read_stays_until_it_could(app: Page, watch_nothing: list[str]) -> None:
    """A list, a form's choices, and what is kept while another stretch of time is read."""
    stays_until_it_could_be_read(app, SERVICES, app.reload)
    app.goto("/projects/default/members")
    give = app.get_by_role("button", name="Give a role")
    stays_until_it_could_be_read(app, "**/v2.1/projects/default/roles", give.click)
    app.goto("/projects/default/services/hello")
    expect(app.get_by_role("region", name="Time to the whole answer")).to_be_visible()
    hour = app.get_by_text("1 h", exact=True)
    stays_until_it_could_be_read(app, "**/services/hello/chart?*", hour.click)


def stays_until_it_could_be_read(page: Page, address: str, begin: Callable[[], object]) -> None:
    page.route(address, failure)
    begin()
    problem = page.get_by_role("alert")
    expect(problem).to_be_visible()
    page.unroute(address)
    page.route(address, lambda route: None)  # held until it is let go of
    with page.expect_request(address):
        problem.get_by_role("button", name="Try again").click()
    page.evaluate("new Promise(requestAnimationFrame)")
    expect(problem).to_have_count(1)
    page.unroute(address)
    expect(problem).to_have_count(0)


def test_a_refusal_is_not_said_again_of_what_is_asked_next(app: Page, system: System, watch_nothing: list[str]) -> None:
    with httpx2.Client(base_url=system.api_url, headers={"Authorization": f"Token {system.token}"}) as me:
        tokens = [me.post("/v2.1/user/tokens", json={"name": name}).json()["id"] for name in ("first", "second")]
        app.goto("/account")
        app.route("**/v2.1/user/tokens/*", failure)
        app.get_by_role("button", name="Revoke first").click()
        dialog = app.get_by_role("dialog")
        dialog.get_by_role("button", name="Revoke").click()
        says(dialog.get_by_role("alert"), "Not done", "0123456789")
        dialog.get_by_role("button", name="Cancel").click()
        app.get_by_role("button", name="Revoke second").click()
        expect(dialog).to_contain_text("Revoke second?")
        expect(dialog.get_by_role("alert")).to_have_count(0)
        for token in tokens:
            me.delete(f"/v2.1/user/tokens/{token}").raise_for_status()


def test_what_is_not_there_is_said_with_the_way_back(app: Page) -> None:
    app.goto("/projects/default/services/nowhere")
    says(app.get_by_role("alert"), "nowhere")
    app.goto("/nowhere")
    expect(app.get_by_role("heading", name="There is no such page")).to_be_visible()


def test_without_the_live_stream_the_page_says_that_numbers_may_be_old_until_it_is_back(
    app: Page, api: httpx2.Client, watch_nothing: list[str]
) -> None:
    banner = app.get_by_text("Live updates are interrupted")
    app.route(STREAM, lambda route: route.fulfill(status=503, body="{}"))
    app.reload()
    expect(banner).to_be_visible()
    expect(app.get_by_role("link", name="hello", exact=True)).to_be_visible()  # all else goes on
    api.post("/services", json={"name": "meanwhile", "deployment": "hello", "port": 9300}).raise_for_status()
    app.unroute(STREAM)
    expect(banner).to_have_count(0)
    expect(app.get_by_role("link", name="meanwhile", exact=True)).to_be_visible()  # of which no stream told
    api.delete("/services/meanwhile").raise_for_status()
    expect(app.get_by_role("row").filter(has_text="hello").first).to_contain_text("ready")
