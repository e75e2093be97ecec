"""What `narthex run` was asked for, and the texts that follow from it: pure."""

import os
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from narthex.client.profiles import Profile
from narthex.contracts.api import ServiceDetail

HOST = "{host}"
PORT = "{port}"

RESTART_FIRST_S = 0.2
RESTART_MOST_S = 10.0
SETTLED_S = 10.0  # a replica that lived this long was well: the next death starts counting anew
NOTE_LINE_MAX = 300


@dataclass(frozen=True)
class Plan:
    """The command line of `narthex run`, checked."""

    name: str
    command: Sequence[str]
    port: int
    replicas: int = 1
    version: str = "v1"
    health_path: str | None = None
    public: bool = False

    @property
    def addresses_differ(self) -> bool:
        """Whether the command can be told its address; else all replicas share one and need ports of their own."""
        return any(HOST in argument for argument in self.command)


def filled(command: Sequence[str], host: str, port: int) -> list[str]:
    """The command of a replica at this place. Other braces stay as they are: they may be JSON."""
    return [argument.replace(HOST, host).replace(PORT, str(port)) for argument in command]


def environment(environ: Mapping[str, str], host: str, port: int) -> dict[str, str]:
    """The environment of a replica: HOST and PORT for commands that read them there, and unbuffered Python, whose
    output would otherwise show up in lumps."""
    return {"PYTHONUNBUFFERED": "1", **environ, "HOST": host, "PORT": str(port)}


def restart_delay(deaths: int) -> float:
    """Seconds until the next start after so many early deaths in a row (from 1)."""
    return min(RESTART_MOST_S, RESTART_FIRST_S * float(1 << min(deaths - 1, 16)))


def epitaph(exit_code: int, last_line: str) -> str:
    """How a process ended, in a line: `exited with 1: ModuleNotFoundError: …`, `killed by signal 9`."""
    end = f"exited with {exit_code}" if exit_code >= 0 else f"killed by signal {-exit_code}"
    return f"{end}: {last_line[:NOTE_LINE_MAX]}" if last_line else end


def curl_line(service: ServiceDetail, profile: Profile, cwd: Path) -> str:
    """A command to paste that gets an answer from the service."""
    parts = ["curl"]
    if profile.ca_file is not None:
        parts += ["--cacert", shlex.quote(_short(profile.ca_file, cwd))]
    if service.authentication_required:
        parts += ["-H", f'"Authorization: Token {_token(profile, cwd)}"']
    return " ".join([*parts, shlex.quote(f"{service.endpoint}/")])


def _token(profile: Profile, cwd: Path) -> str:
    if profile.token_file is not None:
        return f"$(cat {shlex.quote(_short(profile.token_file, cwd))})"
    return "$NARTHEX_TOKEN"


def _short(path: Path, cwd: Path) -> str:
    """The path as one would type it here."""
    absolute = Path(os.path.normpath(path.absolute()))
    return str(absolute.relative_to(cwd)) if absolute.is_relative_to(cwd) else str(absolute)
