"""The secrets of an installation whose parts run apart, a file each, for Compose or Kubernetes to mount.

    narthex prepare secrets

What is there stays; what is missing is made; what NATS and Valkey must know of their users is written anew from the
passwords, because a release may allow its parts other things than the one before.
"""

import secrets
from collections.abc import Mapping
from pathlib import Path

from narthex.bus.permissions import ROLES, nats_users
from narthex.contracts.errors import Misconfigured
from narthex.routing.users import VALKEY_USERS, valkey_users
from narthex.runtime.atomic_write import write_atomically
from narthex.runtime.sealing import KEY_BYTES
from narthex.runtime.secret_files import read_secret

OTHERS = ("postgres", "clickhouse", "grafana")  # passwords of what is not ours
SEALING_KEY = "sealing.key"
NATS_USERS = "nats-users.conf"
VALKEY_ACL = "valkey-users.acl"


def prepare(directory: Path) -> list[str]:
    """Make what is missing in the directory; returns the names of the files that were made or changed."""
    nats = {f"nats-{part}": _new_password() for part in ROLES}
    valkey = {f"valkey-{part}": _new_password() for part in VALKEY_USERS}
    others = {name: _new_password() for name in OTHERS}
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        made = _add(directory, {**nats, **valkey, **others, SEALING_KEY: secrets.token_hex(KEY_BYTES)})
        rendered = {
            NATS_USERS: nats_users({part: _held(directory, f"nats-{part}") for part in ROLES}),
            VALKEY_ACL: valkey_users({part: _held(directory, f"valkey-{part}") for part in VALKEY_USERS}),
        }
        return made + _replace(directory, rendered)
    except OSError as error:
        raise Misconfigured(f"cannot write {error.filename or directory}: {error.strerror}") from None


def _add(directory: Path, files: Mapping[str, str]) -> list[str]:
    missing = {name: text + "\n" for name, text in files.items() if not (directory / name).exists()}
    return _replace(directory, missing)


def _replace(directory: Path, files: Mapping[str, str]) -> list[str]:
    """Write what differs, each file whole or not at all."""
    changed = []
    for name, text in files.items():
        path = directory / name
        if path.exists() and path.read_text() == text:
            continue
        # Mounted into containers with users of their own; on this machine the directory keeps others out.
        write_atomically(path, text, 0o644)
        changed.append(name)
    return changed


def _held(directory: Path, name: str) -> str:
    return read_secret(name, directory / name)


def _new_password() -> str:
    return secrets.token_hex(24)  # hexadecimal: it stands in URLs and configuration files without quoting
