"""Names for the shell's completion, asked of the API.

The one thing to know: nothing here may disturb a command line that somebody is typing. Whatever goes wrong, or takes
longer than a moment, means that there is nothing to propose.
"""

import threading
from collections.abc import Callable, Iterable
from typing import Any

import httpx2
import typer

from narthex.cli.session import Session
from narthex.client.client import Client
from narthex.client.profiles import Flags
from narthex.client.retry import NEVER

WITHIN_S = 1.5  # what a person waits for after pressing Tab
MOST = 200  # names worth proposing


def services(ctx: typer.Context, incomplete: str) -> list[str]:
    return _names(ctx, incomplete, lambda api: (service.name for service in api.services.list()))


def deployments(ctx: typer.Context, incomplete: str) -> list[str]:
    return _names(ctx, incomplete, lambda api: (deployment.name for deployment in api.deployments.list()))


def versions(ctx: typer.Context, incomplete: str) -> list[str]:
    deployment = ctx.params.get("deployment") or ""
    return _names(ctx, incomplete, lambda api: (version.version for version in api.versions.list(deployment)))


def projects(ctx: typer.Context, incomplete: str) -> list[str]:
    return _names(ctx, incomplete, lambda api: (project.name for project in api.projects.list()))


def roles(ctx: typer.Context, incomplete: str) -> list[str]:
    return _names(ctx, incomplete, lambda api: (role.name for role in api.roles.list()))


def webhooks(ctx: typer.Context, incomplete: str) -> list[str]:
    return _names(ctx, incomplete, lambda api: (webhook.name for webhook in api.webhooks.list()))


def _names(ctx: typer.Context, incomplete: str, ask: Callable[[Client], Iterable[str]]) -> list[str]:
    found: list[str] = []

    def look() -> None:
        try:
            found.extend(_matching(ctx, incomplete, ask))
        except Exception:  # noqa: S110 - see above: a traceback in the middle of a prompt helps nobody
            pass

    looking = threading.Thread(target=look, daemon=True)
    looking.start()
    looking.join(WITHIN_S)
    return [] if looking.is_alive() else found


def _matching(ctx: typer.Context, incomplete: str, ask: Callable[[Client], Iterable[str]]) -> list[str]:
    session = _session(ctx)
    profile = session.profile(ctx.params.get("project"))
    timeout = httpx2.Timeout(WITHIN_S)
    names: list[str] = []
    with Client.from_profile(profile, transport=session.transport, retry=NEVER, timeout=timeout) as api:
        for name in ask(api):
            if name.startswith(incomplete):
                names.append(name)
            if len(names) == MOST:
                break
    return names


def _session(ctx: typer.Context) -> Session:
    """What the options before the command say; nothing has been carried out yet that would have put it together."""
    root = ctx.find_root()
    given: dict[str, Any] = {name: root.params.get(name) for name in ("api_url", "token_file", "ca_file", "profile")}
    transport = root.obj.transport if isinstance(root.obj, Session) else None
    return Session(Flags(**given), transport)
