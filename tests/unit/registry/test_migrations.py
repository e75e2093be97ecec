"""Migrations only add: the registries of the release before go on writing to the database that they find."""

import ast
from pathlib import Path

import pytest

from narthex_registry.schema import MIGRATIONS

FIRST = "r0001_first.py"  # there was nothing before it
ADDS = {"add_column", "create_table", "create_index", "execute", "bulk_insert", "get_bind", "batch_alter_table", "f"}
VERSIONS = sorted(each for each in (MIGRATIONS / "versions").glob("r*.py") if each.name != FIRST)


def calls(path: Path) -> list[ast.Call]:
    """What the upgrade does."""
    tree = ast.parse(path.read_text())
    [upgrade] = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "upgrade"]
    return [node for node in ast.walk(upgrade) if isinstance(node, ast.Call)]


def operation(call: ast.Call) -> str:
    function = call.func
    is_op = isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name) and function.value.id == "op"
    return function.attr if is_op and isinstance(function, ast.Attribute) else ""


@pytest.mark.parametrize("path", VERSIONS, ids=lambda path: path.stem)
def test_a_migration_takes_nothing_away(path: Path) -> None:
    assert {operation(call) for call in calls(path)} - {""} - ADDS == set()


@pytest.mark.parametrize("path", VERSIONS, ids=lambda path: path.stem)
def test_a_column_that_is_added_has_a_value_for_rows_of_those_who_do_not_know_it(path: Path) -> None:
    for call in calls(path):
        if operation(call) != "add_column":
            continue
        column = call.args[1]
        assert isinstance(column, ast.Call)
        options = {keyword.arg: keyword.value for keyword in column.keywords}
        nullable = options.get("nullable")
        required = isinstance(nullable, ast.Constant) and nullable.value is False
        assert not required or "server_default" in options, ast.unparse(column)
