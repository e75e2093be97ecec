"""Every page and tab, wide and narrow, light and dark: whole, with nothing that axe calls serious, and text stays text.

NARTHEX_SCREENSHOTS=1 keeps a picture of each in tests/web/screenshots, for people to look at: `make screenshots`.
"""

import os
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page

from narthex.testing.system import System
from web.axe import grave_problems
from web.conftest import Open, sign_in
from web.pages import settled, tour
from web.stored import MARK, RAN, Stored

PICTURES = Path(__file__).parent / "screenshots"
WANTED = bool(os.environ.get("NARTHEX_SCREENSHOTS"))
NARROW = 390
WIDTH = "() => [document.documentElement.scrollWidth, window.innerWidth]"


@pytest.mark.parametrize("width", [1440, NARROW])
def test_every_page_is_shown_whole_and_axe_finds_nothing_serious(
    open_page: Open, system: System, stored: Stored, width: int
) -> None:
    page = open_page("/login", width=width)
    settled(page)
    found = look(page, "/login", width)
    sign_in(page, system.token)
    for address in tour(page, stored.plain):
        found += look(page, address, width)
    assert found == []


def look(page: Page, address: str, width: int) -> list[str]:
    """What is wrong with the page that is shown, in either colours."""
    wide, window = page.evaluate(WIDTH)
    found = [f"{wide} pixels wide in a window of {window}"] if wide > window else []
    if width > NARROW or WANTED:  # the elements and their names are the same ones
        found += grave_problems(page)
    picture(page, f"{address}-{width}-light")
    if width > NARROW or WANTED:  # colours are no others in a narrow window
        page.emulate_media(color_scheme="dark")
        found += [f"dark: {problem}" for problem in grave_problems(page, "color-contrast")]
        picture(page, f"{address}-{width}-dark")
        page.emulate_media(color_scheme="light")
    return [f"{address}: {problem}" for problem in found]


def picture(page: Page, name: str) -> None:
    if WANTED:
        PICTURES.mkdir(exist_ok=True)
        page.wait_for_timeout(400)  # until what moves has come to rest, for the picture only
        file = re.sub(r"\W+", "-", name).strip("-")
        page.screenshot(path=PICTURES / f"{file}.png", full_page=True)


def test_what_is_stored_is_shown_as_text_on_every_page_whatever_is_in_it(app: Page, stored: Stored) -> None:
    """Whether a policy would have stopped it or not: no element comes of it."""
    shown, became = set[str](), list[str]()
    for address in tour(app, stored.hostile):
        if MARK in app.get_by_role("main").inner_text():
            shown.add(address)
        became += [f"{address}: {each}" for each in app.evaluate(RAN)]
    assert became == []
    service, request = "/projects/default/services/hostile", stored.hostile["request"]
    assert shown >= {service, "/projects/default/services", f"{service} Requests", f"{service}/requests/{request}"}
