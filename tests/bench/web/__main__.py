"""How soon the web app can be used, what that costs, and how it scrolls with 5,000 services and 100,000 requests:
`make bench-web`.

System and Chromium share the machine, so the figures are those of a laptop that runs both. Times are the clock's, and
say little while the machine does something else; CPU is the main thread's own. SERVICES and REQUESTS in the environment
make it smaller. Filling takes minutes, the measuring two.
"""

import os
import shutil
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
from playwright.sync_api import Browser, Page, sync_playwright

from bench.web import filling, scrolling
from bench.web.work import Loaded, Meter
from narthex.testing.system import System, running_system

SERVICES = int(os.environ.get("SERVICES", "5000"))
REQUESTS = int(os.environ.get("REQUESTS", "100000"))
ROUNDS = 5
HERE = "/projects/default/services"
STEPS = (40, 400)  # pixels a frame: as one reads, and so fast that few rows are there in two frames
CHANGE_EVERY_S = 0.2
# A page can be used when its first row is there and its search takes what is typed.
USABLE = """() => document.querySelector('.data-body [role=row] [role=cell]')
  && document.querySelector('main input:not([disabled])') ? performance.now() : null"""
# What we want to see; the issue asks for 250 KB, a second, and "smoothly".
MOST_BYTES, MOST_USABLE_MS, MOST_FRAME_MS, MOST_WORK_MS = 220_000, 1000.0, 33.4, 16.0


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
    start(system, browser)
    page = signed_in(system, browser)
    page.goto(HERE)
    table(page, "services", SERVICES)
    page.goto(HERE)
    page.locator(".data-body [role=cell]").first.wait_for()
    with changing(system):
        judge(f"services, {STEPS[0]} pixels, while some change", scrolling.steadily(page, STEPS[0]))
    page.goto(f"{HERE}/busy/requests")
    table(page, "requests", REQUESTS)


def start(system: System, browser: Browser) -> None:
    """The first page, by a browser without a past and by one that has been there."""
    size(system, browser)
    first, again, work = [], [], []
    for _ in range(ROUNDS):
        page = signed_in(system, browser)
        meter = Meter(page)
        first.append(usable(page))
        work.append(meter.read().all)
        again.append(usable(page))
        page.context.close()
    for name, times in (("without a cache", first), ("with one", again)):
        middle = statistics.median(times)
        say(f"usable {name}", f"{middle:.0f} ms, the longest {max(times):.0f}", middle, MOST_USABLE_MS, "ms")
    print(f"CPU until then without a cache: {statistics.median(work):.0f} ms", flush=True)


def size(system: System, browser: Browser) -> None:
    page = signed_in(system, browser)
    loaded = Loaded(page)
    usable(page)
    print(f"first page, until it can be used: {loaded.gzipped()} bytes gzipped, {loaded.files()} files", flush=True)
    page.get_by_role("button", name="Your account").wait_for()  # the last thing to come
    page.wait_for_load_state("networkidle")
    gzipped = loaded.gzipped()
    told = f"{gzipped} bytes gzipped, {loaded.on_the_wire()} on the wire, {loaded.files()} files"
    say("first page, with all that it loads later", told, gzipped, MOST_BYTES, "bytes")
    page.context.close()


def signed_in(system: System, browser: Browser) -> Page:
    """A page of a browser without a past but for the session."""
    context = browser.new_context(base_url=system.api_url, viewport={"width": 1440, "height": 900})
    headers = {"X-Narthex-App": "1", "Origin": system.api_url}
    assert context.request.post("/v2.1/session", data={"token": system.token}, headers=headers).ok
    return context.new_page()


def usable(page: Page) -> float:
    """From the navigation's begin until the services can be used, in milliseconds."""
    page.goto(HERE, wait_until="commit")
    return float(page.wait_for_function(USABLE, polling="raf").json_value())


def table(page: Page, name: str, rows: int) -> None:
    """A table to its end, then up and down: slowly and fast."""
    page.locator(".data-body [role=cell]").first.wait_for()
    began = time.monotonic()
    known, elements = scrolling.to_end(page, rows)
    print(f"{name}: {known} rows known after {time.monotonic() - began:.0f} s, {elements} elements", flush=True)
    for step in STEPS:
        judge(f"{name}, {step} pixels a frame", scrolling.steadily(page, step))


@contextmanager
def changing(system: System) -> Iterator[None]:
    """Somebody changes services, of which the stream tells."""
    over = threading.Event()

    def change() -> None:
        headers = {"Authorization": f"Token {system.token}"}
        with httpx2.Client(base_url=f"{system.api_url}/v2.1/projects/default/services", headers=headers) as api:
            number = 0
            while not over.wait(CHANGE_EVERY_S):
                body = {"labels": {"changed": str(number)}}
                api.patch(f"/service-{number % SERVICES:05}", json=body).raise_for_status()
                number += 1

    thread = threading.Thread(target=change)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def judge(name: str, seen: scrolling.Smoothness) -> None:
    say(name, str(seen), seen.p95_ms, MOST_FRAME_MS, "ms at p95")
    if seen.work_ms > MOST_WORK_MS:
        print(f"  and {seen.work_ms:.1f} ms of CPU a frame are more than {MOST_WORK_MS:.0f}", flush=True)


def say(name: str, told: str, measured: float, most: float, unit: str) -> None:
    verdict = "met" if measured <= most else "MISSED"
    print(f"{name}: {told}\n  wanted at most {most:g} {unit}: {verdict}", flush=True)


if __name__ == "__main__":
    main()
