"""Limits of services (UBIOPS_API section 4): overrides for single users, kept and enforced."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests
import ubiops
from compat.application import application
from compat.stage import Served, Stage
from compat.stock import fresh, gone, refused

from narthex.testing.waiting import eventually_sync

KINDS = ["rate", "concurrency"]


class Overrides:
    """The five operations of one kind of per-user limit on one service."""

    def __init__(self, stage: Stage, kind: str, service: str) -> None:
        core, self.at = stage.core, (stage.project, service)
        if kind == "rate":
            self._list = core.services_user_rate_limit_list
            self._create, self._create_type = core.services_user_rate_limit_create, ubiops.ServicesUserRateLimitCreate
            self._get = core.services_user_rate_limit_get
            self._update, self._update_type = core.services_user_rate_limit_update, ubiops.ServicesUserRateLimitUpdate
            self._delete = core.services_user_rate_limit_delete
        else:
            self._list = core.services_user_concurrency_limit_list
            self._create = core.services_user_concurrency_limit_create
            self._create_type = ubiops.ServicesUserConcurrencyLimitCreate
            self._get = core.services_user_concurrency_limit_get
            self._update = core.services_user_concurrency_limit_update
            self._update_type = ubiops.ServicesUserConcurrencyLimitUpdate
            self._delete = core.services_user_concurrency_limit_delete

    def list(self) -> Any:
        return self._list(*self.at)

    def create(self, user_id: str, limit: int) -> Any:
        return self._create(*self.at, self._create_type(user_id=user_id, limit=limit))

    def get(self, user_id: str) -> Any:
        return self._get(*self.at, user_id)

    def update(self, user_id: str, limit: int) -> Any:
        return self._update(*self.at, user_id, self._update_type(limit=limit))

    def delete(self, user_id: str) -> None:
        self._delete(*self.at, user_id)


@pytest.fixture(scope="module")
def service(stage: Stage) -> str:
    return str(stage.service(stage.deployment()).name)


@pytest.fixture(params=KINDS)
def overrides(request: pytest.FixtureRequest, stage: Stage, service: str) -> Overrides:
    return Overrides(stage, request.param, service)


def test_a_users_limit_is_created_shown_changed_and_deleted(stage: Stage, overrides: Overrides) -> None:
    user = stage.service_user()
    made = overrides.create(user.id, 30)
    assert (made.user_id, made.user_email, made.limit) == (user.id, user.email, 30)
    assert made.id
    assert overrides.get(user.id).to_dict() == made.to_dict()
    assert [each.limit for each in overrides.list() if each.user_id == user.id] == [30]
    assert overrides.update(user.id, 5).limit == 5
    assert overrides.get(user.id).limit == 5
    overrides.delete(user.id)
    with gone():
        overrides.get(user.id)
    assert user.id not in {each.user_id for each in overrides.list()}


def test_a_person_can_have_a_limit_of_their_own(stage: Stage, overrides: Overrides) -> None:
    email, user_id = stage.person()
    stage.core.project_users_create(stage.project, ubiops.ProjectUserCreate(user_id=user_id))
    assert overrides.create(user_id, 3).user_email == email


def test_a_user_has_one_limit_of_a_kind(stage: Stage, overrides: Overrides) -> None:
    user = stage.service_user()
    overrides.create(user.id, 30)
    with refused(400, 409):
        overrides.create(user.id, 31)


def test_rate_and_concurrency_are_kept_apart(stage: Stage, service: str) -> None:
    user = stage.service_user()
    Overrides(stage, "rate", service).create(user.id, 30)
    with gone():
        Overrides(stage, "concurrency", service).get(user.id)


@pytest.mark.parametrize("limit", [0, -1])
def test_a_limit_is_a_positive_number(stage: Stage, overrides: Overrides, limit: int) -> None:
    with refused(400, says="limit"):
        overrides.create(stage.service_user().id, limit)


def test_a_limit_for_nobody_is_refused(overrides: Overrides) -> None:
    with refused(400, 404):
        overrides.create("00000000-0000-0000-0000-000000000000", 3)
    with gone():
        overrides.update("00000000-0000-0000-0000-000000000000", 3)
    with gone():
        overrides.delete("00000000-0000-0000-0000-000000000000")


def test_limits_of_an_unknown_service_are_not_there(stage: Stage) -> None:
    with gone():
        stage.core.services_user_rate_limit_list(stage.project, "nope")
    with gone():
        stage.core.services_user_concurrency_limit_list(stage.project, "nope")


def test_a_deleted_service_user_takes_its_limits_along(stage: Stage, service: str) -> None:
    user = stage.service_user()
    limits = Overrides(stage, "rate", service)
    limits.create(user.id, 30)
    stage.core.service_users_delete(stage.project, user.id)
    assert user.id not in {each.user_id for each in limits.list()}


# -- enforced on the data plane -------------------------------------------------------------------------------


def limited_service(served: Served, **limits: int) -> ubiops.ServiceDetail:
    """A service of its own before the running application."""
    service = served.stage.service(served.deployment, "limited", **limits)
    served.stage.ready(service)
    return service


def assert_over_the_limit(answer: requests.Response, which: str) -> None:
    assert answer.status_code == 429, answer.text
    assert answer.json()["code"] == which
    assert int(answer.headers["retry-after"]) >= 0
    assert answer.headers["x-ratelimit-reset"].isdecimal()
    assert answer.headers["x-ratelimit-remaining"] == "0"


def test_over_the_total_rate_limit_the_answer_is_429_and_says_total(served: Served) -> None:
    service = limited_service(served, rate_limit=3)
    answers = [served.stage.call(service) for _ in range(5)]
    assert [answer.status_code for answer in answers] == [200] * 3 + [429] * 2
    assert_over_the_limit(answers[-1], "rate_limit_total")
    assert answers[-1].headers["x-ratelimit-limit"] == "3"


def test_over_the_default_rate_limit_of_a_user_the_answer_says_user(served: Served) -> None:
    service = limited_service(served, rate_limit_user_default=2)
    answers = [served.stage.call(service) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 429, 429]
    assert_over_the_limit(answers[-1], "rate_limit_user")


def test_a_limit_of_a_users_own_replaces_the_default_and_leaves_others_alone(served: Served) -> None:
    stage = served.stage
    service = limited_service(served, rate_limit_user_default=50)
    user = stage.service_user()
    stage.assign("project-admin", user.id)
    Overrides(stage, "rate", service.name).create(user.id, 1)
    stage.propagated(service.name)
    mine = [stage.call(service, authorization=f"Token {user.token}").status_code for _ in range(3)]
    assert mine == [200, 429, 429]
    assert stage.call(service).status_code == 200


def test_a_raised_limit_is_in_force_soon_after_it_has_spread(served: Served) -> None:
    stage = served.stage
    service = limited_service(served, rate_limit=1)
    assert [stage.call(service).status_code for _ in range(2)] == [200, 429]
    stage.core.services_update(stage.project, service.name, ubiops.ServiceUpdate(rate_limit=1000))
    stage.propagated(service.name)
    # A worker that was told no asks again within a quarter of a second.
    eventually_sync(lambda: stage.call(service).status_code == 200, within_s=1.0)


@pytest.mark.parametrize(
    ("limits", "which"),
    [
        ({"concurrency_limit": 1}, "concurrency_total"),
        ({"concurrency_limit_user_default": 1}, "concurrency_user"),
        ({"concurrency_limit_user_default": 50}, "concurrency_user"),  # and 1 of the caller's own
    ],
)
def test_while_one_request_is_in_flight_the_next_is_429_that_says_which(
    stage: Stage, limits: dict[str, int], which: str
) -> None:
    with application() as app, ThreadPoolExecutor(1) as beside:
        deployment = stage.deployment()
        stage.version(deployment)
        service = stage.service(deployment, **limits)
        stage.register(deployment, app)
        stage.ready(service)
        user = stage.service_user()
        stage.assign("project-admin", user.id)
        if limits.get("concurrency_limit_user_default") == 50:
            Overrides(stage, "concurrency", service.name).create(user.id, 1)
            stage.propagated(service.name)
        token = f"Token {user.token}"

        def answered(path: str) -> requests.Response | None:
            # A place in flight is given back a moment after the answer has arrived.
            answer = stage.call(service, path, authorization=token)
            return answer if answer.status_code == 200 else None

        eventually_sync(lambda: answered("/hello"))
        held = beside.submit(eventually_sync, lambda: answered("/held"))
        eventually_sync(lambda: "/held" in app.paths())
        second = stage.call(service, authorization=token)
        app.released.set()
        assert held.result().text == "at last\n"
        assert (second.status_code, second.json()["code"]) == (429, which)
        eventually_sync(lambda: answered("/hello"), within_s=2.0)


def test_limits_survive_what_the_library_does_not_know(stage: Stage) -> None:
    body = {"name": fresh("svc"), "deployment": stage.deployment(), "port": 9000, "first_byte_timeout": 7.5}
    made = stage.raw.made(f"/projects/{stage.project}/services", body)
    stage.core.services_update(stage.project, made["name"], ubiops.ServiceUpdate(rate_limit=9))
    shown = stage.raw.get(f"/projects/{stage.project}/services/{made['name']}").json()
    assert (shown["rate_limit"], shown["first_byte_timeout"]) == (9, 7.5)
