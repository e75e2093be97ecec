"""What concerns the whole installation."""

from narthex.client.call import Call
from narthex.contracts.api import ApiStatus, DiscoveryProvider, PermissionDetail, WorkerApplied


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
