"""How soon the web app can be used, and how it scrolls with 5,000 services and 100,000 requests: `make bench-web`.

A whole system and Chromium share the machine, so its figures are those of a laptop that runs both. SERVICES and REQUESTS
in the environment make it smaller. Filling takes minutes, the measuring one.
"""

import asyncio
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from bench.web import filling, scrolling
from narthex.testing.system import System, running_system

SERVICES = int(os.environ.get("SERVICES", "5000"))
REQUESTS = int(os.environ.get("REQUESTS", "100000"))
ROUNDS = 5
HERE = "/projects/default/services"
# A page can be used when its first row is there and its search takes what is typed.
USABLE = """() => document.querySelector('.data-body [role=row]') && document.querySelector('main input:not([disabled])')
  ? performance.now() : null"""


def main() -> None:
    if not shutil.which("chromium"):
        raise SystemExit("make bench-web needs Chromium: make chromium")
    with (
        tempfile.TemporaryDirectory() as directory,
        running_system(Path(directory), "--router-workers", "1", settings=filling.SETTINGS) as system,
        sync_playwright() as playwright,
    ):
        asyncio.run_coroutine_threadsafe  # noqa: B018
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        measure(system, browser.new_page(base_url=system.api_url, viewport={"width": 1440, "height": 900}))
        browser.close()


if __name__ == "__main__":
    main()
