"""What UbiOps users have in the wild: notebooks and a CI job, told as they do it."""

import shutil
from pathlib import Path

import requests
import ubiops
from compat.application import application
from compat.cli import Cli
from compat.stage import Stage
from compat.stock import TIMEOUT_S

from narthex.testing.waiting import eventually_sync


def test_the_notebook_that_serves_a_model_with_vllm(here: Stage, tmp_path: Path) -> None:
    api_token = f"Token {here.system.token}"
    configuration = ubiops.Configuration(host=f"{here.system.api_url}/v2.1")
    configuration.api_key["Authorization"] = api_token
    api = ubiops.CoreApi(ubiops.ApiClient(configuration))
    assert api.service_status().status == "ok"

    # With its fields of older releases, which the library drops, and the mode in capitals, which it sends.
    api.deployments_create(
        project_name=here.project,
        data=ubiops.DeploymentCreate(
            name="vllm-chat",
            description="Deploying a chat model with vLLM",
            input_type="plain",
            output_type="plain",
            input_fields=[],
            output_fields=[],
        ),
    )
    version = api.deployment_versions_create(
        project_name=here.project,
        deployment_name="vllm-chat",
        data=ubiops.DeploymentVersionCreate(
            version="v1",
            language="python3-12",
            instance_type_group_name="16384 MB + 4 vCPU + NVIDIA Ada Lovelace L4",
            minimum_instances=1,
            maximum_instances=1,
            maximum_idle_time=900,
            request_retention_mode="Full",
        ),
    )
    assert version.instance_type_group_name == "16384 MB + 4 vCPU + NVIDIA Ada Lovelace L4"
    assert version.request_retention_mode == "full"

    # Here the notebook sets environment variables: Narthex does not start the model, so it has none (501).
    package = tmp_path / "deployment_package"
    package.mkdir()
    (package / "deployment.py").write_text("class Deployment: ...\n")
    archive = shutil.make_archive(str(package), "zip", package)
    upload_response = api.revisions_file_upload(
        project_name=here.project, deployment_name="vllm-chat", version="v1", file=archive
    )
    ubiops.utils.wait_for_deployment_version(
        client=api.api_client,
        project_name=here.project,
        deployment_name="vllm-chat",
        version="v1",
        revision_id=upload_response.revision,
        quiet=True,
    )

    service = api.services_create(
        project_name=here.project,
        data=ubiops.ServiceCreate(
            name="vllm-chat",
            deployment="vllm-chat",
            version="v1",
            port=8888,
            health_check={"path": "/health"},
            request_storage_enabled=True,
            authentication_required=True,
            rate_limit_token=300,
        ),
    )
    service = api.services_get(project_name=here.project, service_name="vllm-chat")
    with application() as model:
        here.register("vllm-chat", model)
        here.ready(service)
        headers, verify = {"Authorization": api_token}, str(here.system.root_pem)
        url = service.endpoint
        assert requests.get(f"{url}/health", headers=headers, verify=verify, timeout=TIMEOUT_S).status_code == 200
        payload = {"model": "tiny", "messages": [{"role": "user", "content": "How many countries are there?"}]}
        response = requests.post(
            f"{url}/v1/chat/completions/", headers=headers, json=payload, verify=verify, timeout=TIMEOUT_S
        )
        response.raise_for_status()
        assert response.json()["choices"][0]["message"]["content"] == "hi"

        # The OpenAI client gets the token without its prefix, and sends it as Bearer.
        bearer = {"Authorization": f"Bearer {api_token.lstrip('Token ')}"}
        models = requests.get(f"{url}/v1/models", headers=bearer, verify=verify, timeout=TIMEOUT_S)
        assert [each["id"] for each in models.json()["data"]] == ["tiny"]


def test_a_token_survives_the_notebooks_way_of_cutting_its_prefix_off(stage: Stage) -> None:
    # `API_TOKEN.lstrip("Token ")` cuts off any of these letters: a token must begin with none of them.
    for token in (stage.system.token, stage.service_user().token):
        assert f"Token {token}".lstrip("Token ") == token


