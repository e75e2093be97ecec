"""From an empty project to requests over HTTPS, as a UbiOps user does it with the stock library."""

import ubiops
from compat.application import application
from compat.stage import Stage
from compat.stock import library, refused

from narthex.testing.waiting import eventually_sync


def test_a_plain_http_application_goes_live_and_gets_its_first_callers(here: Stage) -> None:
    core, project = here.core, here.project
    core.deployments_create(project, ubiops.DeploymentCreate(name="shop", supports_request_format=False))
    check = ubiops.HealthCheck(port=None, path="/health", interval=1, timeout=1, failure_threshold=2)
    core.deployment_versions_create(
        project,
        "shop",
        ubiops.DeploymentVersionCreate(
            version="v1", minimum_instances=1, maximum_instances=1, request_retention_mode="full", health_check=check
        ),
    )
    ubiops.utils.wait_for_deployment_version(
        client=core.api_client, project_name=project, deployment_name="shop", version="v1", quiet=True
    )
    service = core.services_create(project, ubiops.ServiceCreate(name="shop", deployment="shop", port=8080))
    eventually_sync(lambda: here.call(service).status_code == 503, within_s=2.0)
    assert core.services_status_get(project, "shop").ready is False

    with application() as shop:
        here.register("shop", shop)
        here.ready(service)
        assert here.call(service).text == "hello\n"
        assert here.call(service, authorization=f"Bearer {here.system.token}").text == "hello\n"
        assert here.call(service, authorization="").status_code == 401
        assert here.call(service, authorization="Token nonsense").status_code == 401
        assert here.call(service, "/status/418").status_code == 418
        assert "/status/418" in shop.paths()

        user = core.service_users_create(project, ubiops.ServiceUserCreate(name="till"))
        token = f"Token {user.token}"
        eventually_sync(lambda: here.call(service, authorization=token).status_code == 403, within_s=2.0)
        role = core.roles_create(
            project, ubiops.RoleCreate(name="caller", permissions=["deployments.versions.requests.create"])
        )
        core.role_assignments_create(
            project,
            ubiops.RoleAssignmentCreate(
                role=role.name, assignee=user.id, assignee_type="user", resource="shop", resource_type="deployment"
            ),
        )
        eventually_sync(lambda: here.call(service, authorization=token).status_code == 200, within_s=2.0)
        with refused(403, 404):  # it may call, and nothing else
            library(here.system, user.token).services_delete(project, "shop")

        renewed = core.service_users_token(project, user.id).token
        eventually_sync(lambda: here.call(service, authorization=token).status_code == 401, within_s=1.0)
        assert here.call(service, authorization=f"Token {renewed}").status_code == 200

    core.services_delete(project, "shop")
    eventually_sync(lambda: here.call(service).status_code == 404, within_s=2.0)


def test_withdrawing_a_role_or_the_user_stops_the_calls_within_a_second(here: Stage) -> None:
    with application() as app:
        deployment = here.deployment()
        here.version(deployment)
        service = here.service(deployment)
        here.register(deployment, app)
        here.ready(service)
        first, second = here.service_user(), here.service_user()
        assignment = here.assign("deployment-admin", first.id, resource=deployment, resource_type="deployment")
        here.assign("project-admin", second.id)
        for user in (first, second):
            eventually_sync(
                lambda user=user: here.call(service, authorization=f"Token {user.token}").status_code == 200
            )
        here.core.role_assignments_delete(here.project, assignment)
        eventually_sync(
            lambda: here.call(service, authorization=f"Token {first.token}").status_code == 403, within_s=1.0
        )
        here.core.service_users_delete(here.project, second.id)
        eventually_sync(
            lambda: here.call(service, authorization=f"Token {second.token}").status_code == 401, within_s=1.0
        )


def test_the_default_version_decides_where_new_requests_go_at_once(here: Stage) -> None:
    deployment = here.deployment()
    with application() as old, application() as new:
        here.version(deployment, "v1")
        here.version(deployment, "v2")
        service = here.service(deployment)
        here.register(deployment, old, "v1")
        here.register(deployment, new, "v2")
        here.ready(service)
        assert here.call(service, "/before").status_code == 200
        assert "/before" in old.paths()
        eventually_sync(
            lambda: (
                {each.status for each in here.core.instances_list(here.project, deployment, "v2").results}
                == {"running"}
            )
        )
        here.core.deployments_update(here.project, deployment, ubiops.DeploymentUpdate(default_version="v2"))
        here.propagated(service.name)
        assert here.call(service, "/after").status_code == 200
        assert "/after" in new.paths()
        assert "/after" not in old.paths()


def test_the_token_reaches_the_application_only_when_it_is_passed_through(here: Stage) -> None:
    deployment = here.deployment()
    with application() as app:
        here.version(deployment)
        hidden = here.service(deployment)
        passed = here.service(deployment, authentication_header_pass_through=True)
        here.register(deployment, app)
        for service in (hidden, passed):
            here.ready(service)
        assert "authorization" not in here.call(hidden, "/headers").json()
        assert here.call(passed, "/headers").json()["authorization"] == f"Token {here.system.token}"


def test_a_service_whose_token_authentication_is_off_takes_no_token(here: Stage) -> None:
    deployment = here.deployment()
    with application() as app:
        here.version(deployment)
        service = here.service(deployment, authentication_method_token_enabled=False)
        here.register(deployment, app)
        here.ready(service)
        assert here.call(service).status_code in (401, 403)
        here.core.services_update(
            here.project, service.name, ubiops.ServiceUpdate(authentication_method_token_enabled=True)
        )
        here.propagated(service.name)
        assert here.call(service).status_code == 200


def test_an_instance_whose_health_check_fails_gets_no_more_requests(here: Stage) -> None:
    deployment = here.deployment()
    with application() as well, application() as broken:
        here.version(deployment)
        service = here.service(deployment)
        here.register(deployment, well)
        here.register(deployment, broken)
        eventually_sync(lambda: here.core.services_status_get(here.project, service.name).instances_ready == 2)
        broken.healthy = False
        eventually_sync(lambda: here.core.services_status_get(here.project, service.name).instances_ready == 1)
        here.propagated(service.name)
        before = len(broken.paths())
        assert {here.call(service).status_code for _ in range(10)} == {200}
        assert len(broken.paths()) == before
