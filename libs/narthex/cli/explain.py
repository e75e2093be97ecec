"""`narthex explain REQUEST_ID`: what became of a request, attempt by attempt, and why in one sentence."""

from typing import Any

import typer
from pydantic import BaseModel

from narthex.cli.options import Json, Project
from narthex.cli.output import plain, printable, show_one
from narthex.cli.requests import Id, lookup
from narthex.cli.session import connect
from narthex.contracts.api import RequestDetail

# What a code of the router means, as a sentence about the request.
CODES = {
    "unknown_service": "no service has the host that was asked for",
    "misdirected": "the host does not belong to the certificate of the connection",
    "token_missing": "the service needs a token, and none was sent",
    "token_invalid": "the token that was sent is not known, or was revoked",
    "token_expired": "the token that was sent has expired",
    "permission_denied": "the caller may not call this service",
    "access_unknown": "the token could not be checked at that moment",
    "rate_limit_total": "the service's requests a minute were used up",
    "rate_limit_user": "the caller's requests a minute were used up",
    "concurrency_total": "the service had as many requests in flight as it may",
    "concurrency_user": "the caller had as many requests in flight as it may",
    "no_instances": "the version behind the service had no instances",
    "no_healthy_instances": "none of the instances behind the service was healthy",
    "instances_full": "every instance had as many requests in flight as it may",
    "connect_failed": "no connection to an instance came about",
    "upstream_closed": "the instance closed the connection before it had answered",
    "upstream_bad_response": "the instance answered something that is no HTTP",
    "first_byte_timeout": "the instance did not begin to answer in time",
    "idle_timeout": "nothing came for too long",
    "total_timeout": "the whole exchange took longer than it may",
    "body_too_large": "the request's body was larger than the service takes",
    "draining": "the router was going away",
}


class Explanation(BaseModel):
    """A request and why it ended as it did."""

    why: str
    request: RequestDetail


def explain(context: typer.Context, id: Id, project: Project = None, json: Json = False) -> None:
    """What became of a request, attempt by attempt, and why."""
    with connect(context, project) as api:
        request = lookup(api, id)
    if json:
        show_one(Explanation(why=why(request), request=request), json)
        return
    more = request.additional_data
    print(f"{plain(request.time_created)}  {plain(more.get('method'))} {plain(more.get('path'))}")
    print(f"  to {plain(request.deployment)} {plain(request.version)}, by {plain(caller(request))}")
    for number, attempt in enumerate(more.get("attempts", []), 1):
        print(f"  {number}. {_attempt(attempt)}")
    print(f"  {plain(more.get('status_code'))} after {float(more.get('total_ms', 0)):.1f} ms")
    print(printable(why(request)))


def why(request: RequestDetail) -> str:
    """One sentence on how a request ended: by the router's code, by how it broke off, or by the application."""
    more = request.additional_data
    code, outcome, status = more.get("code", ""), more.get("outcome", ""), more.get("status_code", 0)
    tried = len(more.get("attempts", []))
    if code:
        last = _reason(more)
        sentence = f"The router answered {status} ({code}): {CODES.get(code, 'see the codes in the documentation')}"
        return f"{sentence}; last: {last}." if last else f"{sentence}."
    if outcome == "client_gone":
        return "The client went away before it had the whole answer."
    if outcome == "truncated":
        return "The instance's answer broke off before its end."
    if status >= 500:
        return f"The application itself answered {status}."
    if tried > 1:
        return f"The application answered {status}, at the {_nth(tried)} attempt: {_reason(more, failed=True)}."
    return f"The application answered {status}."


def caller(request: RequestDetail) -> str:
    """Who asked: e-mail where it is known, else the address."""
    return request.origin.get("created_by") or str(request.additional_data.get("client") or "somebody unknown")


def _reason(more: dict[str, Any], *, failed: bool = False) -> str:
    attempts = more.get("attempts", [])
    if failed:
        attempts = [attempt for attempt in attempts if attempt.get("outcome") != "answered"]
    if not attempts:
        return ""
    last = attempts[-1]
    return f"{last.get('address')} {last.get('reason') or last.get('outcome')}"


def _attempt(attempt: dict[str, Any]) -> str:
    where = f"{plain(attempt.get('address'))} ({plain(attempt.get('instance_id'))})"
    reason = f": {plain(attempt['reason'])}" if attempt.get("reason") else ""
    return f"{where} at {float(attempt.get('at_ms', 0)):.1f} ms {plain(attempt.get('outcome'))}{reason}"


def _nth(number: int) -> str:
    return {2: "second", 3: "third"}.get(number, f"{number}th")
