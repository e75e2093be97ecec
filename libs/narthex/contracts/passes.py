"""What a browser carries between the sign-in page and the routers: signed, for one service, for a time.

A pass is readable by whoever has it and can be made by the installation's parts alone, which share the key that
signs it. A kind is part of what is signed: none can be used in place of another.
"""

import hmac
import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import asdict, dataclass
from enum import StrEnum

LONGEST = 12_288  # of a text that is looked at: a journey carries a request target
_TEXT = re.compile(r"[A-Za-z0-9_-]{2,12200}\.[A-Za-z0-9_-]{43}")


class PassKind(StrEnum):
    """What a pass is good for."""

    JOURNEY = "journey"  # from a service to the sign-in page: where to come back to
    CODE = "code"  # from the sign-in page back to the service, to be turned into a session
    SESSION = "session"  # the cookie: who calls a service
    SHARE = "share"  # a link that lets in whoever has it


@dataclass(frozen=True)
class Pass:
    """What it says; empty fields are left out."""

    kind: PassKind
    service_id: str
    expires: int  # Unix seconds
    issued_ms: int = 0  # when somebody signed in, in Unix milliseconds
    subject_id: str = ""  # who did
    token_id: str = ""  # the token they signed in with, if it was one
    browser: str = ""  # digest of a secret that the browser keeps in a cookie meanwhile
    share_id: str = ""
    generation: int = 0  # of the service's share links: those of an older one are void
    host: str = ""  # with port: where the service was called
    target: str = ""  # the request target to go on with


def sign(key: bytes, what: Pass) -> str:
    """A pass as text."""
    body = json.dumps({name: value for name, value in asdict(what).items() if value}, separators=(",", ":"))
    payload = _encode(body.encode())
    return f"{payload}.{_encode(_signature(key, payload))}"


def read(key: bytes, kind: PassKind, text: str, now: float) -> Pass | None:
    """The pass in a text; None when it is none of ours, of another kind, or has expired."""
    if len(text) > LONGEST or _TEXT.fullmatch(text) is None:
        return None
    payload, _, signature = text.partition(".")
    if not hmac.compare_digest(_encode(_signature(key, payload)), signature):
        return None
    said = Pass(**json.loads(urlsafe_b64decode(payload + "=" * (-len(payload) % 4))))
    return said if said.kind == kind and said.expires > now else None


def _signature(key: bytes, payload: str) -> bytes:
    return hmac.digest(key, payload.encode(), "sha256")


def _encode(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()
