"""Raw requests written by other people; they lie beside the project and not in it (`shared/vectors/README.md`)."""

import base64
import gzip
import json
import re
from dataclasses import dataclass
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2].parent / "shared" / "vectors"
here = pytest.mark.skipif(not FOLDER.is_dir(), reason=f"the vectors of others are not at {FOLDER}")

# `AAAA...{100,000 × 'A'}...` stands for that many in the documentation that the vectors come from.
_RUN = re.compile(rb"(?:(\w)\1*)?\.\.\.\{([0-9,]+) (?:x|\xd7|\xc3\x97) '(.)'\}\.\.\.")


@dataclass(frozen=True)
class Vector:
    name: str
    expected: str
    messages: tuple[bytes, ...]


def load(suite: str) -> list[Vector]:
    with gzip.open(FOLDER / f"{suite}.jsonl.gz", "rt") as lines:
        return [_vector(json.loads(line)) for line in lines]


def _vector(row: dict[str, str | list[str]]) -> Vector:
    encoded = row["b64"] if isinstance(row["b64"], list) else [row["b64"]]
    messages = tuple(_RUN.sub(_long, base64.b64decode(text)) for text in encoded)
    return Vector(str(row.get("name") or row["id"]), str(row.get("expected", "")), messages)


def _long(match: re.Match[bytes]) -> bytes:
    return match[3] * int(match[2].replace(b",", b""))
