"""Passwords between the parts: made on the first start, kept in `credentials.json`, known to nobody else."""

import json
import secrets
from dataclasses import dataclass

from narthex.bus.permissions import ROLES
from narthex.routing.users import VALKEY_USERS
from narthex.runtime.atomic_write import write_atomically
from narthex.runtime.embedded.directory import DataDirectory


@dataclass(frozen=True)
class Credentials:
    """User name -> password, for each child server."""

    nats: dict[str, str]
    valkey: dict[str, str]


def keep_credentials(directory: DataDirectory) -> Credentials:
    """The installation's credentials; users of a newer release get a password when they are first seen."""
    held = json.loads(directory.credentials.read_text()) if directory.credentials.exists() else {}
    credentials = Credentials(
        nats={user: held.get("nats", {}).get(user) or _new() for user in ROLES},
        valkey={user: held.get("valkey", {}).get(user) or _new() for user in VALKEY_USERS},
    )
    write_atomically(directory.credentials, json.dumps(credentials.__dict__, indent=1) + "\n")
    return credentials


def _new() -> str:
    return secrets.token_hex(24)  # hexadecimal: it stands in URLs and configuration files without quoting
