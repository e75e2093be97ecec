"""`narthex apply -f FILE` and `narthex export`."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from narthex.cli.declare.execute import carry_out
from narthex.cli.declare.manifest import read_manifest
from narthex.cli.declare.plan import plan
from narthex.cli.declare.render import as_json, diff, done, manifest_of, summary
from narthex.cli.declare.state import read_state
from narthex.cli.options import Json, Project, Timeout, Wait
from narthex.cli.output import notice, printable, show_json, waiting
from narthex.cli.session import connect
from narthex.contracts.errors import Misconfigured

Files = Annotated[
    list[str], typer.Option("--filename", "-f", metavar="FILE", help="YAML; `-` is standard input; repeatable.")
]


def apply(
    context: typer.Context,
    filename: Files,
    plan_only: Annotated[bool, typer.Option("--plan", help="Show what would be done, and do nothing.")] = False,
    prune: Annotated[
        bool, typer.Option("--prune", help="Also delete services, versions and deployments that no file names.")
    ] = False,
    wait: Wait = False,
    timeout: Timeout = 30.0,
    project: Project = None,
    json: Json = False,
) -> None:
    """Make a project's deployments, versions, instances and services what the files say.

    The files are the whole truth about what they name: a field that is left out has its default."""
    wanted = read_manifest({name: _read(name) for name in filename})
    if project is not None and wanted.project not in (None, project):
        raise Misconfigured(f"the files are about project {wanted.project}, --project says {project}")
    with connect(context, project or wanted.project) as api:
        steps = plan(wanted, read_state(api), prune=prune)
        if json:
            show_json(as_json(steps))
        else:
            for line in diff(steps):
                print(printable(line))
            notice(summary(steps))
        if plan_only:
            return
        for step in carry_out(api, steps):
            notice(done(step))
        if wait:
            with waiting("waiting until every router serves by it"):
                for name in wanted.services:
                    api.services.wait_until_applied(name, timeout=timeout)


def export(context: typer.Context, project: Project = None) -> None:
    """Write what is there in the form that `narthex apply` reads."""
    with connect(context, project) as api:
        print(manifest_of(api.project, read_state(api)), end="")


def _read(name: str) -> str:
    try:
        return sys.stdin.read() if name == "-" else Path(name).read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise Misconfigured(f"cannot read {name}: {getattr(error, 'strerror', None) or error}") from None
