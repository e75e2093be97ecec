"""`narthex serve NAME`: run one service of the system in this process.

Imported without typer and rich, which take 0.2 s of a start and 15 MB: five of these run at a time.
"""

import gc
import sys
from collections.abc import Sequence

USAGE = 2

HELP = """Usage: narthex serve NAME

Run one service in this process until SIGTERM. Settings come from NARTHEX_* variables.

NAME is one of: {names}
"""


def serve(arguments: Sequence[str]) -> int:
    """Run the named service; returns the exit code of the process."""
    gc.disable()  # what is imported stays: to look for garbage in it takes a sixth of a start; `run` turns it on again
    try:
        from narthex.runtime.service import serve as run
        from narthex.runtime.service import service_names
    except ModuleNotFoundError as error:
        return _complain(missing_extra("narthex serve", error))
    if len(arguments) != 1 or arguments[0].startswith("-"):
        asked = list(arguments) in (["--help"], ["-h"])
        print(HELP.format(names=", ".join(service_names())), file=sys.stdout if asked else sys.stderr, end="")
        return 0 if asked else USAGE
    if arguments[0] not in service_names():
        return _complain(_unknown(arguments[0], service_names()))
    try:
        return run(arguments[0])
    except ModuleNotFoundError as error:
        return _complain(missing_extra("narthex serve", error))


def missing_extra(command: str, error: ModuleNotFoundError) -> str:
    """What to install when a module of the server's is not there. A module of our own is a bug: raised again."""
    if error.name is None or error.name.split(".")[0].startswith("narthex"):
        raise error
    return f"{command} needs packages that are not installed ({error.name}): pip install 'narthex[server,embedded]'"


def _unknown(name: str, known: Sequence[str]) -> str:
    from difflib import get_close_matches

    meant = get_close_matches(name, known, n=1)
    hint = f" Did you mean {meant[0]!r}?" if meant else f" There are: {', '.join(known)}."
    return f"there is no service {name!r} to run.{hint}"


def _complain(text: str) -> int:
    print(f"error: {text}", file=sys.stderr)
    return USAGE
