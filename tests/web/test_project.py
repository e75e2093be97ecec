"""A project's people and programs, webhooks, variables, and who changed what."""

import httpx2
from playwright.sync_api import Page, expect

from narthex.testing.system import System
from narthex.testing.waiting import eventually_sync
from web.axe import grave_problems
from web.stored import HOSTILE, RAN

P = "/projects/default"


def may_list_services(system: System, token: str) -> bool:
    url = f"{system.api_url}/v2.1{P}/services"
    return httpx2.get(url, headers={"Authorization": f"Token {token}"}).is_success


def test_a_program_gets_a_role_of_the_projects_own_and_a_token_that_is_shown_once(app: Page, system: System) -> None:
    make_role(app, "lister", "services.list")
    app.get_by_role("link", name="Service users", exact=True).click()
    app.get_by_role("button", name="Create service user").first.click()
    dialog = app.get_by_role("dialog")
    dialog.get_by_label("Name").fill("Deployer")
    dialog.get_by_role("combobox", name="Role in this project").click()
    app.get_by_role("option", name="lister").click()
    dialog.get_by_role("button", name="Create").click()
    token = dialog.locator("code").filter(has_text="NX_").inner_text()
    assert may_list_services(system, token)
    assert grave_problems(app) == []
    dialog.get_by_role("button", name="I have copied it").click()
    expect(app.get_by_role("row").filter(has_text="Deployer")).to_contain_text("lister")
    assert token not in app.content()

    act(app, "Deployer", "New token")
    dialog.get_by_role("button", name="Make a new token").click()
    newer = dialog.locator("code").filter(has_text="NX_").inner_text()
    assert (may_list_services(system, token), may_list_services(system, newer)) == (False, True)
    dialog.get_by_role("button", name="I have copied it").click()

    take_back(app, "lister", "Deployer")
    assert not may_list_services(system, newer)
    app.get_by_role("link", name="Service users", exact=True).click()
    act(app, "Deployer", "Delete")
    dialog.get_by_label("Type Deployer to confirm").fill("Deployer")
    dialog.get_by_role("button", name="Delete the service user").click()
    expect(app.get_by_role("row").filter(has_text="Deployer")).to_have_count(0)


def make_role(app: Page, name: str, *permissions: str) -> None:
    app.get_by_role("link", name="Roles", exact=True).click()
    app.get_by_role("button", name="Create role").click()
    dialog = app.get_by_role("dialog")
    dialog.get_by_label("Name").fill(name)
    for permission in permissions:
        dialog.get_by_role("checkbox", name=permission, exact=True).check()
    assert grave_problems(app) == []
    dialog.get_by_role("button", name="Create").click()
    expect(dialog.get_by_role("row", name="services", exact=False).first).to_be_visible()
    dialog.get_by_role("button", name="Close").click()
    expect(dialog).to_have_count(0)


def act(app: Page, user: str, what: str) -> None:
    app.get_by_role("button", name=f"Actions for {user}").click()
    app.get_by_role("menuitem", name=what).click()


def take_back(app: Page, role: str, user: str) -> None:
    app.get_by_role("link", name="Members", exact=True).click()
    app.get_by_role("button", name=f"Take back {role} from {user}").click()
    app.get_by_role("dialog").get_by_role("button", name="Take back").click()
    expect(app.get_by_role("button", name=f"Take back {role} from {user}")).to_have_count(0)


def test_somebody_is_let_in_by_e_mail_with_a_role_and_let_go_again(app: Page, api: httpx2.Client) -> None:
    app.get_by_role("link", name="Members", exact=True).click()
    app.get_by_role("button", name="Add somebody").click()
    dialog = app.get_by_role("dialog")
    dialog.get_by_label("E-mail").fill("not an address")
    dialog.get_by_role("button", name="Add").click()
    expect(dialog.get_by_text("must be an e-mail address")).to_be_visible()
    dialog.get_by_label("E-mail").fill("new@example.com")
    dialog.get_by_role("button", name="Add").click()
    people = app.get_by_role("table", name="People")
    expect(people.get_by_role("row").filter(has_text="new@example.com")).to_be_visible()
    given = app.get_by_role("table", name="Roles given").get_by_role("row").filter(has_text="new@example.com")
    expect(given).to_contain_text("project-viewer")
    app.get_by_role("button", name="Remove new@example.com").click()
    dialog.get_by_label("Type new@example.com to confirm").fill("new@example.com")
    dialog.get_by_role("button", name="Remove from the project").click()
    expect(given).to_have_count(0)
    assert "new@example.com" not in [person["email"] for person in api.get("/users").json()]


