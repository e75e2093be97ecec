"""`narthex status`: the parts of the `narthex up` on this machine.

The supervisor writes `supervisor.json`; whether a part is ready is asked of the part itself.
"""

import asyncio
import json
import os
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import httpx2
import typer
from pydantic import BaseModel, ConfigDict, ValidationError

from narthex.cli.exits import Exit
from narthex.cli.options import Json
from narthex.cli.output import Column, notice, plain, show_list, show_one
from narthex.cli.session import session_of
from narthex.client.stored import DIRECTORY
from narthex.contracts.errors import Misconfigured, NarthexError

READY_TIMEOUT_S = 2.0


class Part(BaseModel):
    """A part as the supervisor knows it, and whether it says that it is ready."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    name: str
    pid: int | None = None
    state: str
    restarts: int = 0
    since: datetime | str = ""
    admin_port: int | None = None
    last_exit: str = ""
    ready: bool = False
    waiting_for: dict[str, str] = {}


class System(BaseModel):
    """What supervisor.json says."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    pid: int
    started: datetime
    urls: dict[str, str] = {}
    data_dir: str = ""
    parts: list[Part] = []


class NotRunning(NarthexError):
    """There is no supervisor to ask about."""

    code = "unreachable"

    def __init__(self, where: str) -> None:
        super().__init__(f'no Narthex runs {where}: start it with "narthex up", or name its directory with --data-dir')


COLUMNS: list[Column[Part]] = [
    Column("PART", lambda part: part.name),
    Column("STATE", lambda part: part.state),
    Column("READY", lambda part: part.ready),
    Column("PID", lambda part: part.pid),
    Column("RESTARTS", lambda part: part.restarts),
    Column("SINCE", lambda part: part.since),
    Column("WHY", lambda part: part.waiting_for or part.last_exit, flexible=True),
]


def status(
    context: typer.Context,
    data_dir: Annotated[Path | None, typer.Option(help="The data directory of the `narthex up`.")] = None,
    json: Json = False,
) -> None:
    """The parts of the system on this machine. Exits with 0 only if all are ready."""
    directory = data_dir or _find_directory(context)
    system = read_system(directory)
    parts = asyncio.run(ask_all(system.parts))
    system = system.model_copy(update={"parts": parts})
    if json:
        show_one(system, as_json=True)
    else:
        show_list(parts, COLUMNS, as_json=False)
        for name, url in system.urls.items():
            notice(f"{name:<6} {plain(url)}")
    if not all(part.ready for part in parts):
        raise typer.Exit(Exit.FAILED)


def read_system(directory: Path) -> System:
    """What the supervisor of a data directory wrote; NotRunning when there is none, or none any more."""
    path = directory / "supervisor.json"
    try:
        system = System.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        raise NotRunning(f"in {directory}") from None
    except OSError as error:
        raise Misconfigured(f"cannot read {path}: {error.strerror}") from None
    except ValidationError:
        raise Misconfigured(f"{path} is not what a supervisor writes") from None
    if not _alive(system.pid):
        raise NotRunning(f"in {directory}")
    return system.model_copy(update={"data_dir": str(directory.absolute())})


async def ask_all(parts: Sequence[Part]) -> list[Part]:
    """The parts, each with what its `/readyz` says now."""
    async with httpx2.AsyncClient(timeout=READY_TIMEOUT_S, trust_env=False) as http:
        return await asyncio.gather(*(_ask(http, part) for part in parts))


async def _ask(http: httpx2.AsyncClient, part: Part) -> Part:
    if part.admin_port is None or part.pid is None:
        return part.model_copy(update={"ready": part.state == "ready"})  # a child server: only its supervisor knows
    try:
        reply = await http.get(f"http://127.0.0.1:{part.admin_port}/readyz")
        answer: Any = json.loads(reply.content)
        waiting_for = {str(name): str(reason) for name, reason in answer.get("waiting_for", {}).items()}
        return part.model_copy(update={"ready": reply.status_code == 200, "waiting_for": waiting_for})
    except (httpx2.TransportError, ValueError, AttributeError):
        return part.model_copy(update={"waiting_for": {"readyz": "no answer"}})


def _find_directory(context: typer.Context) -> Path:
    """NARTHEX_DATA_DIR, the nearest `.narthex` that a supervisor wrote to, or that of the profile."""
    if configured := os.environ.get("NARTHEX_DATA_DIR"):
        return Path(configured)
    for folder in (Path.cwd(), *Path.cwd().parents):
        if (folder / DIRECTORY / "supervisor.json").exists():
            return folder / DIRECTORY
    try:
        profile = session_of(context).profile()
    except NarthexError:
        profile = None
    if profile is None or profile.data_dir is None:
        raise NotRunning("here")
    return profile.data_dir


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
