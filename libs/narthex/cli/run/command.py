"""The command line of `narthex run`."""

import asyncio
import shutil
from collections.abc import Sequence
from typing import Annotated

import typer

from narthex.cli.options import Json, Project
from narthex.cli.run.console import Console
from narthex.cli.run.guardian import Guard, guarded
from narthex.cli.run.objects import Objects, wanted
from narthex.cli.run.placement import Place, choose_places, is_free
from narthex.cli.run.plan import Plan
from narthex.cli.run.rollout import Rollout, Stop
from narthex.cli.session import connect, session_of
from narthex.client.async_client import AsyncClient
from narthex.client.profiles import Profile
from narthex.client.retry import Retry
from narthex.contracts.api import ServiceDetail
from narthex.contracts.errors import Misconfigured

INTERRUPTED = 130  # ended by the second Ctrl-C, as shells count
PATIENCE = Retry(total_s=5.0)  # below a third of the lease; the lease itself tries for ever


def run(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="Of the service and its deployment; made if missing.")],
    command: Annotated[list[str], typer.Argument(metavar="COMMAND", help="After `--`: what to run.")],
    port: Annotated[int, typer.Option(help="Where the command listens, 1025 to 65535.")],
    replicas: Annotated[int, typer.Option(help="How many processes.", min=1, max=100)] = 1,
    version: Annotated[str, typer.Option("--version", help="Of the deployment; made if missing.")] = "v1",
    health_path: Annotated[str | None, typer.Option(help="Probe this path; without one a connect counts.")] = None,
    public: Annotated[bool, typer.Option("--public", help="Callers need no token.")] = False,
    project: Project = None,
    json: Json = False,
) -> None:
    """Run a command on this machine behind a service, until Ctrl-C.

    Example: narthex run hello --port 9000 --replicas 2 -- python -m http.server {port} --bind {host}

    {host} and {port} are replaced by each replica's own; HOST and PORT are in its environment too. A replica that
    dies is started again.
    """
    plan = Plan(name, command, port, replicas, version, health_path, public)
    wanted(plan)  # whatever breaks a rule is said before anything is made
    check_startable(command)
    places = choose_places(replicas, port, plan.addresses_differ, is_free)
    profile = session_of(context).profile(project)
    console = Console(name, as_json=json)
    try:
        with connect(context, project) as api:
            service = Objects(api, lambda text: console.say("object", text)).ensure(plan)
        with guarded() as guard:
            in_order = asyncio.run(_roll_out(plan, service, places, profile, console, guard))
    finally:
        console.close()
    raise typer.Exit(0 if in_order else INTERRUPTED)


def check_startable(command: Sequence[str]) -> None:
    """Misconfigured when there is no such program."""
    if shutil.which(command[0]) is None:
        raise Misconfigured(f"cannot run {command[0]!r}: there is no such program on PATH, or it is not executable")


async def _roll_out(
    plan: Plan, service: ServiceDetail, places: Sequence[Place], profile: Profile, console: Console, guard: Guard
) -> bool:
    stop = Stop()
    with stop.on_signals():
        async with AsyncClient.from_profile(profile, retry=PATIENCE) as api:
            return await Rollout(api, plan, service, places, profile, console, guard).run(stop)
