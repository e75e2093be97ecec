"""The log store's schema: numbered migrations, applied in order, each once. Pure.

A migration that has been released is never edited. Each statement must bear being run again: ClickHouse has no
transaction round several of them, so one that was cut off half-way starts from its first statement.
"""

import re
from dataclasses import dataclass
from importlib.resources import files

# Which migrations a store has. On a cluster two processes may apply the same one: the rows are equal.
BOOKKEEPING = """
CREATE TABLE IF NOT EXISTS migrations (number UInt32, name String)
ENGINE = ReplacingMergeTree ORDER BY number SETTINGS fsync_after_insert = 1
"""

# What the store takes, and how the oldest of it is forgotten.
SIZE = "SELECT sum(bytes_on_disk) FROM system.parts WHERE active AND database = currentDatabase()"
KEPT = "SELECT count(), min(time) FROM requests"
DAYS = (
    "SELECT DISTINCT partition_id FROM system.parts"
    " WHERE active AND rows > 0 AND database = currentDatabase() AND table = 'requests' ORDER BY partition_id"
)
DROP_DAY = "ALTER TABLE requests DROP PARTITION ID {day:String}"
MIDDLE = "SELECT intDiv(toUnixTimestamp64Micro(min(time)) + toUnixTimestamp64Micro(max(time)), 2) + 1 FROM requests"
DELETE_BEFORE = (
    "ALTER TABLE requests DELETE WHERE time < fromUnixTimestamp64Micro({middle:Int64}, 'UTC')"
    " SETTINGS mutations_sync = 1"
)

_FILE_NAME = re.compile(r"([0-9]{4})_([a-z0-9_]+)\.sql")
_COMMENT = re.compile(r"--[^\n]*")


@dataclass(frozen=True)
class Migration:
    """One step of the schema: file `NNNN_name.sql`."""

    number: int
    name: str
    statements: tuple[str, ...]


def migrations() -> list[Migration]:
    """Every migration of this release, in order."""
    found = [
        Migration(int(match[1]), match[2], statements(file.read_text()))
        for file in files("narthex_audit").joinpath("migrations").iterdir()
        if (match := _FILE_NAME.fullmatch(file.name))
    ]
    return sorted(found, key=lambda migration: migration.number)


def statements(text: str) -> tuple[str, ...]:
    """The statements of a migration file: separated by semicolons, `--` comments left out."""
    parts = (part.strip() for part in _COMMENT.sub("", text).split(";"))
    return tuple(part for part in parts if part)


def missing(all_of_them: list[Migration], applied: set[int]) -> list[Migration]:
    """What still has to be applied, in order."""
    return [migration for migration in all_of_them if migration.number not in applied]
