"""Passwords and tokens as people give them: typed unseen, from a file, or through standard input."""

import sys
from pathlib import Path

import typer

from narthex.client.profiles import read_token
from narthex.contracts.errors import Misconfigured


def secret(prompt: str, file: str | None, *, confirm: bool = False) -> str:
    """From a file (`-` is standard input), or typed at a terminal; a script without either is told what to do."""
    if file == "-":
        return _not_empty(prompt, sys.stdin.read())
    if file is not None:
        return _not_empty(prompt, read_token(Path(file)))
    if not sys.stdin.isatty():
        raise Misconfigured(f"there is no terminal to ask for the {prompt.lower()} on; give it in a file")
    return str(typer.prompt(prompt, hide_input=True, confirmation_prompt=confirm, err=True))


def new_password(file: str | None) -> str:
    """A password for somebody, typed twice."""
    return secret("Password", file, confirm=True)


def _not_empty(prompt: str, text: str) -> str:
    if not text.strip():
        raise Misconfigured(f"the {prompt.lower()} is empty")
    return text.rstrip("\r\n")
