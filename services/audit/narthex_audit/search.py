"""From a question about requests to SQL. Pure.

The text of the query is made of constants of this file only; whatever a caller chose travels as a query
parameter, which the engine never parses as SQL.
"""

from datetime import datetime
from typing import Any

from narthex.contracts.queries import RequestsQuestion, RequestsRemoval
from narthex_audit.batch import COLUMNS
from narthex_audit.moments import microseconds
from narthex_audit.needle import expression
from narthex_audit.rows import ARRIVALS, FACTS

# Times 2,048 characters of path, query and user agent each: well under the bus's 8 MB a message.
MOST_RECORDS = 501  # a page of 500, and one that says whether there are more
MOST_WITH_CONTENTS = 8  # times 256 KiB each way at most, in base64

# What counts as failed: an answer of 5xx, or one that broke off. A 4xx is an answer like any other.
FAILED = "(status >= 500 OR outcome = 'truncated')"

_MOMENT = "fromUnixTimestamp64Micro({{{}:Int64}}, 'UTC')"

# Field of the question -> condition on the table. Both ends of `status` are included, `until` is not.
_CONDITIONS = {
    "project_id": "project_id = {project_id:String}",
    "service_id": "service_id = {service_id:String}",
    "version_id": "version_id = {version_id:String}",
    "id": "id = {id:String}",
    "ids": "id IN {ids:Array(String)}",
    "search_id": "position(id, {search_id:String}) > 0",
    "failed": f"{FAILED} = {{failed:Bool}}",
    "subject_id": "subject_id = {subject_id:String}",
    "instance_id": "instance_id = {instance_id:String}",
    "method": "method = {method:String}",
    "path_matches": "match(path, {path_matches:String})",
    "slower_than_ms": "total_ms > {slower_than_ms:Float64}",
    "body_contains": ("(match(request_body, {body_contains:String}) OR match(response_body, {body_contains:String}))"),
    # Two conditions, because only the first says which parts of the table need not be read.
    "before_time": f"time <= {_MOMENT.format('before_time')}",
    "before_id": f"(time < {_MOMENT.format('before_time')} OR id < {{before_id:String}})",
    "since": f"time >= {_MOMENT.format('since')}",
    "until": f"time < {_MOMENT.format('until')}",
    "status_from": "status >= {status_from:UInt16}",
    "status_to": "status <= {status_to:UInt16}",
    "code": "code = {code:String}",
}


def select_requests(question: RequestsQuestion) -> tuple[str, dict[str, Any]]:
    """The query that answers a question, newest request first, and its parameters."""
    asked = {name: value for name in _CONDITIONS if (value := getattr(question, name)) is not None}
    sql = (
        f"SELECT {', '.join(columns_of(question))} FROM requests FINAL"
        f" WHERE {' AND '.join(_CONDITIONS[name] for name in asked)}"
        " ORDER BY time DESC, id DESC LIMIT {limit:UInt64} OFFSET {offset:UInt64}"
    )
    parameters = {name: _parameter(value) for name, value in asked.items()}
    if question.body_contains is not None:
        parameters["body_contains"] = expression(question.body_contains.encode())
    parameters["limit"] = max(0, min(question.limit, MOST_WITH_CONTENTS if question.contents else MOST_RECORDS))
    parameters["offset"] = max(0, question.offset)
    return sql, parameters


def columns_of(question: RequestsQuestion) -> tuple[str, ...]:
    """The columns of the rows that answer a question."""
    return COLUMNS if question.contents else FACTS


def select_losses(question: RequestsQuestion) -> tuple[str, dict[str, Any]]:
    """The query for what was lost of the service and time that a question is about: reason and number of records."""
    asked = {name: value for name in (*_OWNER, *_OF_LOSSES) if (value := getattr(question, name)) is not None}
    theirs = " AND ".join(_CONDITIONS[name] for name in _OWNER if name in asked)
    nobodys = " AND ".join(f"{name} = ''" for name in _OWNER)
    where = " AND ".join([f"({theirs} OR {nobodys})", *(_CONDITIONS[name] for name in _OF_LOSSES if name in asked)])
    sql = f"SELECT reason, sum(records) FROM losses WHERE {where} GROUP BY reason ORDER BY reason"
    return sql, {name: _parameter(value) for name, value in asked.items()}


_OWNER = ("project_id", "service_id")  # of neither: nobody knows whose they were, so they may be anybody's
_OF_LOSSES = ("since", "until")


SELECT_ARRIVALS = f"SELECT {', '.join(ARRIVALS)} FROM arrivals FINAL"


def select_ids(removal: RequestsRemoval) -> tuple[str, dict[str, Any]]:
    """The query for the ids of a removal that are there."""
    return f"SELECT DISTINCT id FROM requests WHERE {_REMOVED}", _removed(removal)


def delete_requests(removal: RequestsRemoval) -> tuple[str, dict[str, Any]]:
    """The statement that forgets records."""
    return f"DELETE FROM requests WHERE {_REMOVED}", _removed(removal)


_REMOVED = "project_id = {project_id:String} AND version_id = {version_id:String} AND id IN {ids:Array(String)}"


def _removed(removal: RequestsRemoval) -> dict[str, Any]:
    return {"project_id": removal.project_id, "version_id": removal.version_id, "ids": list(removal.ids)}


def _parameter(value: Any) -> Any:
    if isinstance(value, tuple):
        return list(value)
    if not isinstance(value, datetime):
        return value
    return microseconds(value)
