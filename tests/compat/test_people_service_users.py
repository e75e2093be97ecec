"""Service users and their tokens (UBIOPS_API section 5)."""

import datetime

import ubiops
from compat.stage import Stage
from compat.stock import fresh, gone, library, raw, refused

from narthex.testing.waiting import eventually_sync


def test_a_service_users_token_is_shown_once(stage: Stage) -> None:
    name = fresh("su")
    made = stage.core.service_users_create(
        stage.project, ubiops.ServiceUserCreate(name=name, description="for the shop")
    )
    assert (made.name, made.description, made.expiry_date, made.token_last_used) == (name, "for the shop", None, None)
    assert made.email.endswith(f".{stage.project}@serviceuser.localhost")
    assert made.email.startswith(made.id)
    assert made.token
    assert " " not in made.token
    path = f"/projects/{stage.project}/service-users"
    assert made.token not in stage.raw.get(f"{path}/{made.id}").text
    assert made.token not in stage.raw.get(path).text
    shown = stage.core.service_users_get(stage.project, made.id)
    assert (shown.id, shown.email, shown.name) == (made.id, made.email, name)
    assert made.id in {each.id for each in stage.core.service_users_list(stage.project)}


def test_a_service_user_is_changed_and_deleted(stage: Stage) -> None:
    made = stage.service_user()
    changed = stage.core.service_users_update(
        stage.project, made.id, ubiops.ServiceUserCreate(name="renamed", description="new")
    )
    assert (changed.id, changed.email, changed.name, changed.description) == (made.id, made.email, "renamed", "new")
    stage.core.service_users_delete(stage.project, made.id)
    with gone():
        stage.core.service_users_get(stage.project, made.id)
    with refused(401):
        library(stage.system, made.token).user_get()


def test_a_reset_token_replaces_the_old_one_within_a_second(stage: Stage) -> None:
    made = stage.service_user()
    old = library(stage.system, made.token)
    assert old.user_get().id == made.id
    new = stage.core.service_users_token(stage.project, made.id).token
    assert new != made.token
    assert library(stage.system, new).user_get().id == made.id

    def stopped() -> bool:
        return raw(stage.system, made.token).get("/user").status_code == 401

    eventually_sync(stopped, within_s=1.0)


def test_when_a_token_was_last_used_is_shown(stage: Stage) -> None:
    made = stage.service_user()
    library(stage.system, made.token).user_get()
    assert eventually_sync(lambda: stage.core.service_users_get(stage.project, made.id).token_last_used)


def test_a_service_user_expires_and_cannot_be_changed_any_more(stage: Stage) -> None:
    soon = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=1)
    made = stage.service_user(expiry_date=soon)
    assert made.expiry_date
    eventually_sync(lambda: raw(stage.system, made.token).get("/user").status_code == 401)
    with refused(400, 403, 409):
        stage.core.service_users_update(stage.project, made.id, ubiops.ServiceUserCreate(name="late"))
    with refused(400, 403, 409):
        stage.core.service_users_token(stage.project, made.id)


def test_a_service_user_belongs_to_one_project(stage: Stage, core: ubiops.CoreApi) -> None:
    made = stage.service_user()
    with gone():
        core.service_users_get("default", made.id)
    with refused(403, 404):
        library(stage.system, made.token).deployments_list("default")
    assert {each.name for each in library(stage.system, made.token).projects_list()} <= {stage.project}


def test_a_service_user_may_not_act_on_organizations(stage: Stage) -> None:
    made = stage.service_user()
    stage.assign("service-user-project-admin", made.id)
    core = library(stage.system, made.token)
    with refused(403):
        core.organizations_create(ubiops.OrganizationCreate(name=fresh("org")))
    with refused(403, 404):
        core.organization_users_list("default")
