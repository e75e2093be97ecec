"""A request record as a row of the table `requests`, and back. Pure."""

import json
from collections.abc import Sequence
from typing import Any

from narthex.contracts.entities import Attempt, RequestRecord

# The table has one column for each field of a record, under the same name (a test holds them together).
COLUMNS = tuple(RequestRecord.model_fields)

# What is kept of a request beside its facts: read only when it is asked for.
CONTENTS = ("request_headers", "request_body", "request_cut", "response_headers", "response_body", "response_cut")
FACTS = tuple(name for name in COLUMNS if name not in CONTENTS)

# What a client chooses is kept only so far: a page of records must fit into one message of the bus.
TEXT_KEPT = 2048
_CLIENT_TEXT = ("path", "query", "user_agent")


def row(record: RequestRecord) -> list[Any]:
    """The values of `COLUMNS` for a record."""
    values = record.__dict__ | {name: getattr(record, name)[:TEXT_KEPT] for name in _CLIENT_TEXT}
    values["attempts"] = json.dumps([attempt.model_dump() for attempt in record.attempts])
    return [values[name] for name in COLUMNS]


def record(values: Sequence[Any], columns: Sequence[str]) -> RequestRecord:
    """The record of a row with these columns."""
    fields = dict(zip(columns, values, strict=True))
    fields["attempts"] = tuple(Attempt(**attempt) for attempt in json.loads(fields["attempts"]))
    return RequestRecord(**fields)
