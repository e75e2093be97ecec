"""From a question about requests to SQL. Pure.

The text of the query is made of constants of this file only; whatever a caller chose travels as a query
parameter, which the engine never parses as SQL.
"""

from datetime import UTC, datetime
from typing import Any

from narthex.contracts.queries import RequestsQuestion
from narthex_audit.rows import COLUMNS

# Times 2,048 characters of path, query and user agent each: well under the bus's 8 MB a message.
MOST_RECORDS = 500

# Field of the question -> condition on the table. Both ends of `status` are included, `until` is not.
_CONDITIONS = {
    "project_id": "project_id = {project_id:String}",
    "service_id": "service_id = {service_id:String}",
    "version_id": "version_id = {version_id:String}",
    "id": "id = {id:String}",
    "since": "time >= fromUnixTimestamp64Micro({since:Int64}, 'UTC')",
    "until": "time < fromUnixTimestamp64Micro({until:Int64}, 'UTC')",
    "status_from": "status >= {status_from:UInt16}",
    "status_to": "status <= {status_to:UInt16}",
    "code": "code = {code:String}",
}


def select_requests(question: RequestsQuestion) -> tuple[str, dict[str, Any]]:
    """The query that answers a question, newest request first, and its parameters."""
    asked = {name: value for name in _CONDITIONS if (value := getattr(question, name)) is not None}
    sql = (
        f"SELECT {', '.join(COLUMNS)} FROM requests FINAL"  # noqa: S608 - constants, see the docstring
        f" WHERE {' AND '.join(_CONDITIONS[name] for name in asked)}"
        " ORDER BY time DESC, id DESC LIMIT {limit:UInt64} OFFSET {offset:UInt64}"
    )
    parameters = {name: _parameter(value) for name, value in asked.items()}
    parameters["limit"] = max(0, min(question.limit, MOST_RECORDS))
    parameters["offset"] = max(0, question.offset)
    return sql, parameters


def _parameter(value: Any) -> Any:
    if not isinstance(value, datetime):
        return value
    # A number, because drivers round a datetime parameter to seconds. Without a zone it is UTC.
    aware = value if value.tzinfo else value.replace(tzinfo=UTC)
    since_epoch = aware - datetime(1970, 1, 1, tzinfo=UTC)
    return since_epoch.days * 86_400_000_000 + since_epoch.seconds * 1_000_000 + since_epoch.microseconds
