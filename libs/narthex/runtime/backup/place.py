"""What a backup is of: the directory, the database and the key of an installation, as its parts are told of them."""

from dataclasses import dataclass
from pathlib import Path

from narthex.runtime.backup.database import DatabaseAddress
from narthex.runtime.settings import ProcessSettings, SealingSettings


@dataclass(frozen=True)
class Place:
    """Where an installation keeps things."""

    data_dir: Path
    sealing_key: Path
    database: DatabaseAddress


def place(data_dir: Path | None) -> Place:
    """The installation that the settings name. The key is where they say, else where `narthex up` has it."""
    home = data_dir or ProcessSettings().data_dir
    sealing = SealingSettings()
    key = sealing.key_file if "key_file" in sealing.model_fields_set else home / "sealing.key"
    return Place(home, key, DatabaseAddress())
