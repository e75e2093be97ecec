"""Instances as UbiOps shows them (UBIOPS_API section 10); how they are registered is ours."""

from itertools import chain
from typing import Any

import pytest
import ubiops
from compat.application import Application
from compat.stage import Served, Stage
from compat.stock import gone, refused

from narthex.testing.waiting import eventually_sync

STATUSES = {"pending", "initialising", "running", "stopping"}


@pytest.fixture(scope="module")
def crowd(stage: Stage, app: Application) -> tuple[str, list[str]]:
    """A version with three instances: its deployment and their ids."""
    name = stage.deployment("crowd")
    stage.version(name)
    return name, [stage.register(name, app) for _ in range(3)]


def test_the_instances_of_a_version_are_listed(served: Served) -> None:
    page = served.stage.core.instances_list(served.stage.project, served.deployment, "v1")
    assert (page.next, page.previous) == (None, None)
    [found] = page.results
    assert (found.id, found.status) == (served.instance, "running")
    assert found.instance_type is None or found.instance_type.name
    assert found.time_created <= found.time_updated


def test_a_version_without_instances_has_an_empty_page(stage: Stage) -> None:
    name = stage.deployment()
    stage.version(name)
    assert stage.core.instances_list(stage.project, name, "v1").results == []


def test_one_instance_is_shown_where_it_belongs(served: Served) -> None:
    core, project = served.stage.core, served.stage.project
    found = core.instances_get(project, served.deployment, served.instance, "v1")
    assert (found.id, found.deployment, found.version, found.status) == (
        served.instance,
        served.deployment,
        "v1",
        "running",
    )
    again = core.project_instances_get(project, served.instance)
    assert (again.id, again.deployment, again.version) == (found.id, served.deployment, "v1")
    for missing in ("00000000-0000-0000-0000-000000000000", "x"):
        with gone():
            core.instances_get(project, served.deployment, missing, "v1")
        with gone():
            core.project_instances_get(project, missing)


def ids_of(pages: list[list[str]]) -> list[str]:
    return list(chain.from_iterable(pages))


def pages(ask: Any) -> list[list[str]]:
    """Follow `next` from page to page; the ids on each."""
    found, cursor = [], None
    while True:
        page = ask(**({"cursor": cursor} if cursor else {}))
        found.append([each.id for each in page.results])
        cursor = page.next
        if not cursor:
            return found


def test_cursors_lead_through_all_instances_once(stage: Stage, crowd: tuple[str, list[str]]) -> None:
    name, ids = crowd

    def of_version(**more: Any) -> Any:
        return stage.core.instances_list(stage.project, name, "v1", limit=2, **more)

    found = pages(of_version)
    assert [len(page) for page in found] == [2, 1]
    assert sorted(ids_of(found)) == sorted(ids)
    whole = pages(lambda **more: stage.core.project_instances_list(stage.project, limit=2, **more))
    listed = ids_of(whole)
    assert set(ids) <= set(listed)
    assert len(listed) == len(set(listed))


def test_a_page_leads_back_to_the_one_before(stage: Stage, crowd: tuple[str, list[str]]) -> None:
    def page(**more: Any) -> Any:
        return stage.core.instances_list(stage.project, crowd[0], "v1", limit=2, **more)

    first = page()
    second = page(cursor=first.next)
    assert [each.id for each in page(cursor=second.previous).results] == [each.id for each in first.results]


def test_instances_are_filtered_by_status(stage: Stage, crowd: tuple[str, list[str]]) -> None:
    name, ids = crowd

    def found(status: str) -> set[str]:
        return {each.id for each in stage.core.instances_list(stage.project, name, "v1", status=status).results}

    assert eventually_sync(lambda: found("running") == set(ids))
    assert found("pending,stopping") == set()
    assert found("pending,running") == set(ids)
    listed = stage.core.project_instances_list(stage.project, status="running").results
    assert {each.status for each in listed} == {"running"}
    with refused(400, says="status"):
        found("dancing")


def test_the_project_shows_to_which_version_an_instance_belongs(served: Served) -> None:
    listed = served.stage.core.project_instances_list(served.stage.project, limit=50).results
    assert (served.deployment, "v1") in {
        (each.deployment, each.version) for each in listed if each.id == served.instance
    }
    assert {each.status for each in listed} <= STATUSES


@pytest.mark.parametrize("by", ["version", "project"])
def test_a_stopped_instance_is_stopping_and_then_gone(stage: Stage, app: Application, by: str) -> None:
    name = stage.deployment()
    stage.version(name)
    instance = stage.register(name, app)
    stop = ubiops.InstanceUpdate(status="stopped")
    if by == "version":
        changed = stage.core.instances_update(stage.project, name, instance, "v1", stop)
    else:
        changed = stage.core.project_instances_update(stage.project, instance, stop)
    assert (changed.id, changed.status) == (instance, "stopping")

    def left() -> bool:
        return not stage.core.instances_list(stage.project, name, "v1").results

    eventually_sync(left)


def test_an_instance_can_only_be_stopped(stage: Stage, crowd: tuple[str, list[str]]) -> None:
    with refused(400, says="status"):
        stage.core.instances_update(stage.project, crowd[0], crowd[1][0], "v1", ubiops.InstanceUpdate(status="running"))
    with refused(400, says="status"):
        stage.core.project_instances_update(stage.project, crowd[1][0], ubiops.InstanceUpdate(status="running"))


def test_what_happened_to_an_instance_is_told_newest_first(served: Served) -> None:
    core, project = served.stage.core, served.stage.project

    def told() -> Any:
        page = core.instance_events_list(project, served.deployment, served.instance, "v1")
        return page if len(page.results) > 1 else None

    page = eventually_sync(told)  # registered, and then well
    times = [each.time_created for each in page.results]
    assert times == sorted(times, reverse=True)
    assert all(each.description for each in page.results)
    first = core.instance_events_list(project, served.deployment, served.instance, "v1", limit=1)
    assert len(first.results) == 1
    second = core.instance_events_list(project, served.deployment, served.instance, "v1", limit=1, cursor=first.next)
    assert second.results[0].id != first.results[0].id
    with gone():
        core.instance_events_list(project, served.deployment, "00000000-0000-0000-0000-000000000000", "v1")


def test_there_is_an_instance_type_and_a_group_of_it(stage: Stage) -> None:
    core, project = stage.core, stage.project
    types = core.instance_types_list(project).results
    assert all(each.id and each.name for each in types)
    assert types
    groups = core.instance_type_groups_list(project, limit=10).results
    assert groups
    assert {each.id for group in groups for each in group.instance_types} <= {each.id for each in types}
    found = core.instance_type_groups_get(project, groups[0].id)
    assert (found.id, found.name) == (groups[0].id, groups[0].name)
    with gone():
        core.instance_type_groups_get(project, "00000000-0000-0000-0000-000000000000")


def test_a_version_names_its_instance_type_group_and_is_found_by_it(stage: Stage) -> None:
    group = stage.core.instance_type_groups_list(stage.project).results[0]
    name = stage.deployment()
    made = stage.version(name, instance_type_group_name=group.name)
    assert made.instance_type_group_name == group.name
    other = stage.version(name, "v2", instance_type_group_id=group.id)
    assert other.instance_type_group_id == group.id
    used = pages(lambda **more: stage.core.instance_type_groups_usage(stage.project, group.id, limit=50, **more))
    assert made.id in ids_of(used)
