"""Who may call a service, in the whole system: what is given and taken back reaches connections that are open."""

from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from e2e.conftest import Caller

from narthex.testing.system import System
from narthex.testing.waiting import eventually_sync

SOON_S = 5.0  # a second is promised; the machine of a test may be busy


class Api:
    """The API of the project, as the administrator."""

    def __init__(self, system: System) -> None:
        self.http = httpx2.Client(
            base_url=f"{system.api_url}/v2.1/projects/default",
            headers={"Authorization": f"Token {system.token}"},
            timeout=30,
        )

    def call(self, method: str, path: str, body: Any = None) -> Any:
        answer = self.http.request(method, path, json=body)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None


@pytest.fixture(scope="module")
def api(system: System) -> Iterator[Api]:
    made = Api(system)
    yield made
    made.http.close()


class Robot:
    """A service user, and its one connection to a service."""

    def __init__(self, api: Api, system: System, name: str, host: str) -> None:
        self.api = api
        self.user = api.call("POST", "/service-users", {"name": name})
        self.caller = Caller(system, host)
        self.use(self.user["token"])

    def use(self, token: str) -> None:
        self.caller.authorization = {"Authorization": f"Token {token}"}

    def give(self, role: str, **on: str) -> str:
        body = {"role": role, "assignee": self.user["id"], **on}
        return str(self.api.call("POST", "/role-assignments", body)["id"])

    def becomes(self, status: int, code: str = "") -> None:
        """Wait until the service answers like that on the connection that is open."""

        def answers() -> bool:
            answer = self.caller.get("/who")
            return (answer.status_code, answer.headers.get("x-narthex-error", "")) == (status, code)

        assert eventually_sync(answers, within_s=SOON_S)


@pytest.fixture
def robot(api: Api, system: System, fastapi_service: Caller, request: pytest.FixtureRequest) -> Iterator[Robot]:
    made = Robot(api, system, request.node.name, fastapi_service.host)
    yield made
    made.caller.http.close()
    api.call("DELETE", f"/service-users/{made.user['id']}")


def test_a_role_on_a_service_lets_its_holder_call_that_one_until_it_is_taken_back(
    api: Api, system: System, robot: Robot
) -> None:
    robot.becomes(403, "permission_denied")
    other = api.call("POST", "/services", {"name": "fast-too", "deployment": "fast", "port": 9010})
    assignment = robot.give("service-request-user", resource_type="service", resource="fast")
    robot.becomes(200)
    elsewhere = Caller(system, f"{other['id']}.services.localhost")
    elsewhere.authorization = robot.caller.authorization
    eventually_sync(lambda: elsewhere.get("/who").status_code == 403)
    elsewhere.http.close()
    api.call("DELETE", "/services/fast-too")
    api.call("DELETE", f"/role-assignments/{assignment}")
    robot.becomes(403, "permission_denied")


def test_a_role_on_the_deployment_or_the_project_lets_its_holder_call(api: Api, robot: Robot) -> None:
    for on in ({"resource_type": "deployment", "resource": "fast"}, {}):
        assignment = robot.give("deployment-request-user", **on)
        robot.becomes(200)
        api.call("DELETE", f"/role-assignments/{assignment}")
        robot.becomes(403, "permission_denied")


def test_a_new_token_stops_the_one_before_on_the_connection_it_came_by(api: Api, robot: Robot) -> None:
    robot.give("deployment-request-user")
    robot.becomes(200)
    fresh = api.call("PUT", f"/service-users/{robot.user['id']}/token")["token"]
    robot.becomes(401, "token_invalid")
    robot.use(fresh)
    robot.becomes(200)


def test_what_somebody_got_for_a_password_is_no_token_for_services(
    api: Api, system: System, fastapi_service: Caller
) -> None:
    person = {"email": "ada@people.test", "password": "correct horse"}
    with httpx2.Client(base_url=system.api_url, headers=api.http.headers, timeout=30) as root:
        assert root.post("/v2.1/user", json=person).status_code == 201
        session = root.post("/authorize", json=person).json()["access"]
        answer = fastapi_service.http.get(
            "/who",
            headers={"Authorization": f"Bearer {session}"},
            extensions={"sni_hostname": fastapi_service.host},
        )
    assert (answer.status_code, answer.headers["x-narthex-error"]) == (401, "token_invalid")


def test_the_use_of_limits_is_shown_for_all_callers_and_for_a_users_tokens(api: Api, robot: Robot) -> None:
    robot.give("project-editor")
    robot.becomes(200)
    [service] = [each["name"] for each in api.call("GET", "/services") if each["id"] in robot.caller.host]
    try:
        api.call("PATCH", f"/services/{service}", {"rate_limit": 1000, "rate_limit_user_default": 100})

        def use() -> Any:
            robot.caller.get("/who")
            shown = api.call("GET", f"/services/{service}/limits?user_id={robot.user['id']}")
            return shown if len(shown) == 2 and all(each["used"] for each in shown) else None

        total, own = eventually_sync(use)
        assert (total["kind"], total["limit"], total["token_id"]) == ("rate_limit_total", 1000, None)
        assert (own["kind"], own["limit"]) == ("rate_limit_user", 100)
        assert own["token_id"]
        assert total["used"] + total["remaining"] == 1000
    finally:
        api.call("PATCH", f"/services/{service}", {"rate_limit": None, "rate_limit_user_default": None})
