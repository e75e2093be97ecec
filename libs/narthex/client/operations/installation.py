"""What concerns the whole installation."""

from narthex.client.call import Call
from narthex.client.operations.paths import Nothing
from narthex.contracts.api import (
    ApiStatus,
    DeadLetterBrief,
    DeadLetterDetail,
    DiscoveryProvider,
    InstallationState,
    PermissionDetail,
    WorkerApplied,
)


def status() -> Call[ApiStatus]:
    """Whether the API is up; needs no token."""
    return Call("GET", ["status"], ApiStatus)


def list_routers() -> Call[list[WorkerApplied]]:
    """The router workers that are known, and how far each has applied the registry's facts."""
    return Call("GET", ["routers"], list[WorkerApplied])


def list_permissions() -> Call[list[PermissionDetail]]:
    """Everything that a role can permit."""
    return Call("GET", ["permissions"], list[PermissionDetail])


def list_discovery() -> Call[list[DiscoveryProvider]]:
    """The sources that instances are found in, and whether they can be read."""
    return Call("GET", ["discovery"], list[DiscoveryProvider])


def get_installation() -> Call[InstallationState]:
    """Every part of the installation: what it does, how far behind it is, and what is wrong with it."""
    return Call("GET", ["installation"], InstallationState)


def list_dead_letters(*, after: int = 0, limit: int = 50) -> Call[list[DeadLetterBrief]]:
    """The messages that consumers gave up, oldest first; the next page is `after` the last number."""
    return Call("GET", _LETTERS, list[DeadLetterBrief], query={"after": after, "limit": limit})


def get_dead_letter(number: int) -> Call[DeadLetterDetail]:
    """A message that was given up, and what it says."""
    return Call("GET", [*_LETTERS, str(number)], DeadLetterDetail)


def retry_dead_letter(number: int) -> Call[DeadLetterBrief]:
    """Publish a message again that was given up."""
    return Call("POST", [*_LETTERS, str(number), "retry"], DeadLetterBrief)


def discard_dead_letter(number: int) -> Call[None]:
    """Forget a message that was given up."""
    return Call("DELETE", [*_LETTERS, str(number)], Nothing)


_LETTERS = ["installation", "dead-letters"]
