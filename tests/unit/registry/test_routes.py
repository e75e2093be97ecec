"""What the API's routes ask of their callers."""

from typing import Any

from narthex_registry.api import elsewhere
from narthex_registry.api.needs import Permission
from narthex_registry.api.server import ROUTES

READING = {"list", "get"}


def test_what_changes_something_is_never_permitted_by_a_permission_to_read() -> None:
    for route in ROUTES:
        needs: Any = route.handler.needs
        if isinstance(needs, Permission):
            verb = needs.name.rpartition(".")[2]
            reads = route.method == "GET" or route.path.endswith("/collect")
            assert (verb in READING) == reads, f"{route.method} {route.path} needs {needs.name}"
            owned = any(part in route.path for part in ("/environment-variables", "/domains"))
            part_of_owner = owned and verb == "update"
            assert route.method != "DELETE" or verb == "delete" or part_of_owner, f"{route.path} needs {needs.name}"


def test_routes_below_a_project_ask_for_a_permission_there_unless_they_are_not_offered() -> None:
    for route in ROUTES:
        if "{project}" in route.path and not isinstance(route.handler.needs, Permission):
            assert route.handler.__module__ == elsewhere.__name__, route.path
