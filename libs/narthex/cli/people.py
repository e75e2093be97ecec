"""Who is meant: people and service users have ids in the API, and e-mail addresses and names for people."""

from collections.abc import Iterable, Sequence
from typing import Protocol, TypeVar

from narthex.cli.suggest import closest
from narthex.client.client import Client
from narthex.contracts.api import OrganizationUserDetail, ProjectUserDetail, ServiceUserDetail, UserDetail
from narthex.contracts.errors import NotFound


class Known(Protocol):
    """Somebody with an id and an e-mail address."""

    @property
    def id(self) -> str: ...

    @property
    def email(self) -> str: ...


Somebody = TypeVar("Somebody", bound=Known)


def member_id(api: Client, text: str) -> str:
    """The id of a person or service user of the project."""
    return meant("user in this project", text, api.members.list(user_type="all")).id


def member(api: Client, text: str) -> ProjectUserDetail:
    """A person of the project."""
    return meant("member of this project", text, api.members.list())


def person(api: Client, text: str) -> UserDetail:
    """A person with an account."""
    return meant("user", text, api.people.list())


def service_user(api: Client, text: str) -> ServiceUserDetail:
    """A service user of the project, by name too."""
    return meant("service user", text, api.service_users.list())


def organization_user(api: Client, organization: str, text: str) -> OrganizationUserDetail:
    """A person of an organization."""
    return meant(f"user in organization {organization}", text, api.organization_users.list(organization))


def meant(noun: str, text: str, known: Iterable[Somebody]) -> Somebody:
    """The one with this id, e-mail address or name; NotFound with a similar one when there is none or not just one."""
    everybody = list(known)
    found = [each for each in everybody if text.lower() in (each.id, each.email)] or [
        each for each in everybody if getattr(each, "name", None) == text and "@" in each.email
    ]
    if len(found) == 1:
        return found[0]
    if found:
        raise NotFound(f"several are called {text!r}; give an e-mail address or id: {_listed(found)}")
    similar = closest(text, [name for each in everybody for name in _names(each)])
    raise NotFound(f"there is no {noun} {text}" + (f"; did you mean {similar!r}?" if similar else ""))


def _names(somebody: Known) -> list[str]:
    name = getattr(somebody, "name", None)
    return [somebody.email, *([name] if name else [])]


def _listed(found: Sequence[Known]) -> str:
    return ", ".join(each.email for each in found)
