"""`narthex keys`: the key that secrets are sealed under at rest, changed without anything standing still.

These commands change a file on this machine. Every machine that runs a registry, a router or certs needs the same
file, so a new key is first one that all can read with, and seals only when all have it.
"""

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from narthex.cli.output import notice
from narthex.cli.serve import missing_extra
from narthex.contracts.errors import Misconfigured

if TYPE_CHECKING:
    from narthex.runtime.key_file import SealingKey

app = typer.Typer(no_args_is_help=True, help="The key that secrets are sealed under at rest.")

READ_BY_ALL_S = 5.0  # parts of this machine read the file again every two seconds

File = Annotated[
    Path,
    typer.Option("--file", metavar="FILE", envvar="NARTHEX_SEALING_KEY_FILE", help="The sealing key file."),
]
HERE = Path(".narthex/sealing.key")


@app.command("list")
def list_keys(file: File = HERE) -> None:
    """The keys of the file: which one seals, and which ones only open what was sealed before."""
    files = _files()
    for number, key in enumerate(files.read_keys(file)):
        print(f"{key.id}  {_standing(number, key):<6}  {key.since.isoformat() if key.since else '-'}")


@app.command("rotate")
def rotate(
    file: File = HERE,
    stage: Annotated[
        bool, typer.Option("--stage", help="Only add the key, to be copied to other machines before it seals.")
    ] = False,
) -> None:
    """Seal under a new key from now on, and have everything sealed anew. A key that was staged is taken."""
    files = _files()
    keys = files.read_keys(file)
    if not any(key.next for key in keys):
        keys = files.staged(keys, datetime.now(UTC))
        files.replace_keys(file, keys)
        if not stage:
            notice(f"waiting {READ_BY_ALL_S:.0f} s until every part here can read with the new key")
            time.sleep(READ_BY_ALL_S)
    elif stage:
        raise Misconfigured("a key is staged already; `narthex keys rotate` has it seal")
    if stage:
        notice(f"key {keys[-1].id} is staged. Copy {file} to every machine, then: narthex keys rotate")
        return
    keys = files.promoted(keys, datetime.now(UTC))
    files.replace_keys(file, keys)
    notice(f"key {keys[0].id} seals now. Parts seal anew what they keep; retire {keys[1].id} when that is done")


@app.command("retire")
def retire(
    key: Annotated[str, typer.Argument(metavar="KEY", help="As `narthex keys list` names it.")],
    file: File = HERE,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Take an old key out: tokens and service passwords that are older than its successor stop."""
    files = _files()
    keys = files.read_keys(file)
    left = files.without(keys, key)
    retired = [each.id for each in keys].index(key)
    if not yes and not keys[retired].next:
        successor = keys[retired - 1]
        since = f"before {successor.since.isoformat()}" if successor.since else "under it"
        typer.confirm(f"Tokens and service passwords made {since} will not be known any more. Go on?", abort=True)
    files.replace_keys(file, left)
    notice(f"key {key} opens nothing any more")


def _standing(number: int, key: "SealingKey") -> str:
    return "seals" if number == 0 else "next" if key.next else "opens"


def _files() -> Any:
    """What reads and writes the file; it needs the server's dependencies."""
    try:
        from narthex.runtime import key_file
    except ModuleNotFoundError as error:
        raise Misconfigured(missing_extra("narthex keys", error)) from None
    return key_file
