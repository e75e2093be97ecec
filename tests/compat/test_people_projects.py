"""Organizations, projects, and the people in them (UBIOPS_API section 2)."""

import ubiops
from compat.stage import Stage
from compat.stock import fresh, gone, refused


def test_the_first_organization_is_listed_and_shown(core: ubiops.CoreApi) -> None:
    [default] = [each for each in core.organizations_list() if each.name == "default"]
    detail = core.organizations_get("default")
    assert (detail.id, detail.name, detail.status) == (default.id, "default", default.status)
    assert detail.subscription
    assert detail.overage_usage in (True, False)


def test_an_organization_is_created_and_renamed(core: ubiops.CoreApi) -> None:
    name, renamed = fresh("org"), fresh("org")
    made = core.organizations_create(ubiops.OrganizationCreate(name=name, subscription="free"))
    assert made.name == name
    assert core.organizations_get(name).id == made.id
    assert core.organizations_update(name, ubiops.OrganizationUpdate(name=renamed)).name == renamed
    assert renamed in {each.name for each in core.organizations_list()}
    with gone():
        core.organizations_get(name)


def test_an_organizations_name_is_taken_once(core: ubiops.CoreApi) -> None:
    with refused(400, 409):
        core.organizations_create(ubiops.OrganizationCreate(name="default"))


def test_a_person_joins_an_organization_becomes_admin_and_leaves(stage: Stage) -> None:
    core, organization = stage.core, fresh("org")
    core.organizations_create(ubiops.OrganizationCreate(name=organization))
    email, user_id = stage.person()
    joined = core.organization_users_create(organization, ubiops.OrganizationUserCreate(email=email, admin=False))
    assert (joined.id, joined.email, joined.name, joined.surname, joined.admin) == (user_id, email, "Ada", "L", False)
    assert joined.status
    assert joined.join_date is not None
    assert email in {each.email for each in core.organization_users_list(organization)}
    changed = core.organization_users_update(organization, user_id, ubiops.OrganizationUserUpdate(admin=True))
    assert changed.admin is True
    assert core.organization_users_get(organization, user_id).admin is True
    core.organization_users_delete(organization, user_id)
    with gone():
        core.organization_users_get(organization, user_id)


def test_an_organizations_admin_may_do_everything_in_its_projects_and_nothing_elsewhere(stage: Stage) -> None:
    organization, project = fresh("org"), fresh("prj")
    stage.core.organizations_create(ubiops.OrganizationCreate(name=organization))
    email, _ = stage.person()
    stage.core.organization_users_create(organization, ubiops.OrganizationUserCreate(email=email, admin=True))
    core = stage.signed_in(email)
    core.projects_create(ubiops.ProjectCreate(name=project, organization_name=organization))
    core.deployments_create(project, ubiops.DeploymentCreate(name="mine"))
    assert project in {each.name for each in core.projects_list()}
    assert stage.project not in {each.name for each in core.projects_list()}
    with refused(403, 404):
        core.deployments_list(stage.project)


def test_a_member_who_is_no_admin_may_not_create_projects(stage: Stage) -> None:
    email, _ = stage.person()
    with refused(403):
        stage.signed_in(email).projects_create(ubiops.ProjectCreate(name=fresh("prj"), organization_name="default"))


def test_a_project_is_created_shown_changed_and_deleted(core: ubiops.CoreApi) -> None:
    name, renamed = fresh("prj"), fresh("prj")
    asked = ubiops.ProjectCreate(
        name=name,
        organization_name="default",
        credits=12.5,
        cors_origins=["https://app.example.com"],
        labels={"team": "red"},
        advanced_permissions=True,
    )
    made = core.projects_create(asked)
    assert core.projects_get(name).to_dict() == made.to_dict()
    assert (made.name, made.organization_name, made.credits) == (name, "default", 12.5)
    assert (made.cors_origins, made.labels) == (["https://app.example.com"], {"team": "red"})
    assert (made.advanced_permissions, made.suspended) == (True, False)
    changed = core.projects_update(name, ubiops.ProjectUpdate(name=renamed, labels={"team": "blue"}, suspend=True))
    assert (changed.id, changed.name, changed.labels) == (made.id, renamed, {"team": "blue"})
    assert (changed.credits, changed.suspended) == (12.5, True)
    core.projects_update(renamed, ubiops.ProjectUpdate(suspend=False))
    core.projects_delete(renamed)
    with gone():
        core.projects_get(renamed)


