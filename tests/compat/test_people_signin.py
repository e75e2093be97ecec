"""The status, signing in, and who one is (UBIOPS_API section 1)."""

import datetime

import pytest
import ubiops
from compat.stage import PASSWORD, Stage
from compat.stock import Raw, fresh, library, raw, refused


def root(stage: Stage) -> Raw:
    """The API as the CLI asks it for sign-in: without a token."""
    return raw(stage.system)


@pytest.mark.parametrize("key", [None, "wrong", "Bearer wrong"])
def test_the_status_is_ok_whoever_asks(stage: Stage, key: str | None) -> None:
    assert library(stage.system, key).service_status().status == "ok"


def test_the_administrator_is_shown_to_itself(core: ubiops.CoreApi) -> None:
    user = core.user_get()
    assert user.email == "admin@localhost"
    assert user.id
    assert user.authentication
    assert user.registration_date <= datetime.datetime.now(datetime.UTC)


def test_a_service_user_is_shown_to_itself(stage: Stage) -> None:
    made = stage.service_user()
    user = library(stage.system, made.token).user_get()
    assert (user.id, user.email) == (made.id, made.email)


def test_a_created_user_signs_in_with_e_mail_and_password(stage: Stage) -> None:
    email = f"{fresh('grace')}@example.com"
    made = stage.core.user_create(
        ubiops.UserPendingCreate(email=email, password=PASSWORD, name="Grace", surname="Hopper")
    )
    assert (made.email, made.name, made.surname) == (email, "Grace", "Hopper")
    user = stage.signed_in(email).user_get()
    assert (user.email, user.name, user.surname) == (email, "Grace", "Hopper")
    assert user.authentication == "ubiops"


def test_a_user_without_a_name_is_shown_with_none(stage: Stage) -> None:
    email = f"{fresh('anon')}@example.com"
    stage.core.user_create(ubiops.UserPendingCreate(email=email, password=PASSWORD))
    assert stage.signed_in(email).user_get().name is None


def test_the_password_is_in_no_answer(stage: Stage) -> None:
    body = {"email": f"{fresh('p')}@example.com", "password": PASSWORD}
    answer = stage.raw.post("/user", body)
    assert answer.status_code == 201
    assert PASSWORD not in answer.text


def test_an_e_mail_is_taken_once(stage: Stage) -> None:
    email, _ = stage.person()
    with refused(400, 409):
        stage.core.user_create(ubiops.UserPendingCreate(email=email.upper(), password=PASSWORD))


@pytest.mark.parametrize(
    ("email", "password", "says"),
    [("x@example.com", "short", "password"), ("no-address", PASSWORD, "email"), ("a b@example.com", PASSWORD, "email")],
)
def test_a_bad_e_mail_or_short_password_is_named(stage: Stage, email: str, password: str, says: str) -> None:
    with refused(400, says=says):
        stage.core.user_create(ubiops.UserPendingCreate(email=email, password=password))


def test_a_user_who_deletes_itself_is_signed_out(stage: Stage) -> None:
    email, _ = stage.person()
    core = stage.signed_in(email)
    core.user_delete()
    with refused(401):
        core.user_get()
    assert root(stage).post("/authorize", {"email": email, "password": PASSWORD}).status_code in (400, 401)


def test_sign_in_begins_with_the_provider(stage: Stage) -> None:
    email, _ = stage.person()
    for address in (email, "unknown@example.com"):  # no oracle for who has an account
        answer = root(stage).post("/oauth/sign-in", {"email": address})
        assert answer.status_code == 200
        assert answer.json() == {"provider": "ubiops", "url": ""}


@pytest.mark.parametrize("path", ["/oauth/sign-in", "/authorize"])
def test_sign_in_works_without_a_version_in_the_path(stage: Stage, path: str) -> None:
    email, _ = stage.person()
    answer = Raw(stage.system.api_url, None).post(path, {"email": email, "password": PASSWORD})
    assert answer.status_code == (200 if path == "/authorize" else answer.status_code)
    assert "error" not in answer.json()


def test_a_wrong_password_and_an_unknown_account_are_refused_alike(stage: Stage) -> None:
    email, _ = stage.person()
    wrong = root(stage).post("/authorize", {"email": email, "password": "not it at all"})
    unknown = root(stage).post("/authorize", {"email": "nobody@example.com", "password": "not it at all"})
    assert wrong.status_code == unknown.status_code == 401
    assert wrong.json()["error"] == unknown.json()["error"]
    assert "two factor authentication" not in wrong.json()["error"]
