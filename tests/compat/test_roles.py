"""Permissions, roles and who has them (UBIOPS_API section 6): stored, and enforced."""

import pytest
import ubiops
from compat.stage import Stage
from compat.stock import fresh, gone, library, refused

PERMISSIONS = {
    "deployments.list",
    "deployments.get",
    "deployments.create",
    "deployments.update",
    "deployments.delete",
    "deployments.versions.create",
    "deployments.versions.requests.create",
    "deployments.versions.requests.list",
    "services.list",
    "services.get",
    "services.create",
    "services.update",
    "services.delete",
    "services.status.get",
    "services.limits.create",
    "service_users.create",
    "roles.assignments.create",
    "audit.list",
    "logs.get",
    "instances.list",
    "instances.update",
}
DEFAULT_ROLES = {
    "project-viewer",
    "project-editor",
    "project-admin",
    "deployment-viewer",
    "deployment-editor",
    "deployment-admin",
    "service-user-project-admin",
}


def newcomer(stage: Stage) -> tuple[str, ubiops.CoreApi]:
    """A service user without a role: its id, and the library in its hands."""
    made = stage.service_user()
    return made.id, library(stage.system, made.token)


def test_the_permissions_are_listed(core: ubiops.CoreApi) -> None:
    names = [each.name for each in core.permissions_list()]
    assert set(names) >= PERMISSIONS
    assert len(set(names)) == len(names)


def test_every_project_has_the_default_roles(stage: Stage) -> None:
    default = {role.name for role in stage.core.roles_list(stage.project) if role.default}
    assert default >= DEFAULT_ROLES
    viewer = stage.core.roles_get(stage.project, "project-viewer")
    assert viewer.default is True
    assert "services.get" in viewer.permissions
    assert not any(name.endswith((".create", ".update", ".delete")) for name in viewer.permissions)


def test_a_role_is_created_shown_changed_and_deleted(stage: Stage) -> None:
    name, renamed = fresh("role"), fresh("role")
    made = stage.core.roles_create(stage.project, ubiops.RoleCreate(name=name, permissions=["services.get"]))
    assert (made.name, made.default, made.permissions) == (name, False, ["services.get"])
    assert stage.core.roles_get(stage.project, name).to_dict() == made.to_dict()
    assert name in {role.name for role in stage.core.roles_list(stage.project)}
    both = ["services.get", "services.list"]
    changed = stage.core.roles_update(stage.project, name, ubiops.RoleUpdate(name=renamed, permissions=both))
    assert (changed.id, changed.name, sorted(changed.permissions)) == (made.id, renamed, both)
    stage.core.roles_delete(stage.project, renamed)
    with gone():
        stage.core.roles_get(stage.project, renamed)


def test_a_role_of_unknown_permissions_is_refused(stage: Stage) -> None:
    with refused(400, says="services.fly"):
        stage.core.roles_create(stage.project, ubiops.RoleCreate(name=fresh("role"), permissions=["services.fly"]))


def test_a_roles_name_is_taken_once_also_by_a_default_one(stage: Stage) -> None:
    name = fresh("role")
    stage.core.roles_create(stage.project, ubiops.RoleCreate(name=name, permissions=[]))
    for taken in (name, "project-viewer"):
        with refused(400, 409, says=taken):
            stage.core.roles_create(stage.project, ubiops.RoleCreate(name=taken, permissions=[]))


def test_default_roles_stay_as_they_are(stage: Stage) -> None:
    with refused(400, 403, 409):
        stage.core.roles_delete(stage.project, "project-viewer")
    with refused(400, 403, 409):
        stage.core.roles_update(stage.project, "project-viewer", ubiops.RoleUpdate(permissions=[]))


def test_a_role_is_given_for_the_project_shown_and_taken_away(stage: Stage) -> None:
    user_id, _ = newcomer(stage)
    asked = ubiops.RoleAssignmentCreate(role="project-viewer", assignee=user_id, assignee_type="user")
    made = stage.core.role_assignments_create(stage.project, asked)
    assert (made.assignee, made.assignee_type, made.role) == (user_id, "user", "project-viewer")
    assert stage.core.role_assignments_get(stage.project, made.id).to_dict() == made.to_dict()
    listed = stage.core.role_assignments_per_object_list(stage.project, assignee=user_id, assignee_type="user")
    assert [each.id for each in listed] == [made.id]
    stage.core.role_assignments_delete(stage.project, made.id)
    with gone():
        stage.core.role_assignments_get(stage.project, made.id)


def test_a_role_on_one_deployment_is_found_by_it(stage: Stage) -> None:
    user_id, _ = newcomer(stage)
    deployment = stage.deployment()
    made = stage.assign("deployment-viewer", user_id, resource=deployment, resource_type="deployment")
    [found] = stage.core.role_assignments_per_object_list(
        stage.project, resource=deployment, resource_type="deployment"
    )
    assert (found.id, found.resource, found.resource_type) == (made, deployment, "deployment")


