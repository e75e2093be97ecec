"""The migrations and the contract agree."""

import re

from narthex_audit.batch import COLUMNS
from narthex_audit.schema import Migration, migrations, missing, statements


def test_the_table_has_a_column_for_each_field_of_a_record() -> None:
    create, *later = [statement for migration in migrations() for statement in migration.statements]

    columns = re.findall(r"^    ([a-z_]+) +[A-Z]\w+[,( ]", create, re.MULTILINE)
    columns += re.findall(r"ALTER TABLE requests ADD COLUMN IF NOT EXISTS ([a-z_]+)", "\n".join(later))
    assert sorted(columns) == sorted(COLUMNS)


def test_migrations_are_numbered_without_holes() -> None:
    assert [migration.number for migration in migrations()] == list(range(1, len(migrations()) + 1))


def test_statements_are_separated_by_semicolons_and_comments_left_out() -> None:
    assert statements("-- why; because\nCREATE a; -- and\n\nALTER b\n;\n") == ("CREATE a", "ALTER b")


def test_only_what_is_missing_is_applied() -> None:
    first, second = Migration(1, "a", ()), Migration(2, "b", ())

    assert missing([first, second], applied={1}) == [second]
