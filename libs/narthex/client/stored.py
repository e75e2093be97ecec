"""Profiles as files hold them: one beside each installation, and the user's own with a name each.

The one thing to know: tokens may be in them, so they are written for the user's eyes only (0600), and whole or not
at all.
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from narthex.contracts.errors import Misconfigured
from narthex.runtime.atomic_write import write_atomically

Stored = TypeVar("Stored", bound=BaseModel)

DIRECTORY = ".narthex"
LOCAL = "local"  # the name under which `narthex up` registers itself


class StoredProfile(BaseModel):
    """A profile as files hold it. Relative paths are relative to the file."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    api_url: str
    token: str | None = None
    token_file: Path | None = None
    ca_file: Path | None = None
    project: str = "default"
    data_dir: Path | None = None  # of the `narthex up` behind it, for `narthex status`
    token_id: str | None = None  # of a token that `narthex login` made, for `narthex logout`


class StoredProfiles(BaseModel):
    """The user's profiles.json."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    current: str = LOCAL
    profiles: dict[str, StoredProfile] = {}


def user_file(environ: Mapping[str, str] = os.environ) -> Path:
    """Where the user's profiles are: `$XDG_CONFIG_HOME/narthex/profiles.json`, or under `~/.config`."""
    # The XDG specification: a relative path is to be ignored.
    configured = environ.get("XDG_CONFIG_HOME", "")
    base = Path(configured) if configured.startswith("/") else Path(environ.get("HOME", "~")).expanduser() / ".config"
    return base / "narthex" / "profiles.json"


def user_profiles(environ: Mapping[str, str] = os.environ) -> StoredProfiles:
    """The user's profiles; none when the file is not there."""
    path = user_file(environ)
    return read(path, StoredProfiles) if path.exists() else StoredProfiles()


def keep_profiles(stored: StoredProfiles, environ: Mapping[str, str] = os.environ) -> None:
    """Write the user's profiles."""
    path = user_file(environ)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_atomically(path, text(stored))
    except OSError as error:
        raise Misconfigured(f"cannot write {path}: {error.strerror}") from None


def installation_profiles(
    data_dir: Path,
    api_url: str,
    *,
    token_file: Path,
    ca_file: Path | None = None,
    project: str = "default",
    environ: Mapping[str, str] = os.environ,
) -> dict[Path, str]:
    """The files that make `narthex …` work at once: `<data_dir>/profile.json`, and the user's with "local" in it.

    The first has paths relative to itself, so that the directory can be moved; the second absolute ones. The
    user's `current` choice is kept, and a user's file that cannot be read is left alone.
    """
    local = StoredProfile(
        api_url=api_url,
        token_file=token_file.absolute(),
        ca_file=ca_file.absolute() if ca_file else None,
        project=project,
        data_dir=data_dir.absolute(),
    )
    moved = local.model_copy(
        update={
            "token_file": _relative(local.token_file, data_dir),
            "ca_file": _relative(local.ca_file, data_dir),
            "data_dir": Path(),
        }
    )
    profiles = {data_dir / "profile.json": text(moved)}
    path = user_file(environ)
    try:
        profiles[path] = text(_with_local(path, local))
    except (OSError, Misconfigured):
        pass
    return profiles


def _with_local(path: Path, local: StoredProfile) -> StoredProfiles:
    stored = read(path, StoredProfiles) if path.exists() else StoredProfiles()
    current = stored.current if stored.current in stored.profiles else LOCAL
    return StoredProfiles(current=current, profiles={**stored.profiles, LOCAL: local})


def _relative(path: Path | None, base: Path) -> Path | None:
    if path is None or not path.is_relative_to(base.absolute()):
        return path
    return path.relative_to(base.absolute())


def text(content: BaseModel) -> str:
    """What a file of profiles says."""
    return json.dumps(content.model_dump(mode="json", exclude_none=True), indent=2) + "\n"


def read(path: Path, model: type[Stored]) -> Stored:
    """A file of profiles; Misconfigured when it is none."""
    try:
        return model.model_validate_json(path.read_bytes())
    except OSError as error:
        raise Misconfigured(f"cannot read {path}: {error.strerror}") from None
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise Misconfigured(f"{path} is no profile: {where or 'JSON'}: {first['msg']}") from None
