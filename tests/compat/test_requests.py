"""What services answered, as requests of the deployment version behind them (UBIOPS_API section 7)."""

import datetime
import json
from typing import Any

import pytest
import ubiops
from compat.stage import Served, Stage, localhost_names
from compat.stock import gone, refused

from narthex.testing.waiting import eventually_sync

SEEN_WITHIN_S = 10.0  # "visible after up to a few seconds"


class Log:
    """The request operations of the running version, or those of its deployment (= the default version)."""

    def __init__(self, served: Served, *, by_version: bool) -> None:
        self.core = served.stage.core
        self.kind = "deployment_version_requests_" if by_version else "deployment_requests_"
        self.path = {"project_name": served.stage.project, "deployment_name": served.deployment}
        if by_version:
            self.path["version"] = "v1"

    def __getattr__(self, operation: str) -> Any:
        method = getattr(self.core, self.kind + operation)
        return lambda **arguments: method(**self.path, **arguments)


@pytest.fixture(scope="module")
def logged(served: Served) -> Served:
    """The running service, once all its first requests are in the log."""
    wanted = set(served.requests.values())

    def there() -> bool:
        listed = Log(served, by_version=True).list(status="completed,failed", limit=50)
        return wanted <= {each.id for each in listed}

    eventually_sync(there, within_s=SEEN_WITHIN_S)
    return served


@pytest.fixture(params=["version", "default"])
def log(request: pytest.FixtureRequest, logged: Served) -> Log:
    return Log(logged, by_version=request.param == "version")


# operations by name, for the table of operations: they are called through Log
OPERATIONS = [
    *("deployment_requests_list", "deployment_requests_get", "deployment_requests_batch_get"),
    *("deployment_requests_input_get", "deployment_requests_output_get", "deployment_requests_delete"),
    *("deployment_requests_batch_delete", "deployment_requests_update", "deployment_requests_batch_cancel"),
    *("deployment_version_requests_list", "deployment_version_requests_get", "deployment_version_requests_batch_get"),
    *("deployment_version_requests_input_get", "deployment_version_requests_output_get"),
    *("deployment_version_requests_delete", "deployment_version_requests_batch_delete"),
    *("deployment_version_requests_update", "deployment_version_requests_batch_cancel"),
]


def test_a_good_answer_is_a_completed_request(log: Log, logged: Served) -> None:
    [found] = [each for each in log.list() if each.id == logged.requests["/hello"]]
    assert (found.deployment, found.version, found.status) == (logged.deployment, "v1", "completed")
    assert found.time_created <= found.time_started <= found.time_completed
    assert found.output_size == len(b"hello\n")


def test_an_error_of_the_application_is_a_failed_request(log: Log, logged: Served) -> None:
    failed = {each.id for each in log.list(status="failed")}
    assert logged.requests["/status/500"] in failed
    assert logged.requests["/hello"] not in failed


def test_only_completed_requests_are_listed_by_default_newest_first(log: Log) -> None:
    listed = log.list()
    assert {each.status for each in listed} == {"completed"}
    times = [each.time_created for each in listed]
    assert times == sorted(times, reverse=True)


def test_statuses_are_combined_with_commas(log: Log, logged: Served) -> None:
    both = {each.id for each in log.list(status="completed,failed")}
    assert set(logged.requests.values()) <= both
    assert log.list(status="pending") == []
    assert log.list(status="cancelled") == []
    with refused(400, says="status"):
        log.list(status="pending,completed")
    with refused(400, says="status"):
        log.list(status="wondering")


def test_limit_and_offset_page_through_the_log(log: Log) -> None:
    whole = [each.id for each in log.list(status="completed,failed")]
    pages = [log.list(status="completed,failed", limit=1, offset=offset) for offset in range(3)]
    assert [[each.id for each in page] for page in pages] == [[each] for each in whole[:3]]


def test_requests_are_found_by_time_as_datetimes_and_as_text(log: Log, logged: Served) -> None:
    now = datetime.datetime.now(datetime.UTC)
    hour = datetime.timedelta(hours=1)
    for start, end in ((now - hour, now + hour), (str(now - hour), str(now + hour))):
        assert logged.requests["/hello"] in {each.id for each in log.list(start_date=start, end_date=end)}
    naive = now.replace(tzinfo=None)  # naive = UTC
    assert logged.requests["/hello"] in {each.id for each in log.list(start_date=naive - hour, end_date=naive + hour)}
    assert log.list(start_date=now + hour, end_date=now + 2 * hour) == []


def test_requests_are_found_by_a_part_of_their_id(log: Log, logged: Served) -> None:
    wanted = logged.requests["/hello"]
    assert [each.id for each in log.list(search_id=wanted[4:])] == [wanted]
    assert log.list(search_id="%") == []


def test_one_request_is_shown_with_what_was_asked_and_by_whom(log: Log, logged: Served) -> None:
    found = log.get(request_id=logged.requests["/status/500"])
    assert found.status == "failed"
    assert found.error_message
    assert (found.additional_data.method, found.additional_data.path) == ("GET", "/status/500")
    assert found.additional_data.status_code == 500
    assert found.origin["created_by"] == "admin@localhost"
    with gone():
        log.get(request_id="00000000-0000-0000-0000-000000000000")


