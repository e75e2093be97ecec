"""Every page of the web app and every tab: read from the sources and from the pages, so that none is forgotten."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from playwright.sync_api import Page, expect

SOURCES = Path(__file__).parents[2] / "services" / "registry" / "web" / "src" / "pages"


def paths() -> list[str]:
    """The paths of all pages that the sources declare, e.g. `/projects/:project/services/:service/:tab?`."""
    return [path for file in sorted(SOURCES.rglob("pages.ts")) for path in _paths_in(file.read_text())]


def _paths_in(source: str) -> list[str]:
    return re.findall(r'path: "([^"]+)"', source)


def addresses(path: str, names: Mapping[str, str]) -> list[str]:
    """A path with the names filled in; without its last one and with it, where that may be left out."""
    last = re.search(r"/:(\w+)\?$", path)
    lacking = set(re.findall(r":(\w+)(?:/|$)", path)) - names.keys()
    assert not lacking, f"{path}: say in tests/web/stored.py what {', '.join(lacking)} is"
    without = re.sub(r":(\w+)", lambda found: names[found[1]], path.removesuffix(last[0] if last else ""))
    return [without, f"{without}/{names[last[1]]}"] if last and last[1] in names else [without]


def tour(page: Page, names: Mapping[str, str]) -> Iterator[str]:
    """Goes to all pages and through their tabs; each is at rest when it is yielded."""
    for path in paths():
        for address in addresses(path, names):
            page.goto(address)
            settled(page)
            yield address
            for tab in _further_tabs(page):
                page.get_by_role("tab", name=tab, exact=True).first.click()
                settled(page)
                yield f"{address} {tab}"


def _further_tabs(page: Page) -> list[str]:
    tablist = page.get_by_role("main").get_by_role("tablist").first
    if tablist.count() == 0:
        return []
    return [text.strip() for text in tablist.get_by_role("tab", selected=False).all_inner_texts()]


def settled(page: Page) -> None:
    """Nothing is waited for any more."""
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(page.locator("[aria-busy=true]")).to_have_count(0)
