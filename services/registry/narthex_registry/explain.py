"""Why a request went as it did: one sentence from its record, and how things stood at its moment. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from narthex.contracts import api
from narthex.contracts.entities import RequestRecord
from narthex_registry.tables import ProjectEvent

# Answers of the router's own, each as the reason why there is no other.
_BECAUSE = {
    "body_too_large": "the request's body is larger than the service takes (max_body_bytes)",
    "request_timeout": "the client did not send the whole request in time",
    "bad_request": "the request broke the rules of HTTP",
    "token_missing": "the service wants a token and the request had none",
    "token_invalid": "its token is none of this installation's, or was revoked",
    "token_expired": "its token had expired",
    "permission_denied": "the permission to create requests on the version behind the service was missing",
    "address_denied": "the service does not take requests from the client's address",
    "cross_origin": "a page of another origin asked, and the service does not let it",
    "project_suspended": "the service's project is suspended",
    "access_unknown": "the token could not be checked just then",
    "rate_limit_total": "the service had as many requests in the last minute as its rate_limit allows",
    "rate_limit_user": "the token had as many requests in the last minute as its user may send",
    "concurrency_total": "the service had as many requests under way as its concurrency_limit allows",
    "concurrency_user": "the token had as many requests under way as its user may have",
    "no_instances": "the version behind the service had no instances",
    "no_healthy_instances": "no instance of the service was healthy",
    "instances_full": "every instance had all the requests it may have at a time",
    "first_byte_timeout": "the instance did not begin to answer within first_byte_timeout",
    "idle_timeout": "the instance sent nothing for as long as idle_timeout",
    "total_timeout": "it was not answered in full within total_timeout",
    "connect_failed": "no instance could be connected to",
    "router_exhausted": "the router had no descriptors, ports or memory left for one more connection to an instance",
    "router_overloaded": "the router was so short of memory that it began nothing more of the kind",
    "upstream_closed": "the instance closed the connection before it had answered",
    "upstream_bad_response": "the instance's answer broke the rules of HTTP",
    "draining": "the router was going away and the request was not done in time",
}
_LISTED = 3  # attempts that the sentence names

HEALTH_CHANGED, REGISTERED, DRAINING, REMOVED = (
    "instance_health_changed",
    "instance_registered",
    "instance_draining",
    "instance_removed",
)


def sentence(record: RequestRecord) -> str:
    """What became of a request and why."""
    took = f"after {record.total_ms:.0f} ms"
    if record.outcome == "client_gone":
        return f"The client went away {took}, before it had its whole answer."
    if record.outcome == "truncated":
        return f"The answer ({record.status}) broke off {took}: {_because(record)}."
    if record.code:
        return f"The router answered {record.status} {record.code} {took}: {_because(record)}.{_tried(record)}"
    by = f"Instance {_at(record)} answered {record.status} {took}"
    if record.status >= 500:
        return f"{by}: the error is the application's own.{_tried(record)}"
    return f"{by}.{_tried(record)}"


def instances_then(events: Iterable[ProjectEvent], moment: datetime, record: RequestRecord) -> list[api.InstanceThen]:
    """How the instances stood at a moment, by what had happened to them until then (`events`, oldest first)."""
    standing: dict[str, _Standing] = {}
    for event in events:
        if event.instance_id is not None and event.date <= moment:
            standing.setdefault(event.instance_id, _Standing()).take(event)
    for attempt in record.attempts:
        standing.setdefault(attempt.instance_id, _Standing())
    addresses = {attempt.instance_id: attempt.address for attempt in record.attempts}
    tried = {attempt.instance_id for attempt in record.attempts}
    return [
        api.InstanceThen(
            id=id,
            address=addresses.get(id) or each.address,
            health=each.health,
            reason=each.reason,
            since=each.since,
            draining=each.draining,
            tried=id in tried,
        )
        for id, each in standing.items()
        if not each.removed or id in tried
    ]


@dataclass
class _Standing:
    """One instance, while what happened to it is gone through."""

    health: str = "unknown"
    reason: str = ""
    since: datetime | None = None
    address: str = ""
    draining: bool = False
    removed: bool = False

    def take(self, event: ProjectEvent) -> None:
        self.address = self.address or _label(event.text)
        if event.type == HEALTH_CHANGED:
            self.health, self.reason, self.since = event.details["health"], event.details["reason"], event.date
        self.draining |= event.type == DRAINING
        self.removed |= event.type == REMOVED


def _because(record: RequestRecord) -> str:
    last = record.attempts[-1].reason if record.attempts else ""
    why = _BECAUSE.get(record.code, record.code or "the instance closed the connection in the middle")
    return f"{why} ({last})" if last else why


def _tried(record: RequestRecord) -> str:
    """What came before the last attempt."""
    failed = [attempt for attempt in record.attempts if attempt.outcome != "answered"]
    if not failed or (len(record.attempts) == 1 and record.code):
        return ""
    named = [f"{attempt.address} ({attempt.outcome})" for attempt in failed[:_LISTED]]
    more = f" and {len(failed) - _LISTED} more" if len(failed) > _LISTED else ""
    return f" Tried without success: {', '.join(named)}{more}."


def _at(record: RequestRecord) -> str:
    return record.attempts[-1].address if record.attempts else record.instance_id


def _label(text: str) -> str:
    """The address in `Instance 127.0.0.1:9000 was registered`."""
    words = text.split(" ", 2)
    return words[1] if words[0] == "Instance" and len(words) > 1 else ""
