"""One entry of the routing table: pure."""

from enum import StrEnum
from typing import NamedTuple


class Kind(StrEnum):
    """What an entry describes; the payload is the JSON of the entity of that name."""

    PROJECT = "project"  # entities.Project
    DEPLOYMENT = "deployment"  # entities.Deployment
    VERSION = "version"  # entities.Version
    SERVICE = "service"  # entities.Service
    INSTANCE = "instance"  # entities.Instance
    HEALTH = "health"  # entities.ReplicaHealth
    TOKEN = "token"  # noqa: S105 - entities.Token
    ACCESS = "access"  # entities.Access
    CERTIFICATE = "certificate"  # {"hosts", "chain", "sealed_key", "not_after"}; see narthex_certs
    CHALLENGE = "challenge"  # what a CA wants to see of a host, while it looks; see narthex_certs.challenges
    DOMAIN = "domain"  # entities.Domain
    SIGN_OUT = "sign_out"  # {}: a browser's session that was ended; its revision is when it would have ended by itself

    __hash__ = str.__hash__  # an Enum's own is a Python function: a third of the time of loading a table


class Entry(NamedTuple):
    """The state of one thing at one revision. `payload` None is a tombstone: the thing is gone.

    A tuple, because a table has a million of them: a frozen dataclass takes three times as long to make.
    """

    kind: Kind
    key: str
    revision: int
    sequence: int  # the registry's sequence that brought it; 0 for facts of other parts
    payload: bytes | None

    def encode(self) -> bytes:
        """The stored form: revision, sequence and payload, separated by spaces."""
        return b"%d %d %s" % (self.revision, self.sequence, self.payload or b"")


def decode(kind: Kind, key: str, value: bytes) -> Entry:
    """Read a stored value; ValueError when it is none."""
    revision, sequence, payload = value.split(b" ", 2)
    return Entry(kind, key, int(revision), int(sequence), payload or None)
