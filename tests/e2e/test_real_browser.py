"""Signing in to a service in Chromium: pages, WebSockets and events by the cookie, and where it counts for nothing."""

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from e2e.conftest import Caller
from e2e.test_access import Api
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from narthex.testing.system import System
from narthex.testing.waiting import eventually_sync

CHROMIUM = shutil.which("chromium")
SOON_MS = 10_000
PASSWORD = "correct horse"
# What a page does that wants to act in the name of whoever has signed in elsewhere.
POSTS = "url => fetch(url, {method: 'POST', mode: 'no-cors', credentials: 'include', body: 'x'})"
OPENS = """url => new Promise(done => {
  const socket = new WebSocket(url)
  socket.onopen = () => done("open")
  socket.onerror = () => done("refused")
})"""

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium here")


@pytest.fixture(scope="module")
def api(system: System) -> Iterator[Api]:
    made = Api(system)
    yield made
    made.http.close()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@dataclass
class Services:
    """Two of one deployment that ask browsers to sign in, and somebody who may call both."""

    ours: str  # origins
    sibling: str
    email: str


@pytest.fixture(scope="module")
def services(api: Api, system: System, fastapi_service: Caller) -> Iterator[Services]:
    names = ("signed-in", "signed-in-too")
    made = [
        api.call("POST", "/services", {"name": name, "deployment": "fast", "port": 9010, "browser_sign_in": True})
        for name in names
    ]
    root = str(api.http.base_url.join("/v2.1"))
    email = "ida@people.test"
    user = api.http.post(f"{root}/user", json={"email": email, "password": PASSWORD}).json()
    assert api.http.post(f"{root}/organizations/default/users", json={"email": email}).is_success
    api.call("POST", "/users", {"user_id": user["id"]})
    api.call("POST", "/role-assignments", {"role": "deployment-request-user", "assignee": user["id"]})
    for service in made:
        caller = Caller(system, f"{service['id']}.services.localhost")
        assert eventually_sync(lambda caller=caller: caller.get("/who").status_code == 200)
        caller.http.close()
    yield Services(*(service["endpoint"] for service in made), email)
    for name in names:
        api.call("DELETE", f"/services/{name}")


@pytest.fixture
def context(chromium: Browser) -> Iterator[BrowserContext]:
    """A browser without a past. That the certificate is good is another test's business."""
    made = chromium.new_context(ignore_https_errors=True)
    made.set_default_timeout(SOON_MS)
    yield made
    made.close()


def sign_in(context: BrowserContext, services: Services, system: System, path: str = "/page") -> Page:
    """Open a page of the service, and come to it by way of the sign-in page."""
    page = context.new_page()
    page.goto(f"{services.ours}{path}")
    assert page.url.startswith(f"http://127.0.0.1:{system.api_port}/sign-in?")
    page.get_by_label("E-mail address").fill(services.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{services.ours}{path}")
    return page


def test_a_page_its_websocket_and_its_events_work_by_the_cookie_of_a_sign_in(
    context: BrowserContext, services: Services, system: System
) -> None:
    page = sign_in(context, services, system, "/page?of=2")
    expect(page).to_have_title("An application")
    expect(page.locator("#socket")).to_have_text("HELLO")
    expect(page.locator("#events")).to_have_text("01234")
    [cookie] = context.cookies(services.ours)
    assert (cookie["name"], cookie["httpOnly"], cookie["secure"], cookie["sameSite"]) == (
        "__Host-narthex", True, True, "Lax"
    )  # fmt: skip
    seen = page.evaluate("fetch('/seen').then(answer => answer.json())")
    assert seen["x-narthex-user"] == services.email
    assert "__Host-narthex" not in str(seen)
    assert page.evaluate("fetch('/upload', {method: 'POST', body: 'x'}).then(answer => answer.status)") == 200


def test_the_sibling_asks_again_and_its_pages_may_do_nothing_here(
    context: BrowserContext, services: Services, system: System
) -> None:
    sign_in(context, services, system)
    [cookie] = context.cookies(services.ours)
    sibling = context.new_page()
    sibling.goto(f"{services.sibling}/page")
    assert "/sign-in?" in sibling.url  # the browser has nothing for it
    context.add_cookies([{"name": cookie["name"], "value": cookie["value"], "url": services.sibling, "secure": True}])
    sibling.goto(f"{services.sibling}/page")
    assert "/sign-in?" in sibling.url  # and what it has is another's
    sibling.get_by_label("E-mail address").fill(services.email)
    sibling.get_by_label("Password").fill(PASSWORD)
    sibling.get_by_role("button", name="Sign in").click()
    sibling.wait_for_url(f"{services.sibling}/page")
    ours = services.ours
    with context.expect_event("response", lambda answer: answer.url == f"{ours}/upload") as answered:
        sibling.evaluate(POSTS, f"{ours}/upload")
    assert answered.value.status == 403
    assert sibling.evaluate(OPENS, f"{ours.replace('https', 'wss')}/echo") == "refused"


def test_signing_out_ends_the_session_in_every_tab_and_for_every_copy(
    chromium: Browser, context: BrowserContext, services: Services, system: System
) -> None:
    page = sign_in(context, services, system)
    expect(page.locator("#socket")).to_have_text("HELLO")
    [cookie] = context.cookies(services.ours)
    leaving = context.new_page()
    leaving.goto(f"{services.ours}/.narthex/sign-out")
    expect(leaving.get_by_role("heading")).to_have_text("You have signed out")
    assert context.cookies(services.ours) == []
    expect(page.locator("#socket")).to_have_text("HELLO closed", timeout=SOON_MS)
    thief = chromium.new_context(ignore_https_errors=True)
    thief.add_cookies([{"name": cookie["name"], "value": cookie["value"], "url": services.ours, "secure": True}])
    stolen = thief.new_page()

    def refused() -> bool:  # the other worker hears of it in a moment
        stolen.goto(f"{services.ours}/page")
        return "/sign-in?" in stolen.url

    assert eventually_sync(refused)
    thief.close()
    leaving.get_by_role("link", name="Sign in again").click()
    leaving.wait_for_url(re.compile(r"/sign-in\?"))


def test_a_share_link_opens_the_page_in_a_browser_that_has_signed_in_nowhere(
    context: BrowserContext, services: Services, system: System
) -> None:
    link = system.json("services", "share", "signed-in", "--for", "1h", "--path", "/page")["url"]
    page = context.new_page()
    page.goto(link)
    assert page.url == f"{services.ours}/page"
    expect(page.locator("#socket")).to_have_text("HELLO")
    expect(page.locator("#events")).to_have_text("01234")
    system.cli("services", "unshare", "signed-in")
    expect(page.locator("#socket")).to_have_text("HELLO closed", timeout=SOON_MS)
    assert eventually_sync(lambda: page.reload() is not None and "/sign-in?" in page.url)
