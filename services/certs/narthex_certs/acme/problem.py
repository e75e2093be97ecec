"""What goes wrong between us and a CA. Pure."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from narthex.contracts.errors import Fault, NarthexError

PREFIX = "urn:ietf:params:acme:error:"
MOST_WAIT_S = 7 * 86_400.0  # a Retry-After beyond this is a mistake


class CaAway(NarthexError):
    """The CA cannot be reached, is down, or says something that is no ACME. The order stays as it is."""

    code = "ca_away"
    status = 503
    retryable = True
    fault = Fault.UPSTREAM

    def __init__(self, message: str, retry_after_s: float = 0.0) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class Problem(NarthexError):
    """The CA answered with a problem document (RFC 8555 section 6.7)."""

    code = "ca_refused"
    status = 502
    fault = Fault.UPSTREAM

    def __init__(self, status: int, document: dict[str, Any], retry_after_s: float = 0.0) -> None:
        self.kind = str(document.get("type", "about:blank")).removeprefix(PREFIX)
        self.http_status = status
        self.document = document
        self.retry_after_s = retry_after_s
        super().__init__(sentence(document))


def sentence(document: dict[str, Any]) -> str:
    """A problem document in one line: its kind and detail, and those of its parts."""
    kind = str(document.get("type", "")).removeprefix(PREFIX)
    text = f"the CA says {kind or 'no'}: {document.get('detail', 'no detail')}"
    parts = [
        f"{part.get('identifier', {}).get('value', '?')}: {part.get('detail', '')}"
        for part in document.get("subproblems") or ()
        if isinstance(part, dict)
    ]
    return "; ".join([text, *parts])


def retry_after(header: str | None, now: datetime) -> float:
    """Seconds that a Retry-After header asks to wait (RFC 9110 section 10.2.3); 0 when it says nothing usable."""
    if not header:
        return 0.0
    text = header.strip(" \t")
    if text.isascii() and text.isdecimal() and len(text) <= 9:
        return min(float(text), MOST_WAIT_S)
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return 0.0
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return min(max(0.0, (moment - now).total_seconds()), MOST_WAIT_S)
