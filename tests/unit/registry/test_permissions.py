"""What roles permit, and on what."""

import pytest

from narthex_registry.permissions import (
    CALL,
    DEFAULT_ROLES,
    EVERYTHING,
    NOTHING,
    PEOPLE_PERMISSIONS,
    PERMISSIONS,
    Given,
    Grants,
    callable_by,
    default_roles_in,
)

ON_SERVICE = Grants(member=True, given=(Given(frozenset({"services.get"}), "service", "s1"),))
IN_PROJECT = Grants(member=True, given=(Given(frozenset({"services.get", CALL}), "project", "p1"),))


def test_a_role_on_a_thing_permits_nothing_on_another_or_in_the_project() -> None:
    assert ON_SERVICE.allows("services.get", "s1")
    assert not ON_SERVICE.allows("services.get", "s2")
    assert not ON_SERVICE.allows("services.get")
    assert not ON_SERVICE.allows("services.update", "s1")


def test_a_role_in_the_project_permits_it_on_everything_there() -> None:
    assert IN_PROJECT.allows("services.get")
    assert IN_PROJECT.allows("services.get", "whatever")


def test_a_list_shows_all_or_what_roles_are_on() -> None:
    assert IN_PROJECT.objects("services.get") is None
    assert ON_SERVICE.objects("services.get") == {"s1"}
    assert ON_SERVICE.objects("services.list") == frozenset()


def test_what_somebody_lacks_is_what_they_cannot_give() -> None:
    assert ON_SERVICE.lacking(["services.get"], "s1") == []
    assert ON_SERVICE.lacking(["services.get"], "s2") == ["services.get"]
    assert ON_SERVICE.lacking(["services.get"]) == ["services.get"]
    assert IN_PROJECT.lacking(["services.get", "roles.create", "audit.list"]) == ["audit.list", "roles.create"]
    assert EVERYTHING.lacking(PERMISSIONS) == []
    assert NOTHING.lacking(["audit.list"]) == ["audit.list"]


def test_what_a_user_may_call_follows_from_where_the_roles_are() -> None:
    call = frozenset({CALL})
    given = (
        Given(call, "project", "p1"),
        Given(call, "deployment", "d1"),
        Given(call, "service", "s1"),
        Given(frozenset({"services.get"}), "service", "s2"),
    )
    scope = callable_by(given)
    assert (scope.projects, scope.deployments, scope.services) == (("p1",), ("d1",), ("s1",))


@pytest.mark.parametrize("kind", ["project", "deployment", "service"])
def test_a_viewer_reads_an_editor_also_writes_an_admin_also_deletes(kind: str) -> None:
    viewer, editor, admin = (DEFAULT_ROLES[f"{kind}-{level}"].permissions for level in ("viewer", "editor", "admin"))
    assert viewer < editor < admin
    assert {name.rpartition(".")[2] for name in viewer} <= {"list", "get"}
    assert {name.rpartition(".")[2] for name in editor - viewer} <= {"create", "update"}
    assert {name.rpartition(".")[2] for name in admin - editor} == {"delete"}


def test_a_project_admin_holds_every_permission() -> None:
    assert DEFAULT_ROLES["project-admin"].permissions == frozenset(PERMISSIONS)


def test_the_role_for_service_users_is_without_power_over_people() -> None:
    permissions = DEFAULT_ROLES["service-user-project-admin"].permissions
    assert not permissions & PEOPLE_PERMISSIONS
    assert "roles.assignments.create" in PEOPLE_PERMISSIONS
    assert "service_users.update" in PEOPLE_PERMISSIONS
    assert "projects.users.create" in PEOPLE_PERMISSIONS


def test_default_roles_have_ids_of_their_own_in_every_project() -> None:
    one = default_roles_in("00000000-0000-7000-8000-000000000001")
    other = default_roles_in("00000000-0000-7000-8000-000000000002")
    assert len(one) == len(DEFAULT_ROLES)
    assert not set(one) & set(other)
