"""`narthex prepare`: the secrets of an installation in containers."""

from pathlib import Path
from typing import Annotated

import typer

from narthex.cli.serve import missing_extra
from narthex.contracts.errors import Misconfigured

Directory = Annotated[Path, typer.Argument(help="Where the secrets go; it is made if it is missing.")]


def prepare(directory: Directory) -> None:
    """Make the secrets of an installation in containers: passwords, the sealing key, the users of NATS and Valkey.

    What is there stays. Run it again after an upgrade: parts of a new release may need other permissions.
    """
    try:
        from narthex.runtime.secret_directory import prepare as make
    except ModuleNotFoundError as error:
        raise Misconfigured(missing_extra("narthex prepare", error)) from None
    for name in make(directory):
        print(f"wrote {directory / name}")
