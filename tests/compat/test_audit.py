"""Audit, events and logs (UBIOPS_API section 9)."""

import datetime
import time

import pytest
import ubiops
from compat.stage import Served, Stage
from compat.stock import gone, refused

from narthex.testing.waiting import eventually_sync

SECOND_NS = 1_000_000_000


def test_every_change_is_in_the_audit_newest_first(stage: Stage) -> None:
    name = stage.deployment()
    stage.core.deployments_update(stage.project, name, ubiops.DeploymentUpdate(description="new"))
    stage.core.deployments_delete(stage.project, name)
    events = [each for each in stage.core.project_audit_events_list(stage.project, limit=20) if name in each.event]
    assert [each.action for each in events] == ["delete", "update", "create"]
    assert {(each.user, each.object_type) for each in events} == {("admin@localhost", "deployment")}
    assert {each.object_name for each in events} <= {"", name}
    assert abs(events[0].date - datetime.datetime.now(datetime.UTC)) < datetime.timedelta(minutes=1)


def test_the_audit_is_filtered_by_action_and_paged(stage: Stage) -> None:
    first, second = stage.deployment(), stage.deployment()
    page = stage.core.project_audit_events_list(stage.project, action="create", limit=1)
    assert second in page[0].event
    assert len(page) == 1
    assert first in stage.core.project_audit_events_list(stage.project, action="create", limit=1, offset=1)[0].event
    deleted = stage.core.project_audit_events_list(stage.project, action="delete")
    assert {each.action for each in deleted} <= {"delete"}
    with refused(400, says="action"):
        stage.core.project_audit_events_list(stage.project, action="dance")


def test_a_deployment_has_its_own_audit(stage: Stage) -> None:
    name, other = stage.deployment(), stage.deployment()
    stage.version(name)
    events = stage.core.deployment_audit_events_list(stage.project, name)
    made = {each.object_type for each in events if each.action == "create"}
    assert made == {"deployment", "deployment_version"}
    assert not any(other in each.event for each in events)
    assert len(stage.core.deployment_audit_events_list(stage.project, name, action="create", limit=1)) == 1
    with gone():
        stage.core.deployment_audit_events_list(stage.project, "nope")


def test_no_secret_is_in_the_audit(stage: Stage) -> None:
    user = stage.service_user()
    new = stage.core.service_users_token(stage.project, user.id).token
    text = stage.raw.get(f"/projects/{stage.project}/audit", limit="100").text
    assert user.token not in text
    assert new not in text
    assert user.name in text


def test_a_services_events_are_told(served: Served) -> None:
    core, project = served.stage.core, served.stage.project

    def told() -> list[ubiops.EventList]:
        return list(core.project_events_list(project, object_type="service", object_id=served.service.id))

    events = eventually_sync(told)
    assert {(each.object_type, each.object_id) for each in events} == {("service", served.service.id)}
    assert {each.object_name for each in events} == {served.service.name}
    assert all(each.type and each.text and each.date for each in events)
    one = events[0]
    same_type = core.project_events_list(project, object_type="service", object_id=served.service.id, type=one.type)
    assert {each.type for each in same_type} == {one.type}
    dates = [each.date for each in events]
    assert dates == sorted(dates, reverse=True)


def test_a_versions_events_tell_that_its_instance_became_well(served: Served) -> None:
    core, project = served.stage.core, served.stage.project
    version = served.version

    def told() -> list[ubiops.EventList]:
        return list(core.project_events_list(project, object_type="deployment_version", object_id=version.id))

    events = eventually_sync(told)
    assert {(each.object_name, each.parent_object_name) for each in events} == {("v1", served.deployment)}


def test_events_are_found_by_time_and_paged(served: Served) -> None:
    core, project = served.stage.core, served.stage.project
    recent = eventually_sync(lambda: core.project_events_list(project, last_seconds=600))
    assert len(core.project_events_list(project, limit=1)) == 1
    assert (
        core.project_events_list(project, limit=1, offset=1)[0].id != core.project_events_list(project, limit=1)[0].id
    )
    now = datetime.datetime.now(datetime.UTC)
    hour = datetime.timedelta(hours=1)
    within = core.project_events_list(project, start_time=str(now - hour), end_time=str(now + hour))
    assert {each.id for each in within} >= {recent[-1].id}
    assert core.project_events_list(project, start_time=str(now + hour), end_time=str(now + 2 * hour)) == []
    with refused(400):
        core.project_events_list(project, last_seconds=5, start_time=str(now))


def logged_lines(served: Served, query: str, **more: object) -> list[ubiops.LogList]:
    return list(served.stage.core.logs_list(served.stage.project, query=query, **more))


def test_a_deployments_lines_are_found_by_its_name(served: Served) -> None:
    query = f'| deployment_name="{served.deployment}" and deployment_version="v1"'
    lines = eventually_sync(lambda: logged_lines(served, query))
    assert {(line.metadata.deployment_name, line.metadata.deployment_version) for line in lines} == {
        (served.deployment, "v1")
    }
    for line in lines:
        assert line.log
        assert abs(line.timestamp - time.time_ns()) < 3600 * SECOND_NS
        assert line.timestamp_str


def test_lines_are_filtered_by_text_and_expression(served: Served) -> None:
    label = f'deployment_name="{served.deployment}"'
    whole = eventually_sync(lambda: logged_lines(served, f"| {label}"))
    word = whole[0].log.split()[0]
    assert all(word in line.log for line in logged_lines(served, f'|= "{word}" | {label}'))
    assert all(word not in line.log for line in logged_lines(served, f'!= "{word}" | {label}'))
    assert logged_lines(served, f'|~ "no.?such.?line" | {label}') == []
    assert len(logged_lines(served, f'!~ "no.?such.?line" | {label}')) >= len(whole)
    assert logged_lines(served, f'| {label} and deployment_version=~"v[2-9]"') == []
    assert logged_lines(served, f"| deployment_name=`{served.deployment}`")  # as the library quotes them
    assert logged_lines(served, '| deployment_name="nope"') == []


def test_start_and_end_decide_the_order_and_what_is_found(served: Served) -> None:
    query = f'| deployment_name="{served.deployment}"'
    eventually_sync(lambda: logged_lines(served, query))
    now, hour = time.time_ns(), 3600 * SECOND_NS
    forward = logged_lines(served, query, start=now - hour, end=now + hour)
    backward = logged_lines(served, query, start=now + hour, end=now - hour)
    times = [line.timestamp for line in forward]
    assert times == sorted(times)
    assert times == [line.timestamp for line in reversed(backward)]
    assert logged_lines(served, query, start=(now - hour) // SECOND_NS, end=(now + hour) // SECOND_NS)  # in seconds
    iso = datetime.datetime.now(datetime.UTC) - datetime.timedelta(hours=1)
    assert logged_lines(served, query, start=iso.isoformat(), end=now + hour)
    assert len(logged_lines(served, query, limit=1)) == 1


@pytest.mark.parametrize("query", ['| deployment_name="x', "| deployment_name", '|~ "("', "nonsense"])
def test_a_query_that_cannot_be_read_is_refused(stage: Stage, query: str) -> None:
    with refused(400, says="query"):
        stage.core.logs_list(stage.project, query=query)
