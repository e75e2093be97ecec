"""Other ways into a service than a token: names with passwords, and links."""

from narthex.client.call import Call
from narthex.client.operations.paths import Nothing, of_service
from narthex.contracts.api import BasicUser, BasicUsersUpdate, ShareCreate, ShareDetail


def list_basic_users(service: str, *, project: str | None = None) -> Call[list[BasicUser]]:
    """The names that may come in by basic authentication."""
    return Call("GET", of_service(project, service, "basic-users"), list[BasicUser])


def set_basic_users(service: str, body: BasicUsersUpdate, *, project: str | None = None) -> Call[list[BasicUser]]:
    """Say which names there are. A password that was made for a new one is in this answer and nowhere else."""
    # Passwords are made anew each time, so a lost answer must not be repeated quietly.
    return Call("PUT", of_service(project, service, "basic-users"), list[BasicUser], body=body, once=True)


def share_service(service: str, body: ShareCreate, *, project: str | None = None) -> Call[ShareDetail]:
    """A link that lets in whoever has it, for a time; it is in this answer and nowhere else."""
    return Call("POST", of_service(project, service, "share"), ShareDetail, body=body)


def withdraw_shares(service: str, *, project: str | None = None) -> Call[None]:
    """Make all links to a service useless."""
    return Call("POST", of_service(project, service, "share", "withdraw"), Nothing)
