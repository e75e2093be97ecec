"""Requests to services as the UbiOps API shows them: requests of the deployment version behind. Pure.

UbiOps knows requests that wait and run; here a request is known when it has ended, so `pending` and `processing`
are always empty. A 4xx is an answer like any other: the request was completed.
"""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from narthex.contracts import api
from narthex.contracts.entities import RequestRecord
from narthex.contracts.errors import Invalid

ENDED = frozenset({"completed", "failed", "cancelled"})
UNDER_WAY = frozenset({"pending", "processing"})
_SHOWN = (
    "query", "code", "outcome", "service_id", "instance_id", "router", "client", "user_agent", "trace_id",
    "connect_ms", "first_byte_ms", "total_ms",
)  # fmt: skip


@dataclass(frozen=True)
class Names:
    """The deployment and version that a record belongs to, as people call them."""

    deployment: str
    version: str


def wanted(statuses: str) -> bool | frozenset[str] | None:
    """What a comma list of statuses asks for: failed requests, others, both (None), or nothing (an empty set)."""
    asked = {part.strip() for part in statuses.split(",") if part.strip()} or {"completed"}
    if unknown := asked - ENDED - UNDER_WAY:
        raise Invalid(f"status: {min(unknown)} is none of {', '.join(sorted(ENDED | UNDER_WAY))}")
    if asked & UNDER_WAY and asked & ENDED:
        raise Invalid("status: pending and processing cannot be combined with others")
    found = asked & {"completed", "failed"}
    if not found:
        return frozenset()
    return None if len(found) == 2 else "failed" in found


def failed(record: RequestRecord) -> bool:
    return record.status >= 500 or record.outcome == "truncated"


def summary(record: RequestRecord, names: Names) -> api.RequestSummary:
    return api.RequestSummary.model_validate(_summary(record, names))


def overview(record: RequestRecord, names: Names) -> api.RequestOverview:
    return api.RequestOverview.model_validate(_summary(record, names))


def detail(record: RequestRecord, names: Names, users: Mapping[str, str]) -> api.RequestDetail:
    """One request with what was asked and answered; `users` are e-mails by subject id."""
    more = {name: getattr(record, name) for name in _SHOWN}
    return api.RequestDetail.model_validate(
        _summary(record, names)
        | {
            "error_message": error(record),
            "request_data": readable(record.request_body),
            "result": readable(record.response_body),
            "additional_data": {
                "method": record.method,
                "path": record.path,
                "status_code": record.status,
                **more,
                "attempts": [attempt.model_dump(mode="json") for attempt in record.attempts],
                "request_headers": json.loads(record.request_headers or "[]"),
                "response_headers": json.loads(record.response_headers or "[]"),
                "request_cut": record.request_cut,
                "response_cut": record.response_cut,
            },
            "origin": {"created_by": users.get(record.subject_id, ""), "service_id": record.service_id},
        }
    )


def error(record: RequestRecord) -> str | None:
    """Why a request failed, in one sentence; None when it did not."""
    if not failed(record):
        return None
    if record.outcome == "truncated":
        return "the response broke off before its end"
    last = record.attempts[-1].reason if record.attempts else ""
    if record.code:
        return f"{record.code}: {last}" if last else record.code
    return f"the application answered {record.status}"


def readable(body: str) -> Any:
    """A body that was kept, in base64, as JSON or text; in base64 where it is neither. None: not kept."""
    if not body:
        return None
    content = base64.b64decode(body)
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return body
    try:
        return json.loads(text)
    except ValueError:
        return text


def _summary(record: RequestRecord, names: Names) -> dict[str, Any]:
    return {
        "id": record.id,
        "deployment": names.deployment,
        "version": names.version,
        "status": "failed" if failed(record) else "completed",
        "success": not failed(record),
        "time_created": record.time,
        "time_started": record.time,
        "time_completed": record.time + timedelta(milliseconds=record.total_ms),
        "input_size": record.request_bytes,
        "output_size": record.response_bytes,
    }
