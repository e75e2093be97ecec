"""axe finds nothing serious on any page, light or dark, wide or narrow."""

import pytest
from web.axe import grave_problems
from web.conftest import Open, sign_in
from web.pages import addresses
from web.test_pages import a_request, settled

from narthex.testing.system import System


@pytest.mark.parametrize("width", [1440, 390])
def test_axe_finds_nothing_serious_on_any_page(open_page: Open, system: System, width: int) -> None:
    page = open_page("/login", width=width)
    request = a_request(system)
    found: list[str] = []
    for address in addresses():
        if address != "/login":
            page.goto(address.replace("{request}", request))
        settled(page)
        page.emulate_media(color_scheme="light")
        found += [f"{address}: {problem}" for problem in grave_problems(page)]
        page.emulate_media(color_scheme="dark")
        found += [f"{address}, dark: {problem}" for problem in grave_problems(page, "color-contrast")]
        if address == "/login":
            sign_in(page, system.token)
    assert found == []
