"""A person's browser in the whole system: to the sign-in page and back, and what ends a session."""

import re
import socket
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
import pytest
from e2e.conftest import Caller
from e2e.test_access import SOON_S, Api
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from narthex.testing.ca import ThrowAwayCA
from narthex.testing.system import System
from narthex.testing.waiting import eventually_sync

HTML = {"Accept": "text/html", "Sec-Fetch-Mode": "navigate"}


@pytest.fixture(scope="module")
def api(system: System) -> Iterator[Api]:
    made = Api(system)
    yield made
    made.http.close()


class Browser:
    """Keeps the cookies of each host, and one connection to the service."""

    def __init__(self, system: System, host: str) -> None:
        self.caller = Caller(system, host)
        self.caller.authorization = {}
        self.cookies: dict[str, str] = {}
        self.origin = f"https://{host}:{system.https_port}"
        self.page = httpx2.Client(timeout=30)  # the sign-in page, with cookies of its own

    def open(self, path: str = "/who", method: str = "GET", **headers: str) -> httpx2.Response:
        held = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())} if self.cookies else {}
        self.caller.http.cookies.clear()  # what it would send is decided here
        answer = self.caller.http.request(
            method, path, headers={**HTML, **held, **headers}, extensions={"sni_hostname": self.caller.host}
        )
        for line in answer.headers.get_list("set-cookie"):
            name, _, value = line.partition(";")[0].partition("=")
            self.cookies.pop(name, None)
            if value:
                self.cookies[name] = value
        return answer

    def sign_in(self, location: str, **fields: str) -> httpx2.Response:
        """Fill in the form that a redirect has led to."""
        shown = self.page.get(location)
        assert shown.status_code == 200, shown.text
        hidden = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', shown.text))
        url = urlsplit(location)
        origin = f"{url.scheme}://{url.netloc}"
        return self.page.post(f"{origin}{url.path}", data={**hidden, **fields}, headers={"Origin": origin})

    def come_back(self, answer: httpx2.Response) -> httpx2.Response:
        assert answer.status_code == 303, answer.text
        url = urlsplit(answer.headers["location"])
        assert f"{url.scheme}://{url.netloc}" == self.origin
        return self.open(f"{url.path}?{url.query}")

    def becomes(self, status: int) -> bool:
        return eventually_sync(lambda: self.open().status_code == status, within_s=SOON_S)


@pytest.fixture
def browser(api: Api, system: System, fastapi_service: Caller) -> Iterator[Browser]:
    api.call("PATCH", "/services/fast", {"browser_sign_in": True})
    made = Browser(system, fastapi_service.host)
    assert made.becomes(303)
    yield made
    made.page.close()
    made.caller.http.close()


def test_a_person_signs_in_uses_the_service_and_signs_out(api: Api, system: System, browser: Browser) -> None:
    with httpx2.Client(base_url=system.api_url, headers=api.http.headers, timeout=30) as root:
        person = {"email": "eve@people.test", "password": "correct horse"}
        user = root.post("/v2.1/user", json=person).json()
        first = browser.open("/who?page=2")
        refused = browser.sign_in(first.headers["location"], **person)
        assert refused.status_code == 403
        assert "may not use this service" in refused.text

        assert root.post("/v2.1/organizations/default/users", json={"email": person["email"]}).is_success
        api.call("POST", "/users", {"user_id": user["id"]})
        assignment = api.call("POST", "/role-assignments", {"role": "deployment-request-user", "assignee": user["id"]})
        back = browser.come_back(browser.sign_in(first.headers["location"], **person))
        assert (back.status_code, back.headers["location"]) == (303, "/who?page=2")
        assert set(browser.cookies) == {"__Host-narthex"}
        assert eventually_sync(lambda: browser.open().status_code == 200, within_s=SOON_S)
        assert browser.open("/who", "POST", Origin="https://evil.test").status_code == 403

        held = dict(browser.cookies)
        assert "signed out" in browser.open("/.narthex/sign-out").text
        assert browser.cookies == {}
        browser.cookies = held  # as if somebody had copied them
        assert browser.becomes(303)

        browser.cookies = {}
        browser.come_back(browser.sign_in(browser.open().headers["location"], **person))
        assert browser.becomes(200)
        root.patch(f"/v2.1/users/{user['id']}", json={"password": "battery staple"})
        assert browser.becomes(303)

        browser.cookies = {}
        again = browser.sign_in(browser.open().headers["location"], email=person["email"], password="battery staple")
        assert browser.come_back(again).status_code == 303
        assert browser.becomes(200)
        api.call("DELETE", f"/role-assignments/{assignment['id']}")
        assert browser.becomes(403)


def test_a_session_of_one_service_is_none_at_its_sibling(api: Api, system: System, browser: Browser) -> None:
    sibling = api.call("POST", "/services", {"name": "fast-sibling", "deployment": "fast", "port": 9010})
    back = browser.sign_in(browser.open().headers["location"], token=system.token)
    assert browser.come_back(back).status_code == 303
    assert browser.open().status_code == 200
    other = Browser(system, f"{sibling['id']}.services.localhost")
    other.cookies = dict(browser.cookies)
    assert other.becomes(401)
    other.caller.http.close()
    other.page.close()
    api.call("DELETE", "/services/fast-sibling")