def test_the_notebook_that_serves_jupyter_and_scales_it_down(here: Stage, tmp_path: Path) -> None:
    api, archive = here.core, tmp_path / "package.zip"
    archive.write_bytes(b"PK\x05\x06" + b"\0" * 18)
    api.deployments_create(
        here.project, ubiops.DeploymentCreate(name="jupyter-server", input_type="plain", output_type="plain")
    )
    api.deployment_versions_create(
        here.project,
        "jupyter-server",
        ubiops.DeploymentVersionCreate(
            version="v1",
            environment="python3-12",
            instance_type_group_name="4096 MB + 1 vCPU",
            minimum_instances=1,
            maximum_instances=1,
            maximum_idle_time=900,
        ),
    )
    uploaded = api.revisions_file_upload(
        project_name=here.project, deployment_name="jupyter-server", version="v1", file=str(archive)
    )
    ubiops.utils.wait_for_deployment_version(
        client=api.api_client,
        project_name=here.project,
        deployment_name="jupyter-server",
        version="v1",
        revision_id=uploaded.revision,
    )
    api.services_create(
        here.project,
        ubiops.ServiceCreate(name="jupyter-service", deployment="jupyter-server", version="v1", port=8888),
    )
    service = api.services_get(here.project, "jupyter-service")
    with application() as jupyter:
        here.register("jupyter-server", jupyter)
        here.ready(service)
        # The address is put together from the service's id.
        port = service.endpoint.rpartition(":")[2]
        url = f"https://{service.id}.services.localhost:{port}"
        headers, verify = {"Authorization": f"Token {here.system.token}"}, str(here.system.root_pem)
        assert requests.get(f"{url}/tree?token=secret", verify=verify, timeout=TIMEOUT_S).status_code == 401
        answer = requests.get(f"{url}/tree?token=secret", headers=headers, verify=verify, timeout=TIMEOUT_S)
        assert answer.status_code == 200
        assert "/tree?token=secret" in jupyter.paths()
    scaled = api.deployment_versions_update(
        here.project, "jupyter-server", "v1", ubiops.DeploymentVersionUpdate(minimum_instances=0)
    )
    assert scaled.minimum_instances == 0


def test_the_notebook_that_shows_the_limits_of_a_service(here: Stage) -> None:
    deployment = here.deployment("app")
    with application() as app:
        here.version(deployment)
        here.register(deployment, app)
        service = here.service(deployment, "app", rate_limit_user_default=5, concurrency_limit_user_default=10)
        here.ready(service)
        vip = here.service_user()
        here.assign("project-viewer", vip.id)
        here.assign("deployment-admin", vip.id, resource=deployment, resource_type="deployment")
        here.core.services_user_rate_limit_create(
            here.project, service.name, ubiops.ServicesUserRateLimitCreate(user_id=vip.id, limit=12)
        )
        here.propagated(service.name)

        def hammer(token: str) -> list[int]:
            return [here.call(service, authorization=f"Token {token}").status_code for _ in range(15)]

        assert hammer(here.system.token).count(200) == 5
        assert hammer(vip.token).count(200) == 12


def test_a_ci_job_deploys_the_same_files_again_and_again(cli: Cli, here: Stage) -> None:
    cli.run("current_project", "set", here.project)
    deployment = cli.file("deployment.yaml", "deployment_name: web\ndeployment_supports_request_format: false\n")
    version = cli.file("version.yaml", "version_name: v1\nhealth_check:\n  port: 8080\n  path: /health\n")
    service = cli.file("service.yaml", "service_name: web\nservice_deployment: web\nport: 8080\nrate_limit: 3000\n")
    endpoints = set()
    for _ in range(2):
        cli.run("deployments", "create", "-f", deployment, "--overwrite")
        cli.run("deployments", "deploy", "web", "-f", version, "--overwrite", "-q")
        cli.run("versions", "wait", "v1", "-d", "web", "-t", "60", "-q")
        endpoints.add(cli.json("services", "create", "-f", service, "--overwrite")["endpoint"])
    assert len(endpoints) == 1
    assert here.core.deployment_versions_get(here.project, "web", "v1").health_check.path == "/health"


def test_a_script_waits_until_a_service_is_ready_and_lists_what_it_answered(here: Stage) -> None:
    deployment = here.deployment("report")
    here.version(deployment)
    service = here.service(deployment, "report")
    with application() as app:
        here.register(deployment, app)
        eventually_sync(lambda: here.core.services_status_get(here.project, service.name).ready)
        here.propagated(service.name)
        ids = {here.call(service, "/hello").headers["x-request-id"] for _ in range(3)}

        def listed() -> set[str]:
            return {each.id for each in here.core.deployment_requests_list(here.project, deployment, limit=50)}

        eventually_sync(lambda: ids <= listed(), within_s=10.0)
