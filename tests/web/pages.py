"""Every page of the web app, at an address where it shows something; a page that is missing here fails a test."""

import re
from pathlib import Path

SOURCES = Path(__file__).parents[2] / "services" / "registry" / "web" / "src" / "pages"

# By what follows /projects/default/services/hello, the tabs of a service.
TABS = ["", "call", "instances", "requests", "access", "domains", "settings", "events", "danger"]

# Of each path in the sources, the address that is looked at; {request} is the id of a request to `hello`.
ADDRESSES = {
    "/projects/:project/services": "/projects/default/services",
    "/projects/:project/services/new": "/projects/default/services/new",
    "/projects/:project/services/:service/:tab?": "/projects/default/services/hello",
    "/account": "/account",
}


def declared() -> set[str]:
    """The paths of all pages that the sources declare."""
    found: set[str] = set()
    for file in SOURCES.rglob("pages.ts"):
        found |= set(re.findall(r'path: "([^"]+)"', file.read_text()))
    return found


def addresses() -> list[str]:
    """All that there is to look at, the tabs of a service each by itself."""
    tabs = [f"/projects/default/services/hello/{tab}" for tab in TABS if tab]
    return ["/login", *ADDRESSES.values(), *tabs]
