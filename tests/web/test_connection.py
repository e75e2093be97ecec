"""The registry goes away and comes back; what others change is seen without asking."""

import httpx2
from playwright.sync_api import Page, expect


def test_a_page_says_that_the_registry_is_away_and_comes_back_by_itself(app: Page) -> None:
    banner = app.get_by_text("Live updates are interrupted").or_(app.get_by_text("The registry does not answer"))
    link = app.get_by_role("link", name="hello", exact=True)
    expect(link).to_be_visible()
    app.context.set_offline(True)
    expect(banner).to_be_visible()
    link.click()  # neither the page's program nor its data can be had now
    app.context.set_offline(False)
    expect(app.get_by_role("heading", name="hello")).to_be_visible()
    expect(banner).to_have_count(0)


def test_what_somebody_else_changes_is_shown_without_loading_the_page_again(app: Page, api: httpx2.Client) -> None:
    assert api.post("/services", json={"name": "from-elsewhere", "deployment": "hello", "port": 9300}).is_success
    expect(app.get_by_role("link", name="from-elsewhere")).to_be_visible()
    expect(app.get_by_role("row").filter(has_text="from-elsewhere")).to_contain_text("2/2 ready")
    assert api.delete("/services/from-elsewhere").is_success
    expect(app.get_by_role("link", name="from-elsewhere")).to_have_count(0)
