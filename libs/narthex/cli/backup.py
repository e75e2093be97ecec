"""`narthex backup` and `narthex restore`: all that cannot be made again, in one file."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from narthex.cli.serve import missing_extra
from narthex.contracts.errors import Misconfigured

if TYPE_CHECKING:
    from narthex.runtime.backup.archive import Manifest

Archive = Annotated[Path, typer.Argument(help="The backup: a tar file that nobody but you may read.")]
Directory = Annotated[Path | None, typer.Option(help="The data directory. [default: NARTHEX_DATA_DIR, or ./.narthex]")]
WithKey = Annotated[bool, typer.Option("--key/--no-key", help="Whether the sealing key goes into the same file.")]


def backup(archive: Archive, data_dir: Directory = None, key: WithKey = True) -> None:
    """Take a backup of an installation, which may run meanwhile.

    The database is the one that NARTHEX_DATABASE_URL names, else SQLite in the data directory. The request log is in it
    when audit keeps it in the data directory and is stopped.
    """
    try:
        from narthex.runtime import backup
    except ModuleNotFoundError as error:
        raise Misconfigured(missing_extra("narthex backup", error)) from None
    manifest = backup.take(archive, backup.place(data_dir), with_key=key)
    print(f"wrote {archive}: {len(manifest.files)} files, {archive.stat().st_size / 1e6:.1f} MB")
    _tell_left_out(manifest)


def restore(archive: Archive, data_dir: Directory = None) -> None:
    """Make an installation of a backup, in an empty data directory (and an empty PostgreSQL database).

    NATS and Valkey have to be empty too when it starts: what they hold is filled in from the database.
    """
    try:
        from narthex.runtime import backup
    except ModuleNotFoundError as error:
        raise Misconfigured(missing_extra("narthex restore", error)) from None
    place = backup.place(data_dir)
    manifest = backup.restore(archive, place)
    print(f"restored the backup of {manifest.made_at} (Narthex {manifest.release}) to {place.data_dir}")
    _tell_left_out(manifest)


def _tell_left_out(manifest: "Manifest") -> None:
    for what, why in manifest.left_out.items():
        print(f"not in it: the {what}; {why}")
