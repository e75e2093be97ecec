"""Who may do what in Valkey: a user for each part that touches the routing table. Pure."""

import hashlib
from collections.abc import Mapping

_CONNECTION = ("ping", "auth", "hello", "select", "client|setinfo", "client|setname")
_SCRIPTS = ("evalsha", "script|load")  # redis-py loads a script that the server does not have
# What the scripts and methods of the table, of limits and of the certificates' records call.
_TABLE = ("get", "set", "hget", "hset", "hdel", "hscan", "incr", "xadd", "xread", "xrevrange")
_LIMITS = ("time", "hmget", "hgetall", "del", "pexpire")
_RECORDS = ("exists", "hgetall", "del")

# Part -> the keys it may touch, and the commands it may use: each by name, so that a new one is a decision.
VALKEY_USERS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "router": (
        ("nx:table:*", "nx:changes", "nx:change-count", "nx:epoch", "nx:limit:*", "nx:lease:projection"),
        (*_CONNECTION, *_SCRIPTS, *_TABLE, *_LIMITS),
    ),
    # It follows nobody's changes: it writes its own two kinds of entries, and its records.
    "certs": (
        (
            *("nx:table:certificate", "nx:table:challenge", "nx:changes", "nx:change-count"),
            *("nx:epoch", "nx:certs:*", "nx:lease:certs"),
        ),
        (*_CONNECTION, *_SCRIPTS, *_TABLE, *_RECORDS),
    ),
}


def valkey_users(passwords: Mapping[str, str]) -> str:
    """The users, as a configuration or an ACL file has them: keys and commands by name, nobody without a password."""
    return "user default off\n" + "".join(_user(name, password) for name, password in passwords.items())


def _user(name: str, password: str) -> str:
    keys, commands = VALKEY_USERS[name]
    may = " ".join([*(f"~{key}" for key in keys), "-@all", *(f"+{command}" for command in dict.fromkeys(commands))])
    return f"user {name} on #{hashlib.sha256(password.encode()).hexdigest()} resetchannels {may}\n"
