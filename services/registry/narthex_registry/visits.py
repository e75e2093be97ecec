"""Browsers on their way into a service: they bring a journey of a router's and leave with a code for it. Pure.

What they get is good for one service, one browser and one minute; who it is for is all that a router learns. Whether
they may call is decided there with every request.
"""

from narthex.contracts.passes import Pass, PassKind, read, sign
from narthex_registry import tables

CODE_S = 60.0
BACK = "/.narthex/sign-in"  # routers answer there themselves


def journey(key: bytes, text: str, now: float) -> Pass | None:
    """Where a browser comes from; None when no router of ours has sent it, or long ago."""
    return read(key, PassKind.JOURNEY, text, now)


def back(key: bytes, begun: Pass, user_id: str, token_id: str, now: float) -> str:
    """The URL that a browser goes on to after its user has signed in."""
    code = Pass(
        PassKind.CODE,
        begun.service_id,
        int(now + CODE_S),
        issued_ms=int(now * 1000),
        subject_id=user_id,
        token_id=token_id,
        browser=begun.browser,
        target=begun.target,
    )
    return f"https://{begun.host}{BACK}?code={sign(key, code)}"


def may_call(user: tables.User, service: tables.Service) -> bool:
    """As routers will decide, so that people are told here."""
    access = user.access
    return (
        user.administrator
        or service.project_id in access.get("projects", ())
        or service.deployment_id in access.get("deployments", ())
        or service.id in access.get("services", ())
    )