def test_projects_are_filtered_by_organization_and_label(core: ubiops.CoreApi) -> None:
    name = fresh("prj")
    core.projects_create(ubiops.ProjectCreate(name=name, organization_name="default", labels={"a": name, "b": "2"}))
    assert [each.name for each in core.projects_list(labels=f"x:y,a:{name}")] == [name]
    assert core.projects_list(labels=f"a:{name}x") == []
    assert name in {each.name for each in core.projects_list(organization="default", labels="")}
    assert name not in {each.name for each in core.projects_list(organization="another")}


def test_a_projects_name_is_taken_once_and_has_a_rule(core: ubiops.CoreApi, project: str) -> None:
    with refused(400, 409, says=project):
        core.projects_create(ubiops.ProjectCreate(name=project, organization_name="default"))
    with refused(400, says="name"):
        core.projects_create(ubiops.ProjectCreate(name="Not_A_Name", organization_name="default"))
    with refused(400, 404, says="nowhere"):
        core.projects_create(ubiops.ProjectCreate(name=fresh("prj"), organization_name="nowhere"))


def test_a_projects_resources_are_counted(core: ubiops.CoreApi) -> None:
    name = fresh("prj")
    core.projects_create(ubiops.ProjectCreate(name=name, organization_name="default"))
    core.deployments_create(name, ubiops.DeploymentCreate(name="one"))
    core.deployment_versions_create(name, "one", ubiops.DeploymentVersionCreate(version="v1"))
    core.deployment_versions_create(name, "one", ubiops.DeploymentVersionCreate(version="v2"))
    used = core.projects_resource_usage(name)
    assert (used.deployments, used.deployment_versions) == (1, 2)
    assert (used.pipelines, used.pipeline_versions, used.buckets) == (0, 0, 0)


def test_quotas_are_listed_by_resource(core: ubiops.CoreApi, project: str) -> None:
    quotas = core.quotas_list(project)
    assert quotas
    assert all(each.resource for each in quotas)
    assert len({each.resource for each in quotas}) == len(quotas)


def test_a_person_joins_a_project_and_leaves_it(stage: Stage) -> None:
    email, user_id = stage.person()
    joined = stage.core.project_users_create(stage.project, ubiops.ProjectUserCreate(user_id=user_id))
    assert (joined.id, joined.email, joined.name, joined.surname) == (user_id, email, "Ada", "L")
    assert stage.core.project_users_get(stage.project, user_id).email == email
    assert user_id in {each.id for each in stage.core.project_users_list(stage.project)}
    assert stage.project in {each.name for each in stage.signed_in(email).projects_list()}
    stage.core.project_users_delete(stage.project, user_id)
    with gone():
        stage.core.project_users_get(stage.project, user_id)
    assert stage.project not in {each.name for each in stage.signed_in(email).projects_list()}


def test_nobody_joins_a_project_twice_or_without_being_there(stage: Stage) -> None:
    _, user_id = stage.person()
    stage.core.project_users_create(stage.project, ubiops.ProjectUserCreate(user_id=user_id))
    with refused(400, 409):
        stage.core.project_users_create(stage.project, ubiops.ProjectUserCreate(user_id=user_id))
    with refused(400, 404):
        stage.core.project_users_create(stage.project, ubiops.ProjectUserCreate(user_id="no-such-user"))
