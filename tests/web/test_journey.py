"""From signing in to deleting: what somebody does who runs a service without a terminal."""

from collections.abc import Callable

from e2e.conftest import Caller
from playwright.sync_api import Page, expect

from narthex.testing.system import System
from narthex.testing.waiting import eventually_sync

HOSTILE = "/<img src=x onerror=alert(1)>"


def test_a_service_is_made_called_seen_limited_and_deleted(
    app: Page, system: System, caller: Callable[[str, str], Caller]
) -> None:
    token = make_token(app, "journey")
    create(app, "shop")
    service = system.json("services", "get", "shop")
    shop = caller(service["id"], token)
    first = shop.get("/")  # the page said that it would be answered
    assert first.status_code == 200, first.text

    see_requests(app, shop)
    limit(app, 5)
    assert eventually_sync(lambda: shop.get("/").status_code == 429)
    expect_status_in_log(app, "429")

    revoke_token(app, "journey")
    assert eventually_sync(lambda: shop.get("/").status_code == 401)

    delete(app, "shop")
    assert eventually_sync(lambda: shop.get("/").status_code == 404)


def make_token(app: Page, name: str) -> str:
    app.get_by_role("button", name="Your account").click()
    app.get_by_role("menuitem", name="Account and tokens").click()
    app.get_by_label("Name").fill(name)
    app.get_by_role("button", name="Make a token").click()
    shown = app.get_by_role("alert").locator("code").filter(has_text="NX_")
    return shown.inner_text()


def create(app: Page, name: str) -> None:
    app.get_by_role("link", name="Services", exact=True).click()
    app.get_by_role("link", name="Create service").click()
    app.get_by_label("Name").fill("Shop!")
    expect(app.get_by_text("starting with a letter")).to_be_visible()  # the API's rule, while it is typed
    app.get_by_label("Name").fill(name)
    expect(app.get_by_text("starting with a letter")).to_have_count(0)
    app.get_by_role("combobox", name="Deployment").click()
    app.get_by_role("option", name="hello").click()
    app.get_by_label("Port").fill("9300")
    app.get_by_role("button", name="Create", exact=True).click()
    expect(app.get_by_role("heading", name="Ready: a request is answered now")).to_be_visible()
    expect(app.get_by_label("curl, to be pasted")).to_contain_text("$NARTHEX_TOKEN")


def see_requests(app: Page, shop: Caller) -> None:
    app.get_by_role("tab", name="Requests").click()
    app.get_by_role("button", name="Follow live").click()
    expect(app.get_by_role("heading", name="Following")).to_be_visible()

    def seen_live() -> bool:
        shop.get(HOSTILE)
        return app.get_by_role("cell", name="GET /%3Cimg").count() > 0

    assert eventually_sync(seen_live)
    app.get_by_role("button", name="Stop following").click()
    expect_status_in_log(app, "404")
    app.get_by_role("tab", name="Overview").click()
    expect(app.get_by_text("2 of 2")).to_be_visible()
    expect(app.get_by_role("region", name="Requests, each")).to_contain_text("2xx")


def limit(app: Page, number: int) -> None:
    app.get_by_role("tab", name="Access and limits").click()
    app.get_by_label("Requests a minute, in all").fill(str(number))
    app.get_by_role("button", name="Review and save").click()
    review = app.get_by_role("dialog")
    expect(review.get_by_role("row", name="Requests a minute, in all")).to_contain_text("not set")
    review.get_by_role("button", name="Save").click()
    expect(review).to_have_count(0)


def expect_status_in_log(app: Page, status: str) -> None:
    app.get_by_role("tab", name="Requests").click()
    app.get_by_role("combobox", name="Status").click()
    app.get_by_role("option", name=status).click()

    def logged() -> bool:  # records are stored in batches
        app.get_by_role("button", name="Read again").click()
        return app.get_by_role("cell", name=status).count() > 0

    assert eventually_sync(logged)


def revoke_token(app: Page, name: str) -> None:
    app.get_by_role("button", name="Your account").click()
    app.get_by_role("menuitem", name="Account and tokens").click()
    app.get_by_role("button", name=f"Revoke {name}").click()
    app.get_by_role("dialog").get_by_role("button", name="Revoke").click()
    expect(app.get_by_role("button", name=f"Revoke {name}")).to_have_count(0)


def delete(app: Page, name: str) -> None:
    app.get_by_role("link", name="Services", exact=True).click()
    app.get_by_role("link", name=name, exact=True).click()
    app.get_by_role("tab", name="Danger zone").click()
    app.get_by_role("button", name=f"Delete {name}").click()
    dialog = app.get_by_role("dialog")
    expect(dialog.get_by_role("button", name="Delete the service")).to_be_disabled()
    dialog.get_by_label(f"Type {name} to confirm").fill(name)
    dialog.get_by_role("button", name="Delete the service").click()
    expect(app.get_by_role("heading", name="Services", exact=True)).to_be_visible()
    expect(app.get_by_role("link", name=name, exact=True)).to_have_count(0)
