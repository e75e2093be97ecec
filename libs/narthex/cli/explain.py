"""`narthex explain REQUEST_ID`: what became of a request, and how things stood when it came."""

from collections.abc import Iterator
from typing import Annotated

import typer

from narthex.cli import complete
from narthex.cli.options import Json, Project
from narthex.cli.output import plain, printable, show_one
from narthex.cli.requests import Id
from narthex.cli.session import connect
from narthex.contracts.api import Explanation, InstanceThen
from narthex.contracts.entities import Attempt

EVENTS = 10  # of its moment, that are worth a look


def explain(
    context: typer.Context,
    id: Id,
    service: Annotated[
        str | None, typer.Option(help="Whose it is; looked up if absent.", autocompletion=complete.services)
    ] = None,
    project: Project = None,
    json: Json = False,
) -> None:
    """What became of a request, attempt by attempt, and why."""
    with connect(context, project, service=service) as api:
        found = api.requests.explain(service, id) if service is not None else api.requests.explain_any(id)
    if json:
        show_one(found, json)
        return
    for line in told(found):
        print(line)


def told(found: Explanation) -> Iterator[str]:
    """An explanation as lines: the sentence last, where a reader's eye ends."""
    request = found.request
    who = found.user or request.client or "somebody unknown"
    yield f"{plain(request.time)}  {plain(request.method)} {plain(request.path)}"
    yield f"  to {plain(found.deployment)} {plain(found.version)}, by {plain(who)}"
    for number, attempt in enumerate(request.attempts, 1):
        yield f"  attempt {number}: {_attempt(attempt)}"
    for instance in found.instances:
        yield f"  instance {_instance(instance)}"
    if found.limits:
        yield f"  limits now: {plain(found.limits)}"
    for event in found.events[:EVENTS]:
        yield f"  {plain(event.date)} {plain(event.text)}"
    yield printable(found.sentence)


def _attempt(attempt: Attempt) -> str:
    reason = f": {plain(attempt.reason)}" if attempt.reason else ""
    return f"{plain(attempt.address)} at {attempt.at_ms:.1f} ms {plain(attempt.outcome)}{reason}"


def _instance(instance: InstanceThen) -> str:
    reason = f" ({plain(instance.reason)})" if instance.reason else ""
    draining = ", draining" if instance.draining else ""
    return f"{plain(instance.address)} was {plain(instance.health)}{reason}{draining}"
