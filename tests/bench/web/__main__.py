"""How soon the web app can be used, and how it scrolls with 5,000 services and 100,000 requests: `make bench-web`.

System and Chromium share the machine, so the figures are those of a laptop that runs both. SERVICES and REQUESTS in the
environment make it smaller. Filling takes minutes, the measuring one.
"""

import os
import shutil
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from bench.web import filling, scrolling
from narthex.testing.system import System, running_system

SERVICES = int(os.environ.get("SERVICES", "5000"))
REQUESTS = int(os.environ.get("REQUESTS", "100000"))
ROUNDS = 5
HERE = "/projects/default/services"
# A page can be used when its first row is there and its search takes what is typed.
USABLE = """() => document.querySelector('.data-body [role=row]')
  && document.querySelector('main input:not([disabled])') ? performance.now() : null"""


def main() -> None:
    chromium = shutil.which("chromium")
    if chromium is None:
        raise SystemExit("make bench-web needs Chromium: make chromium")
    with (
        tempfile.TemporaryDirectory() as directory,
        running_system(Path(directory), "--router-workers", "1", settings=filling.SETTINGS) as system,
    ):
        fill(system)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
            measure(system, browser)
            browser.close()


def fill(system: System) -> None:
    began = time.monotonic()
    filling.services(system, SERVICES)
    filling.requests(system, REQUESTS)
    print(f"{SERVICES} services and {REQUESTS} requests were made in {time.monotonic() - began:.0f} s", flush=True)


def measure(system: System, browser: Browser) -> None:
    for round_number in range(ROUNDS):
        page = signed_in(system, browser)
        first, again = usable(page), usable(page)
        print(f"usable after {first:.0f} ms without a cache, {again:.0f} ms with one", flush=True)
        if round_number < ROUNDS - 1:
            page.context.close()
    table(page, "services", SERVICES)
    page.goto(f"{HERE}/busy/requests")
    table(page, "requests", REQUESTS)


def signed_in(system: System, browser: Browser) -> Page:
    """A page of a browser without a past but for the session."""
    context = browser.new_context(base_url=system.api_url, viewport={"width": 1440, "height": 900})
    headers = {"X-Narthex-App": "1", "Origin": system.api_url}
    assert context.request.post("/v2.1/session", data={"token": system.token}, headers=headers).ok
    return context.new_page()


def usable(page: Page) -> float:
    """From the navigation's begin until the services can be used, in milliseconds."""
    page.goto(HERE)
    return float(page.wait_for_function(USABLE, polling="raf").json_value())


def table(page: Page, name: str, rows: int) -> None:
    """A table to its end, then up and down: slowly, and so fast that no row is there in two frames."""
    page.locator(".data-body [role=row]").first.wait_for()
    began = time.monotonic()
    known, elements = scrolling.to_end(page, rows)
    print(f"{name}: {known} rows known after {time.monotonic() - began:.0f} s, {elements} elements", flush=True)
    for step in (40, 400):
        print(f"{name}, {step} pixels a frame: {scrolling.steadily(page, step)}", flush=True)


if __name__ == "__main__":
    main()