def test_a_role_on_a_service_is_possible(stage: Stage) -> None:
    user_id, core = newcomer(stage)
    service = stage.service(stage.deployment())
    other = stage.service(stage.deployment())
    stage.core.roles_create(
        stage.project, ubiops.RoleCreate(name=(role := fresh("role")), permissions=["services.get"])
    )
    stage.assign(role, user_id, resource=service.name, resource_type="service")
    assert core.services_get(stage.project, service.name).id == service.id
    with refused(403, 404):
        core.services_get(stage.project, other.name)


@pytest.mark.parametrize(
    "change",
    [
        {"role": "no-such-role"},
        {"assignee": "00000000-0000-0000-0000-000000000000"},
        {"resource": "no-such-deployment", "resource_type": "deployment"},
        {"resource_type": "deployment"},
        {"resource": "served"},
        {"resource": "x", "resource_type": "planet"},
    ],
)
def test_an_assignment_that_refers_to_nothing_is_refused(stage: Stage, change: dict[str, str]) -> None:
    user_id, _ = newcomer(stage)
    fields = {"role": "project-viewer", "assignee": user_id, "assignee_type": "user"} | change
    with refused(400, 404):
        stage.core.role_assignments_create(stage.project, ubiops.RoleAssignmentCreate(**fields))


def test_without_a_role_nothing_is_listed_shown_or_made(stage: Stage) -> None:
    _, core = newcomer(stage)
    deployment = stage.deployment()
    service = stage.service(deployment)
    with refused(403):
        core.services_list(stage.project)
    with refused(403, 404):
        core.services_get(stage.project, service.name)
    with refused(403, 404):
        core.deployments_get(stage.project, deployment)
    with refused(403):
        core.deployments_create(stage.project, ubiops.DeploymentCreate(name=fresh("dep")))
    assert core.service_status().status == "ok"


def test_a_viewer_sees_and_changes_nothing(stage: Stage) -> None:
    user_id, core = newcomer(stage)
    stage.assign("project-viewer", user_id)
    service = stage.service(stage.deployment())
    assert service.name in {each.name for each in core.services_list(stage.project)}
    assert core.services_get(stage.project, service.name).id == service.id
    for change in (
        lambda: core.services_update(stage.project, service.name, ubiops.ServiceUpdate(description="mine")),
        lambda: core.services_delete(stage.project, service.name),
        lambda: core.roles_create(stage.project, ubiops.RoleCreate(name=fresh("role"), permissions=[])),
    ):
        with refused(403):
            change()


def test_an_editor_changes_and_deletes_nothing(stage: Stage) -> None:
    user_id, core = newcomer(stage)
    stage.assign("project-editor", user_id)
    service = stage.service(stage.deployment())
    assert core.services_update(stage.project, service.name, ubiops.ServiceUpdate(description="ok")).description == "ok"
    with refused(403):
        core.services_delete(stage.project, service.name)


def test_an_admin_deletes(stage: Stage) -> None:
    user_id, core = newcomer(stage)
    stage.assign("project-admin", user_id)
    service = stage.service(stage.deployment())
    core.services_delete(stage.project, service.name)
    with gone():
        stage.core.services_get(stage.project, service.name)


def test_a_role_on_one_deployment_shows_that_one_only(stage: Stage) -> None:
    user_id, core = newcomer(stage)
    mine, other = stage.deployment(), stage.deployment()
    stage.assign("deployment-viewer", user_id, resource=mine, resource_type="deployment")
    assert core.deployments_get(stage.project, mine).name == mine
    with refused(403, 404):
        core.deployments_get(stage.project, other)
    assert other not in {each.name for each in core.deployments_list(stage.project)}


def test_a_withdrawn_role_and_a_narrowed_one_take_effect_at_once(stage: Stage) -> None:
    user_id, core = newcomer(stage)
    role = fresh("role")
    stage.core.roles_create(stage.project, ubiops.RoleCreate(name=role, permissions=["services.list"]))
    assignment = stage.assign(role, user_id)
    core.services_list(stage.project)
    stage.core.roles_update(stage.project, role, ubiops.RoleUpdate(permissions=["deployments.list"]))
    with refused(403):
        core.services_list(stage.project)
    core.deployments_list(stage.project)
    stage.core.role_assignments_delete(stage.project, assignment)
    with refused(403):
        core.deployments_list(stage.project)


def test_a_service_user_cannot_make_itself_more_than_it_is(stage: Stage) -> None:
    user_id, core = newcomer(stage)
    stage.assign("service-user-project-admin", user_id)
    asked = ubiops.RoleAssignmentCreate(role="project-admin", assignee=user_id, assignee_type="user")
    with refused(403):
        core.role_assignments_create(stage.project, asked)
    with refused(403):
        core.service_users_create(stage.project, ubiops.ServiceUserCreate(name=fresh("su")))
