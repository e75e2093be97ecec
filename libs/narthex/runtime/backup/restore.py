"""Makes an installation of a backup, in a data directory (and a PostgreSQL database) that is empty."""

from pathlib import Path

from narthex.contracts.errors import Misconfigured
from narthex.runtime.backup.archive import Manifest, check, unpack
from narthex.runtime.backup.database import NAMES, POSTGRESQL, SQLITE, DatabaseAddress, put_back
from narthex.runtime.backup.place import Place

NOT_OURS = frozenset({"lost+found"})  # of a volume's own


def restore(archive: Path, place: Place) -> Manifest:
    """Put everything back. Nothing is written unless all of the archive is as it was."""
    address, data_dir = place.database, place.data_dir
    manifest = check(archive)
    _check_database(manifest, address)
    _check_empty(data_dir)
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise Misconfigured(f"cannot make {data_dir}: {error.strerror}") from None
    unpack(archive, data_dir)
    if manifest.database == POSTGRESQL:
        dump = data_dir / NAMES[POSTGRESQL]
        put_back(address, dump)
        dump.unlink()
    return manifest


def _check_database(manifest: Manifest, address: DatabaseAddress) -> None:
    if manifest.database != address.kind:
        raise Misconfigured(
            f"the backup is of a {manifest.database} database and NARTHEX_DATABASE_URL names a {address.kind} one"
        )
    if address.kind == SQLITE and address.url.get_secret_value():
        raise Misconfigured("an SQLite database is restored into the data directory: leave NARTHEX_DATABASE_URL out")


def _check_empty(data_dir: Path) -> None:
    held = sorted({each.name for each in data_dir.iterdir()} - NOT_OURS) if data_dir.is_dir() else []
    if held:
        raise Misconfigured(f"{data_dir} is not empty ({', '.join(held[:3])}): restore into a new directory")