def test_a_webhook_shows_its_secret_once_and_how_its_calls_went(app: Page, api: httpx2.Client) -> None:
    app.get_by_role("link", name="Webhooks", exact=True).click()
    app.get_by_role("button", name="Create webhook").first.click()
    dialog = app.get_by_role("dialog")
    dialog.get_by_label("Name").fill("to-nobody")
    dialog.get_by_label("Address").fill("http://127.0.0.1:1/")
    dialog.get_by_role("button", name="Create").click()
    expect(dialog.get_by_text("127.0.0.1 is not on the public Internet")).to_be_visible()  # in the API's words
    dialog.get_by_label("Address").fill("https://nobody.test/")
    dialog.get_by_role("combobox", name="When").click()
    app.get_by_role("option", name="a service was made").click()
    dialog.get_by_label("Try again when a call fails").uncheck(force=True)
    dialog.get_by_role("button", name="Add a header").click()
    dialog.get_by_label("Header 1: name").fill("X-Note")
    dialog.get_by_label("Header 1: value").fill("<b>bold</b>")
    assert grave_problems(app) == []
    dialog.get_by_role("button", name="Create").click()
    expect(dialog.locator("code").filter(has_text="whsec_")).to_be_visible()
    dialog.get_by_role("button", name="I have copied it").click()
    expect(app.get_by_role("heading", name="to-nobody", level=1)).to_be_visible()
    expect(app.get_by_text("X-Note: <b>bold</b>")).to_be_visible()
    assert "whsec_" not in app.content()

    app.get_by_role("button", name="Make a test call").click()
    expect(app.get_by_role("alert").filter(has_text="It failed")).to_be_visible()

    body = {"name": "told-of", "deployment": "hello", "port": 9300}
    assert api.post("/services", json=body).is_success
    try:
        calls = app.get_by_role("table", name="Calls").get_by_role("row").filter(has_text="failed")

        def listed() -> bool:
            app.get_by_role("button", name="Read again").click()
            return calls.count() == 1

        assert eventually_sync(listed)
    finally:
        assert api.delete("/services/told-of").is_success
    app.get_by_role("button", name="Delete to-nobody").click()
    dialog.get_by_label("Type to-nobody to confirm").fill("to-nobody")
    dialog.get_by_role("button", name="Delete the webhook").click()
    expect(app.get_by_role("heading", name="Webhooks", exact=True)).to_be_visible()
    expect(app.get_by_role("link", name="to-nobody")).to_have_count(0)


def test_a_secret_variable_is_written_and_never_shown_again(app: Page, api: httpx2.Client) -> None:
    app.get_by_role("link", name="Variables", exact=True).click()
    app.get_by_role("button", name="Add a variable").first.click()
    dialog = app.get_by_role("dialog")
    dialog.get_by_label("Name").fill("WEB_SECRET")
    dialog.get_by_label("Value").fill("known to nobody")
    dialog.get_by_label("Secret").check(force=True)
    dialog.get_by_role("button", name="Save").click()
    row = app.get_by_role("row").filter(has_text="WEB_SECRET")
    expect(row).to_contain_text("secret, not shown")
    assert "known to nobody" not in app.content()
    app.get_by_role("button", name="Edit WEB_SECRET").click()
    dialog.get_by_label("Name").fill("WEB_SECRET_2")
    dialog.get_by_role("button", name="Save").click()  # without its value: it stays
    expect(app.get_by_role("row").filter(has_text="WEB_SECRET_2")).to_contain_text("secret, not shown")
    app.get_by_role("button", name="Delete WEB_SECRET_2").click()
    dialog.get_by_role("button", name="Delete").click()
    expect(row).to_have_count(0)
    assert "WEB_SECRET_2" not in [each["name"] for each in api.get("/environment-variables").json()]


def test_the_audit_trail_opens_with_the_values_before_and_after_as_text(app: Page, api: httpx2.Client) -> None:
    assert api.post("/deployments", json={"name": "audited", "description": "as it was"}).is_success
    assert api.patch("/deployments/audited", json={"description": HOSTILE}).is_success
    app.get_by_role("link", name="Audit trail", exact=True).click()
    app.get_by_role("button", name="Deployment audited was updated: description").click()
    changes = app.get_by_role("table", name="Before and after")
    expect(changes.get_by_role("row", name="description")).to_contain_text("as it was")
    expect(changes.get_by_text(HOSTILE)).to_be_visible()
    assert app.evaluate(RAN) == []
    assert grave_problems(app) == []
    assert api.delete("/deployments/audited").is_success
