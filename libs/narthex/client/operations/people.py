"""People with an account in the installation. Most of it is for administrators."""

from narthex.client.call import Call
from narthex.client.operations.paths import Nothing
from narthex.contracts.api import PersonUpdate, UserCreate, UserDetail, UserPendingDetail


def list_people(*, email: str | None = None) -> Call[list[UserDetail]]:
    """All people with an account, or the one with an e-mail address."""
    return Call("GET", ["users"], list[UserDetail], query={"email": email})


def get_person(id: str) -> Call[UserDetail]:
    """One person."""
    return Call("GET", ["users", id], UserDetail)


def create_person(body: UserCreate) -> Call[UserPendingDetail]:
    """Make an account."""
    return Call("POST", ["user"], UserPendingDetail, body=body)


def update_person(id: str, body: PersonUpdate) -> Call[UserDetail]:
    """Change somebody's name or password, or whether they administrate the installation."""
    return Call("PATCH", ["users", id], UserDetail, body=body)


def delete_person(id: str) -> Call[None]:
    """Delete somebody with all they have."""
    return Call("DELETE", ["users", id], Nothing)
