"""The way in and out, and what the browser keeps of it."""

import httpx2
from playwright.sync_api import Page, expect

from narthex.testing.system import System
from web.conftest import Open, sign_in


def test_who_wants_a_page_comes_to_it_after_signing_in(open_page: Open, system: System) -> None:
    page = open_page("/projects/default/services/hello/instances?from=mail")
    expect(page).to_have_title("Sign in · Narthex")
    sign_in(page, system.token)
    expect(page.get_by_role("tab", name="Instances")).to_have_attribute("aria-selected", "true")
    assert page.url.endswith("/projects/default/services/hello/instances?from=mail")


def test_signing_in_leads_to_no_other_site(open_page: Open, system: System) -> None:
    page = open_page("/login?to=//elsewhere.example/")
    sign_in(page, system.token)
    expect(page.get_by_role("heading", name="Services", exact=True)).to_be_visible()
    assert page.url.startswith(system.api_url)


def test_a_browser_that_does_not_say_when_it_rests_shows_the_whole_head_too(open_page: Open, system: System) -> None:
    page = open_page("about:blank")
    page.add_init_script("delete window.requestIdleCallback")
    page.goto("/")
    sign_in(page, system.token)
    expect(page.get_by_role("combobox", name="Project")).to_be_visible()


def test_a_wrong_token_is_answered_with_a_sentence_and_the_request_id(open_page: Open) -> None:
    page = open_page("/login")
    page.get_by_role("tab", name="Token").click()
    page.get_by_label("Token", exact=True).and_(page.locator("input")).fill("NX_wrong")
    page.get_by_role("button", name="Sign in").click()
    problem = page.get_by_role("alert")
    expect(problem).to_contain_text("Not signed in")
    expect(problem).to_contain_text("Request ")


def test_a_person_signs_in_with_e_mail_and_password(open_page: Open, system: System) -> None:
    person = {"email": "by-password@people.test", "password": "correct horse battery"}
    with httpx2.Client(base_url=system.api_url, headers={"Authorization": f"Token {system.token}"}) as api:
        assert api.post("/v2.1/user", json=person).is_success
    page = open_page("/login")
    page.get_by_label("E-mail address").fill(person["email"])
    page.get_by_label("Password", exact=True).and_(page.locator("input")).fill(person["password"])
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="No project yet")).to_be_visible()


def test_no_script_can_read_the_session_and_nothing_of_it_is_stored(app: Page, system: System) -> None:
    [cookie] = app.context.cookies()
    assert cookie["httpOnly"]
    assert cookie["sameSite"] == "Strict"
    stored = app.evaluate("() => JSON.stringify([localStorage, sessionStorage, document.cookie, location.href])")
    assert system.token not in stored
    assert cookie["value"] not in stored


def test_signing_out_ends_the_session_in_all_tabs(app: Page) -> None:
    other = app.context.new_page()
    other.goto("/projects/default/services/hello")
    expect(other.get_by_role("heading", name="hello")).to_be_visible()
    app.get_by_role("button", name="Your account").click()
    app.get_by_role("menuitem", name="Sign out").click()
    expect(app).to_have_title("Sign in · Narthex")
    expect(other).to_have_title("Sign in · Narthex")


def test_a_session_ends_with_the_token_it_was_begun_with(open_page: Open, system: System) -> None:
    with httpx2.Client(base_url=system.api_url, headers={"Authorization": f"Token {system.token}"}) as api:
        made = api.post("/v2.1/user/tokens", json={"name": "short"}).json()
        page = open_page("/")
        sign_in(page, made["token"])
        assert api.delete(f"/v2.1/user/tokens/{made['id']}").is_success
    expect(page).to_have_title("Sign in · Narthex")
