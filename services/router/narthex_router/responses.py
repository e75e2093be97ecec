"""Answers that the router makes itself: `application/problem+json` (RFC 9457) that names the cause.

The table of codes is the contract with everyone who reads them (DESIGN section 7).
"""

import json
import time
from dataclasses import dataclass
from email.utils import formatdate
from functools import lru_cache

from narthex_router.exchange import Attempt
from narthex_router.gate import Over


@dataclass(frozen=True, slots=True)
class Problem:
    """A cause: its status and its title."""

    status: int
    title: str


PROBLEMS: dict[str, Problem] = {
    "bad_request": Problem(400, "The request breaks the rules of HTTP"),
    "header_too_large": Problem(431, "The request's head is too large"),
    "uri_too_long": Problem(414, "The request target is too long"),
    "body_too_large": Problem(413, "The request's body is too large"),
    "request_timeout": Problem(408, "The request did not come in time"),
    "unknown_service": Problem(404, "There is no service at this host"),
    "misdirected": Problem(421, "The host is not covered by this connection's certificate"),
    "token_missing": Problem(401, "This service wants a token"),
    "token_invalid": Problem(401, "The token is not valid"),
    "token_expired": Problem(401, "The token has expired"),
    "permission_denied": Problem(403, "The token does not permit calling this service"),
    "project_suspended": Problem(403, "The service's project is suspended"),
    "address_denied": Problem(403, "The service is not open to this address"),
    "cross_origin": Problem(403, "A page of another origin may not do this"),
    "rate_limit_total": Problem(429, "The service has as many requests a minute as it takes"),
    "rate_limit_user": Problem(429, "The token has sent as many requests a minute as it may"),
    "concurrency_total": Problem(429, "The service has as many requests under way as it takes"),
    "concurrency_user": Problem(429, "The token has as many requests under way as it may"),
    "no_instances": Problem(503, "The service has no instances"),
    "no_healthy_instances": Problem(503, "No instance of the service is healthy"),
    "instances_full": Problem(503, "Every instance has all the requests it may have"),
    "total_timeout": Problem(504, "The request was not answered in full in time"),
    "access_unknown": Problem(503, "The token cannot be checked right now"),
    "connect_failed": Problem(502, "The instance could not be reached"),
    "router_exhausted": Problem(503, "This router lacks something for one more connection to an instance"),
    "router_overloaded": Problem(503, "This router is short of memory"),
    "upstream_closed": Problem(502, "The instance closed the connection without an answer"),
    "upstream_bad_response": Problem(502, "The instance's answer breaks the rules of HTTP"),
    "first_byte_timeout": Problem(504, "The instance did not begin to answer in time"),
    "idle_timeout": Problem(504, "The instance stopped in the middle"),
    "draining": Problem(503, "This router is going away"),
}

REASONS: dict[int, bytes] = {
    400: b"Bad Request",
    401: b"Unauthorized",
    403: b"Forbidden",
    404: b"Not Found",
    405: b"Method Not Allowed",
    408: b"Request Timeout",
    413: b"Content Too Large",
    414: b"URI Too Long",
    417: b"Expectation Failed",
    421: b"Misdirected Request",
    429: b"Too Many Requests",
    431: b"Request Header Fields Too Large",
    501: b"Not Implemented",
    502: b"Bad Gateway",
    503: b"Service Unavailable",
    504: b"Gateway Timeout",
    505: b"HTTP Version Not Supported",
}

# A 405 has to say what is served (RFC 9110 section 15.5.6); what an instance serves of it is its own affair.
_ALLOW = b"allow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS\r\n"
# What a client is told to send where a token is missing (RFC 9110 section 11.6.1).
_CHALLENGE = b'www-authenticate: Token realm="narthex", Bearer realm="narthex"\r\n'


def problem(
    code: str,
    detail: str,
    request_id: bytes,
    attempts: list[Attempt],
    started: float,
    *,
    status: int | None = None,
    close: bool,
    head_only: bool = False,
    fields: bytes = b"",
) -> tuple[int, bytes]:
    """The whole response message for a cause: (status, bytes). `fields`: more header lines."""
    cause = PROBLEMS[code]
    status = status or cause.status
    body = json.dumps(
        {
            "type": f"urn:narthex:error:{code}",
            "title": cause.title,
            "status": status,
            "code": code,
            "detail": detail,
            "request_id": request_id.decode("ascii"),
            "attempts": [describe(attempt, started) for attempt in attempts],
        }
    ).encode()
    head = [
        b"HTTP/1.1 %d %b\r\n" % (status, REASONS[status]),
        date_line(),
        b"content-type: application/problem+json\r\ncontent-length: %d\r\n" % len(body),
        b"x-request-id: %b\r\nx-narthex-error: %b\r\ncache-control: no-store\r\n" % (request_id, code.encode("ascii")),
    ]
    if fields:
        head.append(fields)
    if status == 405:
        head.append(_ALLOW)
    if status == 401:
        head.append(_CHALLENGE)
    if status == 503:
        head.append(b"retry-after: 1\r\n")
    if close:
        head.append(b"connection: close\r\n")
    return status, b"".join(head) + b"\r\n" + (b"" if head_only else body)


def limit_fields(over: Over) -> bytes:
    """The header lines of a 429, as draft-ietf-httpapi-ratelimit-headers-10 has them and as older clients do."""
    retry = b"%d" % over.retry_s
    code, rate = over.code.encode("ascii"), over.code.startswith("rate")
    unit, reset = (b";w=60", b";t=" + retry) if rate else (b';qu="concurrent-requests"', b"")
    return (
        b"retry-after: %b\r\n"
        b'ratelimit-policy: "%b";q=%d%b\r\nratelimit: "%b";r=0%b\r\n'
        b"x-ratelimit-limit: %d\r\nx-ratelimit-remaining: 0\r\nx-ratelimit-reset: %b\r\n"
        % (retry, code, over.limit, unit, code, reset, over.limit, retry)
    )


def describe(attempt: Attempt, started: float) -> dict[str, object]:
    """An attempt as clients and logs see it. Addresses stay inside: a client learns the instance's id only."""
    return {
        "instance_id": attempt.target.instance_id,
        "outcome": attempt.outcome,
        "reason": attempt.reason,
        "at_ms": round((attempt.at - started) * 1000, 3),
    }


def redirect(location: bytes, request_id: bytes, *, close: bool) -> bytes:
    """308 to the same place over HTTPS; the location was checked to be a plain host and target."""
    return b"HTTP/1.1 308 Permanent Redirect\r\n%blocation: %b\r\nx-request-id: %b\r\ncontent-length: 0\r\n%b\r\n" % (
        date_line(),
        location,
        request_id,
        b"connection: close\r\n" if close else b"",
    )


def date_line() -> bytes:
    """When an answer was made, as every server with a clock has to say (RFC 9110 section 6.6.1)."""
    return _date(int(time.time()))


@lru_cache(1)
def _date(second: int) -> bytes:
    return b"date: %b\r\n" % formatdate(second, usegmt=True).encode("ascii")
