"""The web app in Debian's Chromium, against a whole system; each page is watched for errors and breaches of its policy.

A page that says something to the console is a failure: our own mistakes and the browser's refusals are both told there.
"""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx2
import pytest
from e2e.conftest import Caller
from playwright.sync_api import Browser, ConsoleMessage, Page, Response, expect, sync_playwright

import narthex_registry
from narthex.testing.system import System, running_system
from web.provider import as_settings, provider
from web.stored import Stored, store

BUILT = Path(narthex_registry.__file__).parent / "web_dist" / "index.html"
CHROMIUM = shutil.which("chromium")
TIMEOUT_MS = 20_000  # of a busy machine
# The browser tells of every answer of 400 and above; what a page makes of one is looked at by the tests.
ANSWERS = "Failed to load resource"

Open = Callable[..., Page]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.timeout(180))
            if CHROMIUM is None:
                item.add_marker(pytest.mark.skip(reason="there is no chromium here"))


@pytest.fixture(scope="package")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """A system with a deployment `hello`, two instances and a service of that name."""
    assert BUILT.exists(), "the web app is not built; run: make web"
    directory = tmp_path_factory.mktemp("web")
    with (
        provider() as issuer,
        running_system(directory, "--router-workers", "1", settings=as_settings(issuer)) as running,
    ):
        running.run(
            "hello",
            "--port",
            "9300",
            "--replicas",
            "2",
            "--",
            "python",
            "-m",
            "http.server",
            "{port}",
            "--bind",
            "{host}",
        )
        yield running


@pytest.fixture(scope="package")
def stored(system: System) -> Stored:
    """What all pages are looked at with."""
    return store(system)


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    expect.set_options(timeout=TIMEOUT_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


class Watch:
    """What pages said that they should not have."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def follow(self, page: Page) -> None:
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.said.append(f"{page.url}: {error}"))
        page.on("response", self._response)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not message.text.startswith(ANSWERS):
            self.said.append(message.text)

    def _response(self, response: Response) -> None:
        if response.status >= 500:
            self.said.append(f"{response.url}: {response.status}")


@pytest.fixture
def watch() -> Iterator[Watch]:
    watching = Watch()
    yield watching
    assert watching.said == []


@pytest.fixture
def watch_nothing(watch: Watch) -> Iterator[list[str]]:
    """What pages say, for a test in which they have to."""
    yield watch.said
    watch.said.clear()


@pytest.fixture
def open_page(system: System, chromium: Browser, watch: Watch) -> Iterator[Open]:
    """A page of a browser of its own, with no session: `open_page("/login", width=390, dark=True)`."""
    contexts = []

    def opened(path: str = "/", *, width: int = 1440, dark: bool = False) -> Page:
        context = chromium.new_context(
            base_url=system.api_url,
            viewport={"width": width, "height": 900},
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce",  # what moves would be looked at half way
        )
        context.set_default_timeout(TIMEOUT_MS)
        contexts.append(context)
        page = context.new_page()
        watch.follow(page)
        page.goto(path)
        return page

    yield opened
    for context in contexts:
        context.close()


def sign_in(page: Page, token: str) -> None:
    """With a token, as the sign-in page takes it."""
    page.get_by_role("tab", name="Token").click()
    page.get_by_label("Token", exact=True).and_(page.locator("input")).fill(token)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("button", name="Your account").wait_for()


@pytest.fixture
def api(system: System) -> Iterator[httpx2.Client]:
    """The administrator's, of the project: `api.post("/services", json=…)`."""
    base_url = f"{system.api_url}/v2.1/projects/default"
    with httpx2.Client(base_url=base_url, headers={"Authorization": f"Token {system.token}"}) as client:
        yield client


@pytest.fixture
def app(open_page: Open, system: System) -> Page:
    """A page of the administrator, who has signed in and sees the services."""
    page = open_page("/")
    sign_in(page, system.token)
    return page


@pytest.fixture
def caller(system: System) -> Iterator[Callable[[str, str], Caller]]:
    """Calls the service with an id, with a token: `caller(id, token).get("/")`."""
    made: list[Caller] = []

    def calling(service_id: str, token: str) -> Caller:
        one = Caller(system, f"{service_id}.services.localhost")
        one.authorization = {"Authorization": f"Token {token}"}
        made.append(one)
        return one

    yield calling
    for one in made:
        one.http.close()
