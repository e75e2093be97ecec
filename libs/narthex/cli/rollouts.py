"""`narthex rollouts`: a service goes over from one version to another in steps, and back when that goes wrong."""

import re
from typing import Annotated, Any

import typer

from narthex.cli import complete
from narthex.cli.exits import Exit
from narthex.cli.options import Force, Json, Project, ServiceName, Timeout, WaitS
from narthex.cli.output import Column, notice, show_list, show_one, waiting
from narthex.cli.session import body, connect
from narthex.client.client import Client
from narthex.contracts.api import RolloutCreate, RolloutDetail, RolloutEvent, RolloutSeen, RolloutState
from narthex.contracts.errors import Misconfigured, NotFound

app = typer.Typer(no_args_is_help=True, help="Rollouts: a service goes over to another version in steps.")

Wait = Annotated[bool, typer.Option("--wait", help="Return only when it has ended.")]
_STEP = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,6})?)%?(?::([0-9]{1,6}(?:\.[0-9]{1,3})?))?")

COLUMNS: list[Column[RolloutDetail]] = [
    Column("ID", lambda rollout: rollout.id, wide=True),
    Column("FROM", lambda rollout: rollout.before),
    Column("TO", lambda rollout: rollout.version),
    Column("STATE", lambda rollout: rollout.state),
    Column("STEP", lambda rollout: f"{rollout.step} of {len(rollout.steps)}"),
    Column("WEIGHT", lambda rollout: f"{rollout.weight:g} %"),
    Column("WHY", lambda rollout: rollout.reason or _waits(rollout), flexible=True),
]

SEEN: list[Column[RolloutSeen]] = [
    Column("VERSION", lambda seen: seen.version),
    Column("REQUESTS", lambda seen: seen.requests),
    Column("ERRORS", lambda seen: seen.errors),
    Column("P95", lambda seen: "" if seen.p95_ms is None else f"{seen.p95_ms:.0f} ms"),
]

EVENTS: list[Column[RolloutEvent]] = [
    Column("TIME", lambda event: event.time),
    Column("TYPE", lambda event: event.type),
    Column("WHAT", lambda event: event.text, flexible=True),
]


@app.command("list")
def list_rollouts(context: typer.Context, name: ServiceName, project: Project = None, json: Json = False) -> None:
    """The rollouts of a service, newest first."""
    with connect(context, project, service=name) as api:
        show_list(api.rollouts.list(name), COLUMNS, json)


@app.command("get")
def get_rollout(context: typer.Context, name: ServiceName, project: Project = None, json: Json = False) -> None:
    """The last rollout of a service: where it is, what routers saw of both versions, and what happened."""
    with connect(context, project, service=name) as api:
        found = _last(api, name)
    if json:
        show_one(found, json)
        return
    show_list([found], COLUMNS, json)
    show_list(found.seen, SEEN, json)
    show_list(found.events, EVENTS, json)


@app.command("start")
def start_rollout(
    context: typer.Context,
    name: ServiceName,
    version: Annotated[str, typer.Option("--version", help="The new version.", autocompletion=complete.versions)],
    step: Annotated[
        list[str],
        typer.Option("--step", metavar="PERCENT[:SECONDS]", help="Without seconds it waits for you; repeatable."),
    ],
    max_error_rate: Annotated[
        float | None, typer.Option(help="Go back above this share of failed requests, 0 to 1; default 0.05.")
    ] = None,
    max_p95_ms: Annotated[
        float | None, typer.Option(help="Go back when 1 of 20 requests waits longer for its first byte.")
    ] = None,
    min_requests: Annotated[
        int | None, typer.Option(help="Of the new version, before a step is judged; default 20.")
    ] = None,
    sticky: Annotated[
        str | None, typer.Option(metavar="header:NAME|cookie:NAME", help="The same value gets the same version.")
    ] = None,
    wait_s: WaitS = 0.0,
    force: Force = False,
    wait: Wait = False,
    timeout: Timeout = 3600.0,
    project: Project = None,
    json: Json = False,
) -> None:
    """Begin to go over to another version of the service's deployment."""
    given = {"max_error_rate": max_error_rate, "max_p95_ms": max_p95_ms, "min_requests": min_requests}
    gates = {field: value for field, value in given.items() if value is not None}
    wanted = body(RolloutCreate, version=version, steps=[_step(text) for text in step], gates=gates, sticky=sticky)
    with connect(context, project, service=name) as api:
        made = api.rollouts.create(name, wanted, wait_s=wait_s, force=force)
        if wait:
            with waiting("waiting until the rollout has ended"):
                made = api.rollouts.wait_until_over(name, made.id, timeout=timeout)
    show_one(made, json)
    if made.state == RolloutState.ROLLED_BACK:
        raise typer.Exit(Exit.FAILED)


@app.command("stop")
def stop_rollout(context: typer.Context, name: ServiceName, project: Project = None, json: Json = False) -> None:
    """Stay at the present step. The gates go on."""
    with connect(context, project, service=name) as api:
        show_one(api.rollouts.stop(name, _last(api, name).id), json)


@app.command("resume")
def resume_rollout(
    context: typer.Context,
    name: ServiceName,
    step: Annotated[int | None, typer.Option(help="At this step, from 1.")] = None,
    project: Project = None,
    json: Json = False,
) -> None:
    """Go on."""
    with connect(context, project, service=name) as api:
        show_one(api.rollouts.resume(name, _last(api, name).id, step=step), json)


@app.command("next")
def next_step(context: typer.Context, name: ServiceName, project: Project = None, json: Json = False) -> None:
    """Go on with the next step, whatever this one waits for; after the last one the new version has the service."""
    with connect(context, project, service=name) as api:
        found = _last(api, name)
        if found.step < len(found.steps):
            show_one(api.rollouts.resume(name, found.id, step=found.step + 1), json)
        else:
            show_one(api.rollouts.promote(name, found.id), json)


@app.command("go-back")
def go_back(context: typer.Context, name: ServiceName, project: Project = None, json: Json = False) -> None:
    """Let the old version have all requests again."""
    with connect(context, project, service=name) as api:
        show_one(api.rollouts.go_back(name, _last(api, name).id), json)
    notice("the old version has all requests")


@app.command("promote")
def promote(
    context: typer.Context, name: ServiceName, force: Force = False, project: Project = None, json: Json = False
) -> None:
    """Give the service to the new version now."""
    with connect(context, project, service=name) as api:
        show_one(api.rollouts.promote(name, _last(api, name).id, force=force), json)
    notice("the new version has all requests")


def _last(api: Client, service: str) -> RolloutDetail:
    found = api.rollouts.list(service)
    if not found:
        raise NotFound(f"service {service} has no rollout; begin one with: narthex rollouts start {service}")
    return found[0]


def _step(text: str) -> dict[str, Any]:
    """`5:60`: 5 % of the requests for 60 s."""
    found = _STEP.fullmatch(text)
    if found is None:
        raise Misconfigured(f"--step {text!r} must be PERCENT or PERCENT:SECONDS, like 5:60")
    return {"weight": float(found[1]), "hold_s": float(found[2]) if found[2] else None}


def _waits(rollout: RolloutDetail) -> str:
    return f"waits for {rollout.waiting_for}" if rollout.waiting_for else ""
