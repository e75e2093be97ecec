"""A row of the table `requests` as a record. Pure; the way into the table is `batch`."""

import json
from collections.abc import Sequence
from typing import Any

from narthex.contracts.entities import Attempt, RequestRecord
from narthex_audit.batch import COLUMNS

# What is kept of a request beside its facts: read only when it is asked for.
CONTENTS = ("request_headers", "request_body", "request_cut", "response_headers", "response_body", "response_cut")
FACTS = tuple(name for name in COLUMNS if name not in CONTENTS)


def record(values: Sequence[Any], columns: Sequence[str]) -> RequestRecord:
    """The record of a row with these columns."""
    fields = dict(zip(columns, values, strict=True))
    fields["attempts"] = tuple(Attempt(**attempt) for attempt in json.loads(fields["attempts"]))
    return RequestRecord(**fields)
