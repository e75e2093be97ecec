"""Every page, wide and narrow, light and dark: shown without an error, and nothing sticks out at the side.

NARTHEX_SCREENSHOTS=1 keeps a picture of each in tests/web/screenshots, for people to look at: `make screenshots`.
"""

import os
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from web.conftest import Open, sign_in
from web.pages import ADDRESSES, addresses, declared

from narthex.testing.system import System

PICTURES = Path(__file__).parent / "screenshots"
WANTED = bool(os.environ.get("NARTHEX_SCREENSHOTS"))
VARIANTS = [(1440, False), (390, True)] if not WANTED else [(w, dark) for w in (1440, 390) for dark in (False, True)]
WIDTH = "() => [document.documentElement.scrollWidth, window.innerWidth]"


def test_every_page_of_the_sources_is_looked_at() -> None:
    assert declared() == set(ADDRESSES), "add the page's address to tests/web/pages.py"


@pytest.mark.parametrize(("width", "dark"), VARIANTS)
def test_every_page_is_shown_whole(open_page: Open, system: System, width: int, dark: bool) -> None:
    page = open_page("/login", width=width, dark=dark)
    request = a_request(system)
    look(page, "/login", width, dark)
    sign_in(page, system.token)
    for address in addresses():
        if address != "/login":
            page.goto(address.replace("{request}", request))
            look(page, address, width, dark)


def a_request(system: System) -> str:
    """The id of a request to `hello`, which has been stored."""
    found = system.json("requests", "list", "hello")
    return found[0]["id"] if found else "none"


def look(page: Page, address: str, width: int, dark: bool) -> None:
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(page.locator("[aria-busy=true]")).to_have_count(0)
    wide, window = page.evaluate(WIDTH)
    assert wide <= window, f"{address} is {wide} pixels wide in a window of {window}"
    if WANTED:
        PICTURES.mkdir(exist_ok=True)
        name = re.sub(r"\W+", "-", address).strip("-")
        page.wait_for_timeout(600)  # until what moves has come to rest, for the picture only
        page.screenshot(path=PICTURES / f"{name}-{width}-{'dark' if dark else 'light'}.png", full_page=True)
