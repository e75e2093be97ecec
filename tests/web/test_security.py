"""What the browser keeps, and what pages of other origins can do with somebody who has signed in here."""

from collections.abc import Iterator

import httpx2
import pytest
from playwright.sync_api import Browser, Page, expect

from narthex.testing.servers import free_port
from narthex.testing.system import System
from web.conftest import Open, sign_in
from web.provider import NAME

PERSON = {"email": "ida@people.test", "password": "correct horse battery"}
KEPT = """async () => JSON.stringify([
  {...localStorage}, {...sessionStorage}, document.cookie, location.href, history.state,
  (await indexedDB.databases()).map(d => d.name), await caches.keys(), document.documentElement.outerHTML])"""
PUT_IN = """() => {
  const put = document.createElement('script')
  put.textContent = 'window.ranInline = true'
  document.body.append(put)
  const element = document.createElement('div')
  element.innerHTML = '<img src=x onerror="window.ranInline = true">'
  document.body.append(element)
  return new Promise(done => setTimeout(() => done(window.ranInline === true), 50))
}"""
# As cunning as a page of another origin can be: what needs no permission, then what does.
ATTACKS = """async ([api, name]) => {
  const body = JSON.stringify({name, deployment: 'hello', port: 9300})
  const at = `${api}/v2.1/projects/default/services`
  const options = [
    {method: 'POST', mode: 'no-cors', headers: {'Content-Type': 'text/plain'}, body},
    {method: 'POST', headers: {'Content-Type': 'application/json', 'X-Narthex-App': '1'}, body},
    {method: 'POST', headers: {'Content-Type': 'text/plain'}, body},
  ]
  for (const option of options) await fetch(at, {credentials: 'include', ...option}).catch(() => {})
  const remove = {method: 'DELETE', credentials: 'include', headers: {'X-Narthex-App': '1'}}
  for (const path of [`${at}/hello`, `${api}/v2.1/session`]) await fetch(path, remove).catch(() => {})
  navigator.sendBeacon(at, body)
  return await fetch(at, {credentials: 'include'}).then(a => a.text(), () => 'not read')
}"""
FORM = """([at, body]) => {
  const form = document.createElement('form')
  Object.assign(form, {method: 'post', action: at, enctype: 'text/plain'})
  const field = document.createElement('input')
  Object.assign(field, {name: body.slice(0, -1) + ',"labels":{"a":"', value: '"}}'})
  form.append(field)
  document.body.append(form)
  form.submit()
}"""


@pytest.fixture
def elsewhere(app: Page) -> Iterator[Page]:
    """Another page of the browser that has signed in: of the same site, so that only its origin is another."""
    origin = f"http://127.0.0.1:{free_port()}"
    app.context.route(f"{origin}/**", lambda route: route.fulfill(content_type="text/html", body="<h1>Elsewhere</h1>"))
    page = app.context.new_page()
    page.goto(f"{origin}/")
    yield page
    page.close()


def services(system: System) -> list[str]:
    return sorted(each["name"] for each in system.json("services", "list"))


@pytest.mark.parametrize("way", ["token", "password", "single sign-on"])
def test_no_way_of_signing_in_leaves_a_credential_where_scripts_or_logs_find_it(
    open_page: Open, system: System, way: str
) -> None:
    page = open_page("/login")
    urls: list[str] = []
    page.on("request", lambda request: urls.append(request.url))
    secrets = [enter(page, system, way)]
    expect(page.get_by_role("button", name="Your account")).to_be_visible()
    [cookie] = [each for each in page.context.cookies(system.api_url) if "narthex-app" in each["name"]]
    assert (cookie["httpOnly"], cookie["sameSite"], cookie["path"]) == (True, "Strict", "/")
    kept = page.evaluate(KEPT) + "".join(urls)
    assert [secret for secret in [*secrets, cookie["value"]] if secret in kept] == []
    page.goto("/account")
    page.go_back()
    assert "code=" not in page.url


def enter(page: Page, system: System, way: str) -> str:
    """Sign in; the secret that does it."""
    if way == "token":
        sign_in(page, system.token)
        return system.token
    if way == "single sign-on":
        page.get_by_role("link", name=f"Sign in with {NAME}").click()
        return "s3cret"
    with httpx2.Client(base_url=system.api_url, headers={"Authorization": f"Token {system.token}"}) as api:
        assert api.post("/v2.1/user", json=PERSON).is_success
    page.get_by_label("E-mail address").fill(PERSON["email"])
    page.get_by_label("Password", exact=True).and_(page.locator("input")).fill(PERSON["password"])
    page.get_by_role("button", name="Sign in", exact=True).click()
    return PERSON["password"]


def test_a_script_that_got_into_the_page_does_not_run(app: Page, watch_nothing: list[str]) -> None:
    assert app.evaluate(PUT_IN) is False
    assert any("Content Security Policy" in said for said in watch_nothing)


def test_a_page_of_another_origin_changes_and_reads_nothing(
    app: Page, elsewhere: Page, system: System, watch_nothing: list[str]
) -> None:
    before = services(system)
    assert elsewhere.evaluate(ATTACKS, [system.api_url, "planted"]) == "not read"
    body = '{"name":"planted","deployment":"hello","port":9300}'
    elsewhere.evaluate(FORM, [f"{system.api_url}/v2.1/projects/default/services", body])
    elsewhere.wait_for_url(f"{system.api_url}/**")
    assert '"error"' in elsewhere.content()
    assert services(system) == before
    app.reload()  # still signed in
    expect(app.get_by_role("button", name="Your account")).to_be_visible()


def test_no_page_can_frame_the_app(elsewhere: Page, system: System, watch_nothing: list[str]) -> None:
    elsewhere.evaluate(
        "url => { const f = document.createElement('iframe'); f.src = url; document.body.append(f);"
        " return new Promise(done => f.onload = () => done()) }",
        f"{system.api_url}/login",
    )
    assert [frame.url for frame in elsewhere.frames[1:]] == ["chrome-error://chromewebdata/"]


def test_on_a_services_host_there_is_no_app(chromium: Browser, system: System) -> None:
    """Neither through the router nor when the name leads to the registry; Chromium knows *.localhost by itself."""
    host = f"{system.json('services', 'get', 'hello')['id']}.services.localhost"
    context = chromium.new_context(ignore_https_errors=True)
    page = context.new_page()
    try:
        for origin in (f"http://{host}:{system.api_port}", f"https://{host}:{system.https_port}"):
            answer = page.goto(f"{origin}/login")
            assert answer is not None
            assert answer.status in {401, 404}
            assert page.locator("#root").count() == 0
    finally:
        context.close()
