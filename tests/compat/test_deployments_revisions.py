"""As much of environments and revisions as waiting for a version and deploying ask for (UBIOPS_API section 3)."""

from pathlib import Path

import ubiops
from compat.stage import Stage
from compat.stock import fresh, gone


def test_the_environment_of_a_version_and_its_tag_are_available(stage: Stage) -> None:
    made = stage.version(stage.deployment())
    environment = stage.core.environments_get(stage.project, made.environment_name)
    tag = stage.core.environment_tags_get(stage.project, made.environment_name, made.environment_tag)
    assert environment.name == made.environment_name
    assert (tag.name, tag.environment, tag.status) == (made.environment_tag, made.environment_name, "available")


def test_a_version_can_name_its_environment(stage: Stage) -> None:
    name = stage.deployment()
    made = stage.version(name, environment_name="ubiops-ubuntu24-04-python3-13", environment_tag="v1")
    assert (made.environment_name, made.environment_tag) == ("ubiops-ubuntu24-04-python3-13", "v1")
    assert stage.core.environments_get(stage.project, made.environment_name).name == made.environment_name
    assert stage.core.environment_tags_get(stage.project, made.environment_name, "v1").status == "available"
    old = stage.version(name, "v2", environment="python3-11")
    assert old.environment_name == "python3-11"
    assert stage.core.environments_get(stage.project, "python3-11").name == "python3-11"


def test_an_environment_that_no_version_names_is_not_there(stage: Stage) -> None:
    with gone():
        stage.core.environments_get(stage.project, fresh("env"))
    with gone():
        stage.core.environment_tags_get(stage.project, fresh("env"), "v1")


def test_the_revision_of_a_version_is_a_success(stage: Stage) -> None:
    name = stage.deployment()
    made = stage.version(name)
    revision = stage.core.revisions_get(stage.project, name, made.latest_revision, "v1")
    assert (revision.id, revision.version, revision.status) == (made.latest_revision, "v1", "success")
    assert [each.id for each in stage.core.revisions_list(stage.project, name, "v1")] == [revision.id]
    with gone():
        stage.core.revisions_get(stage.project, name, "00000000-0000-0000-0000-000000000000", "v1")


def test_environments_and_their_tags_are_listed(stage: Stage) -> None:
    made = stage.version(stage.deployment(), environment_name=fresh("env"), environment_tag="v3")
    listed = {each.name for each in stage.core.environments_list(stage.project)}
    assert made.environment_name in listed
    tags = stage.core.environment_tags_list(stage.project, made.environment_name)
    assert ("v3", made.environment_name) in {(tag.name, tag.environment) for tag in tags}
    with gone():
        stage.core.environment_tags_list(stage.project, fresh("env"))


def test_an_uploaded_package_is_a_new_revision(stage: Stage, tmp_path: Path) -> None:
    # `ubiops deployments deploy` ends with it when the deployment supports the request format.
    name, archive = fresh("dep"), tmp_path / "package.zip"
    archive.write_bytes(b"PK\x05\x06" + b"\0" * 18)
    stage.core.deployments_create(stage.project, ubiops.DeploymentCreate(name=name, input_type="plain"))
    first = stage.version(name)
    uploaded = stage.core.revisions_file_upload(stage.project, name, "v1", file=str(archive))
    assert uploaded.success is True
    assert uploaded.revision != first.latest_revision
    shown = stage.core.deployment_versions_get(stage.project, name, "v1")
    assert (shown.latest_revision, shown.active_revision) == (uploaded.revision, uploaded.revision)
    assert shown.last_file_upload is not None
    assert stage.core.revisions_get(stage.project, name, uploaded.revision, "v1").status == "success"


def test_an_empty_revision_is_possible(stage: Stage) -> None:
    name = stage.deployment()
    stage.version(name)
    made = stage.core.revisions_file_upload(stage.project, name, "v1")
    assert stage.core.revisions_get(stage.project, name, made.revision, "v1").status == "success"


def test_the_library_waits_for_a_version(stage: Stage) -> None:
    name = stage.deployment()
    stage.version(name)
    ubiops.utils.wait_for_deployment_version(
        client=stage.core.api_client, project_name=stage.project, deployment_name=name, version="v1", quiet=True
    )