def test_a_share_link_works_in_any_browser_until_links_are_withdrawn(
    api: Api, system: System, browser: Browser
) -> None:
    link = urlsplit(system.json("services", "share", "fast", "--for", "2h", "--path", "/who")["url"])
    assert f"{link.scheme}://{link.netloc}" == browser.origin
    opened = browser.open(f"{link.path}?{link.query}")
    assert (opened.status_code, opened.headers["location"]) == (303, "/who")
    assert browser.becomes(200)
    system.cli("services", "unshare", "fast")
    assert browser.becomes(303)
    assert browser.open(f"{link.path}?{link.query}").status_code in (303, 401)


def test_a_suspended_project_answers_nobody_on_connections_that_are_open(api: Api, fastapi_service: Caller) -> None:
    def answers(status: int, code: str) -> bool:
        answer = fastapi_service.get("/who")
        return (answer.status_code, answer.headers.get("x-narthex-error", "")) == (status, code)

    assert eventually_sync(lambda: answers(200, ""), within_s=SOON_S)
    project = str(api.http.base_url).rstrip("/")
    assert api.http.patch(project, json={"suspend": True}).is_success
    try:
        assert eventually_sync(lambda: answers(403, "project_suspended"), within_s=SOON_S)
    finally:
        assert api.http.patch(project, json={"suspend": False}).is_success
    assert eventually_sync(lambda: answers(200, ""), within_s=SOON_S)


def test_doors_that_are_opened_by_the_api_stand_open_at_the_routers(
    api: Api, system: System, fastapi_service: Caller
) -> None:
    name = "doors"
    made = api.call(
        "POST",
        "/services",
        {"name": name, "deployment": "fast", "port": 9010, "cors": {"origins": ["https://app.test"]}},
    )
    caller = Caller(system, f"{made['id']}.services.localhost")
    [ann] = system.json("services", "basic-users", "add", name, "ann")
    credential = b64encode(f"ann:{ann['password']}".encode()).decode()

    def answers(*, credential: str = credential) -> httpx2.Response:
        caller.authorization = {"Authorization": f"Basic {credential}", "Origin": "https://app.test"}
        return caller.get("/who")

    assert eventually_sync(lambda: answers().status_code == 200, within_s=SOON_S)
    assert answers().headers["access-control-allow-origin"] == "https://app.test"
    assert answers(credential=b64encode(b"ann:wrong").decode()).status_code == 401
    system.cli("services", "update", name, "--ip-deny", "127.0.0.0/8")
    assert eventually_sync(lambda: answers().headers.get("x-narthex-error") == "address_denied", within_s=SOON_S)
    caller.http.close()
    api.call("DELETE", f"/services/{name}")


def test_a_client_certificate_is_a_way_in_from_the_moment_its_authority_is_known(
    api: Api, system: System, fastapi_service: Caller, tmp_path: Path
) -> None:
    clients, name = ThrowAwayCA(), "certified"
    ann = clients.issue_to("ann")
    (tmp_path / "clients.pem").write_text(clients.root_pem)
    (tmp_path / "ann.pem").write_bytes(ann.chain.encode() + ann.key)
    made = api.call("POST", "/services", {"name": name, "deployment": "fast", "port": 9010})
    system.cli("services", "client-certificates", name, "--ca", str(tmp_path / "clients.pem"))

    def seen() -> dict[str, str]:
        """What the application sees of a new connection; nothing when it was refused."""
        caller = Caller(system, f"{made['id']}.services.localhost")
        caller.trust.load_cert_chain(tmp_path / "ann.pem")
        answer = caller.get("/seen", token=False)
        caller.http.close()
        return dict(answer.json()) if answer.status_code == 200 else {}

    assert eventually_sync(seen, within_s=SOON_S)["x-narthex-user"] == "ann"
    system.cli("services", "client-certificates", name, "--none")
    assert eventually_sync(lambda: seen() == {}, within_s=SOON_S)
    api.call("DELETE", f"/services/{name}")


def test_a_revoked_token_closes_the_websockets_that_were_opened_by_it(
    api: Api, system: System, fastapi_service: Caller
) -> None:
    robot = api.call("POST", "/service-users", {"name": "listener"})
    body = {"role": "deployment-request-user", "assignee": robot["id"]}
    api.call("POST", "/role-assignments", body)
    caller = Caller(system, fastapi_service.host)
    caller.authorization = {"Authorization": f"Token {robot['token']}"}
    assert eventually_sync(lambda: caller.get("/who").status_code == 200, within_s=SOON_S)
    with (
        socket.create_connection(("127.0.0.1", system.https_port)) as plain,
        connect(
            f"wss://{caller.host}:{system.https_port}/echo",
            sock=plain,
            ssl=caller.trust,
            additional_headers=caller.authorization,
        ) as websocket,
    ):
        websocket.send("hello")
        assert websocket.recv(timeout=SOON_S) == "HELLO"
        api.call("PUT", f"/service-users/{robot['id']}/token")
        with pytest.raises(ConnectionClosed):
            websocket.recv(timeout=SOON_S)
    caller.http.close()
    api.call("DELETE", f"/service-users/{robot['id']}")
