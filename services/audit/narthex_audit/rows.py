"""Rows of the store: one of `requests` as a record (the way into it is `batch`), one of `arrivals`. Pure."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

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


class Arrival(NamedTuple):
    """A row of the table of arrivals: what a process noted of a run. Of no run: since when this is noted."""

    run: str
    process: str
    version: int
    router: str
    time: datetime
    firsts: list[int]
    pasts: list[int]


ARRIVALS = Arrival._fields