def test_several_requests_are_collected(log: Log, logged: Served) -> None:
    wanted = [logged.requests["/hello"], logged.requests["/status/404"]]
    found = {each.id: each for each in log.batch_get(data=[*wanted, "00000000-0000-0000-0000-000000000000"])}
    assert set(found) == set(wanted)
    assert found[wanted[1]].additional_data.status_code == 404


def test_input_and_output_are_downloaded_with_a_file_name(log: Log, logged: Served) -> None:
    request_id = logged.requests["/echo"]
    with log.input_get(request_id=request_id) as file:
        assert json.loads(file.read()) == {"question": 42}
        assert file.getfilename()
    with log.output_get(request_id=request_id) as file:
        assert json.loads(file.read()) == {"question": 42}
        assert file.getfilename()


def test_the_project_lists_requests_of_its_deployments(logged: Served) -> None:
    core, project = logged.stage.core, logged.stage.project
    [found] = [
        each
        for each in core.project_requests_list(project, object_type="deployment")
        if each.id == logged.requests["/hello"]
    ]
    assert (found.deployment, found.version, found.status, found.pipeline) == (
        logged.deployment,
        "v1",
        "completed",
        None,
    )
    failed = core.project_requests_list(project, object_type="deployment", status="failed")
    assert logged.requests["/status/500"] in {each.id for each in failed}
    assert core.project_requests_list(project, object_type="pipeline") == []
    with refused(400, says="object_type"):
        core.project_requests_list(project, object_type="planet")
    with refused(400, says="object_type"):
        core.project_requests_list(project)


def test_what_is_finished_is_not_cancelled(log: Log, logged: Served) -> None:
    request_id = logged.requests["/hello"]
    with refused(400, 409):
        log.update(request_id=request_id, data=ubiops.DeploymentRequestUpdate(status="cancelled"))
    assert isinstance(log.batch_cancel(data=[request_id]), dict)
    assert log.get(request_id=request_id).status == "completed"


def requested(served: Served, path: str = "/hello") -> str:
    """One more request, once it is in the log."""
    with localhost_names():
        request_id = served.stage.call(served.service, path).headers["x-request-id"]
    log = Log(served, by_version=True)
    eventually_sync(lambda: [each for each in log.list() if each.id == request_id], within_s=SEEN_WITHIN_S)
    return str(request_id)


def test_requests_are_deleted_from_the_log(log: Log, logged: Served) -> None:
    one, two, three = (requested(logged) for _ in range(3))
    log.delete(request_id=one)
    assert isinstance(log.batch_delete(data=[two, three]), dict)
    for request_id in (one, two, three):
        with gone():
            log.get(request_id=request_id)


def test_with_retention_none_nothing_is_kept_and_with_metadata_no_bodies(served: Served) -> None:
    stage = served.stage
    quiet, brief = stage.deployment("quiet"), stage.deployment("brief")
    for deployment, mode in ((quiet, "none"), (brief, "metadata")):
        stage.version(deployment, request_retention_mode=mode)
        stage.register(deployment, served.application)
    asked = {}
    for deployment in (quiet, brief):
        service = stage.service(deployment)
        stage.ready(service)
        asked[deployment] = stage.call(service).headers["x-request-id"]
    core, project = stage.core, stage.project
    # What was asked later is there: so would be what was asked before.
    eventually_sync(lambda: core.deployment_requests_list(project, brief), within_s=SEEN_WITHIN_S)
    assert core.deployment_requests_list(project, quiet, status="completed,failed") == []
    with refused(400, 404, 409):
        core.deployment_requests_output_get(project, brief, asked[brief])


@pytest.mark.parametrize(
    ("excluded", "unlogged"),
    [
        ({"request_logging_excluded_paths": "(health|quiet)$"}, "/very/quiet"),
        ({"request_logging_excluded_extensions": ["json", "png"]}, "/headers"),
    ],
)
def test_what_a_service_excludes_is_not_logged(served: Served, excluded: dict[str, Any], unlogged: str) -> None:
    stage = served.stage
    service = stage.service(served.deployment, "excluding", **excluded)
    stage.ready(service)
    hidden = stage.call(service, unlogged).headers["x-request-id"]
    shown = stage.call(service, "/hello").headers["x-request-id"]
    log = Log(served, by_version=True)

    def logged_ids() -> set[str]:
        return {each.id for each in log.list()}

    eventually_sync(lambda: shown in logged_ids(), within_s=SEEN_WITHIN_S)  # and the one before it would be
    assert hidden not in logged_ids()


def test_requests_of_unknown_deployments_and_versions_are_not_there(stage: Stage) -> None:
    with gone():
        stage.core.deployment_requests_list(stage.project, "nope")
    name = stage.deployment()
    stage.version(name)
    with gone():
        stage.core.deployment_version_requests_list(stage.project, name, "v9")
    assert stage.core.deployment_version_requests_list(stage.project, name, "v1") == []
