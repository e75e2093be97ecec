"""Who may do what in Valkey: a user for each part that touches the routing table. Pure."""

import hashlib
from collections.abc import Mapping

VALKEY_USERS = ("router", "certs")


def valkey_users(passwords: Mapping[str, str]) -> str:
    """The users, as a configuration or an ACL file has them: the keys of the table, and nobody without a password."""
    users = "".join(
        f"user {name} on #{hashlib.sha256(password.encode()).hexdigest()} ~nx:* &nx:* +@all -@dangerous -@admin\n"
        for name, password in passwords.items()
    )
    return f"user default off\n{users}"
