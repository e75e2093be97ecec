"""The stock CLI: requests, instances, audit and logs (UBIOPS_API sections 7, 9, 10)."""

import json

import pytest
from compat.cli import Cli
from compat.stage import Served, Stage

from narthex.testing.waiting import eventually_sync


@pytest.fixture(scope="module")
def logged(served: Served) -> Served:
    """The running service, once its last request is in the log."""
    core, project = served.stage.core, served.stage.project

    def there() -> bool:
        listed = core.deployment_requests_list(project, served.deployment, status="completed,failed")
        return set(served.requests.values()) <= {each.id for each in listed}

    eventually_sync(there, within_s=10.0)
    return served


@pytest.mark.parametrize("version", [[], ["-v", "v1"]])
def test_requests_are_listed_and_shown(cli: Cli, logged: Served, version: list[str]) -> None:
    request_id = logged.requests["/hello"]
    listed = cli.json("deployments", "requests", "list", logged.deployment, *version)
    assert request_id in {each["id"] for each in listed}
    assert {each["status"] for each in listed} == {"completed"}
    assert request_id in cli.run("deployments", "requests", "list", logged.deployment, *version)
    [shown] = cli.json("deployments", "requests", "get", logged.deployment, *version, "-id", request_id)
    assert (shown["id"], shown["deployment"], shown["version"]) == (request_id, logged.deployment, "v1")
    two = [request_id, logged.requests["/status/404"]]
    said = cli.run("deployments", "requests", "get", logged.deployment, *version, "-id", two[0], "-id", two[1])
    assert all(f"Request id: {each}" in said for each in two)
    assert "Status: completed" in said


def test_a_failed_request_says_why(cli: Cli, logged: Served) -> None:
    said = cli.run("deployments", "requests", "get", logged.deployment, "-id", logged.requests["/status/500"])
    assert "Status: failed" in said
    assert "Error message: " in said


def test_input_and_output_are_printed_and_stored(cli: Cli, logged: Served) -> None:
    request_id = logged.requests["/echo"]
    for what in ("input", "output"):
        printed = cli.run("deployments", "requests", what, logged.deployment, "-id", request_id)
        assert json.loads(printed) == {"question": 42}
        into = cli.work / what
        into.mkdir()
        cli.run("deployments", "requests", what, logged.deployment, "-id", request_id, "-o", str(into))
        [file] = into.iterdir()
        assert json.loads(file.read_text()) == {"question": 42}


def test_instances_are_listed_and_shown(cli: Cli, served: Served) -> None:
    at = ["-d", served.deployment, "-v", "v1"]
    [listed] = cli.json("instances", "list", *at)
    assert (listed["id"], listed["status"]) == (served.instance, "running")
    assert served.instance in cli.run("instances", "list", *at)
    shown = cli.json("instances", "get", served.instance, *at)
    assert (shown["id"], shown["deployment"], shown["version"]) == (served.instance, served.deployment, "v1")
    assert f"id: {served.instance}" in cli.run("instances", "get", served.instance, *at)
    assert "Error (404)" in cli.fails("instances", "get", "nope", *at)


def test_the_events_of_an_instance_are_listed(cli: Cli, served: Served) -> None:
    events = cli.json("instances", "events", served.instance, "-d", served.deployment, "-v", "v1")
    assert events
    assert all(each["description"] for each in events)


def test_the_instances_of_the_project_are_listed_and_shown(cli: Cli, served: Served) -> None:
    listed = cli.json("project_instances", "list", "--limit", "50")
    assert (served.instance, served.deployment, "v1") in {
        (each["id"], each["deployment"], each["version"]) for each in listed
    }
    assert cli.json("project_instances", "get", served.instance)["deployment"] == served.deployment


def test_instance_types_and_their_groups_are_listed(cli: Cli) -> None:
    assert cli.json("instance_types", "list")
    [group, *_] = cli.json("instance_type_groups", "list")
    assert cli.json("instance_type_groups", "get", group["id"])["name"] == group["name"]


def test_the_audit_is_listed_and_filtered(cli: Cli, stage: Stage) -> None:
    name = stage.deployment()
    assert name in cli.run("audit", "list")
    created = cli.json("audit_events", "list", "--action", "create", "--limit", "100")
    assert {each["action"] for each in created} == {"create"}
    assert any(name in each["event"] for each in created)
    [of_deployment] = cli.json("audit", "list", "-d", name)
    assert name in of_deployment["event"]
    assert len(cli.json("audit", "list", "--limit", "1", "--offset", "1")) == 1


@pytest.mark.parametrize("form", ["oneline", "reference", "extended", "json"])
def test_logs_are_printed_in_every_format(cli: Cli, logged: Served, form: str) -> None:
    query = f'| deployment_name="{logged.deployment}"'

    def printed() -> str:
        return cli.run("logs", "--no_pager", "-q", query, "-n", "20", "--format", form).strip().removeprefix("[]")

    said = eventually_sync(printed, within_s=10.0)
    if form == "json":
        assert {line["metadata"]["deployment_name"] for line in json.loads(said)} == {logged.deployment}
    if form == "extended":
        assert f"deployment_name: {logged.deployment}" in said


def test_no_logs_are_no_error(cli: Cli) -> None:
    assert cli.run("logs", "--no_pager", "-q", '| deployment_name="nobody"').strip() == ""
