"""Organizations, and the people in them."""

from narthex.client.call import Call
from narthex.client.operations.bodies import made
from narthex.client.operations.paths import Nothing
from narthex.contracts.api import (
    OrganizationCreate,
    OrganizationDetail,
    OrganizationUpdate,
    OrganizationUserCreate,
    OrganizationUserDetail,
    OrganizationUserUpdate,
)


def list_organizations() -> Call[list[OrganizationDetail]]:
    """The organizations that the caller is in."""
    return Call("GET", ["organizations"], list[OrganizationDetail])


def get_organization(name: str) -> Call[OrganizationDetail]:
    """One organization by name."""
    return Call("GET", ["organizations", name], OrganizationDetail)


def create_organization(body: OrganizationCreate) -> Call[OrganizationDetail]:
    """Make an organization; the caller becomes its first admin."""
    return Call("POST", ["organizations"], OrganizationDetail, body=body)


def update_organization(name: str, body: OrganizationUpdate) -> Call[OrganizationDetail]:
    """Rename an organization."""
    return Call("PATCH", ["organizations", name], OrganizationDetail, body=body)


def list_organization_users(organization: str) -> Call[list[OrganizationUserDetail]]:
    """The people in an organization."""
    return Call("GET", ["organizations", organization, "users"], list[OrganizationUserDetail])


def get_organization_user(organization: str, user: str) -> Call[OrganizationUserDetail]:
    """One person in an organization, by id."""
    return Call("GET", ["organizations", organization, "users", user], OrganizationUserDetail)


def add_organization_user(organization: str, email: str, *, admin: bool = False) -> Call[OrganizationUserDetail]:
    """Take somebody in. Who has no account gets one, to which an administrator gives a password."""
    body = made(OrganizationUserCreate, email=email, admin=admin)
    return Call("POST", ["organizations", organization, "users"], OrganizationUserDetail, body=body)


def update_organization_user(organization: str, user: str, *, admin: bool) -> Call[OrganizationUserDetail]:
    """Say whether somebody is an admin of the organization."""
    body = made(OrganizationUserUpdate, admin=admin)
    return Call("PATCH", ["organizations", organization, "users", user], OrganizationUserDetail, body=body)


def remove_organization_user(organization: str, user: str) -> Call[None]:
    """Let somebody go, from the organization's projects too."""
    return Call("DELETE", ["organizations", organization, "users", user], Nothing)
