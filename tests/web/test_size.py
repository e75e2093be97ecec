"""What the first page costs: what index.html names, and all that a browser without a past loads with signing in."""

import gzip
import re
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Response, expect

from narthex.testing.system import System
from web.axe import WEB
from web.conftest import BUILT, Open, sign_in

# Bytes, gzipped; we promise 250 KB.
MOST = 180_000  # of what is there when the services are shown
MOST_IN_ALL = 235_000  # with the sign-in page, and with what comes when the page is drawn, like the menus of the head
ASSETS = BUILT.parent / "assets"


def test_what_the_first_page_is_made_of_is_small_and_comes_at_once() -> None:
    named = re.findall(r'(?:src|href)="/(assets/[^"]+)"', BUILT.read_text())
    assert len(named) == 3  # what starts, what is drawn, and styles
    assert sum(gzipped(BUILT.parent / name) for name in named) < MOST


def test_signing_in_and_the_first_page_are_small_on_the_wire_and_in_the_build(open_page: Open, system: System) -> None:
    page = open_page("about:blank")
    answers: list[Response] = []
    page.on("response", lambda answer: answers.append(answer))
    page.goto(system.api_url)
    sign_in(page, system.token)
    expect(page.get_by_role("link", name="hello", exact=True)).to_be_visible()
    assets = [answer for answer in answers if "/assets/" in answer.url]
    names = {urlsplit(answer.url).path for answer in assets}
    assert len(names) > 3
    assert sum(answer.request.sizes()["responseBodySize"] for answer in assets) < MOST_IN_ALL
    assert sum(gzipped(BUILT.parent / name.removeprefix("/")) for name in names) < MOST_IN_ALL


def test_every_component_that_scripts_have_has_its_styles() -> None:
    """src/shell/mantine.css names those of Mantine one by one."""
    styled, drawn = (classes(*ASSETS.glob(f"*.{kind}")) for kind in ("css", "js"))
    known = classes(WEB / "node_modules" / "@mantine" / "core" / "styles.css")
    assert len(drawn & known) > 100
    assert (drawn & known) - styled == set()


def classes(*files: Path) -> set[str]:
    """Those of Mantine, which are the same in scripts and styles: `m_77c9d27d`."""
    return {name for file in files for name in re.findall(r"\bm_[0-9a-f]+\b", file.read_text())}


def gzipped(file: Path) -> int:
    return len(gzip.compress(file.read_bytes()))
