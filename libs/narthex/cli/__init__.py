"""The command line: `narthex`. A file per noun; `run/` is the one command that is a program of its own.

Processes of the system start as `narthex serve <name>`, so that path imports neither typer nor rich.
"""

import sys

INTERRUPTED = 130  # ended by Ctrl-C, as shells count


def main() -> int:
    """The entry point of the `narthex` program; returns its exit code."""
    if sys.argv[1:2] == ["serve"]:
        from narthex.cli.serve import serve

        return serve(sys.argv[2:])
    try:
        from narthex.cli.app import app

        app(prog_name="narthex")
    except KeyboardInterrupt:  # within a command typer sees to it; this is the half second until there is one
        return INTERRUPTED
    return 0
