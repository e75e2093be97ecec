"""Did you mean: which name of a request is the unknown one, and what looks like it."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches

from narthex.client.client import Client
from narthex.contracts.errors import NarthexError


@dataclass(frozen=True)
class Named:
    """The names that a request used."""

    project: str
    deployment: str | None = None
    version: str | None = None
    service: str | None = None


def closest(name: str, known: Iterable[str]) -> str | None:
    """The known name that was probably meant."""
    return next(iter(get_close_matches(name, list(known), n=1)), None)


def suggestion(api: Client, named: Named) -> str:
    """The words "; did you mean …?" for the first of the names that does not exist; empty when nothing is similar."""
    try:
        for name, known in _levels(api, named):
            names = known()
            if name not in names:
                meant = closest(name, names)
                return f"; did you mean {meant!r}?" if meant else ""
    except NarthexError:
        pass  # a hint is not worth a second error
    return ""


def _levels(api: Client, named: Named) -> Iterator[tuple[str, Callable[[], list[str]]]]:
    """The names from the outside in, each with how to list its siblings."""
    yield named.project, lambda: [project.name for project in api.projects.list()]
    if named.service is not None:
        yield named.service, lambda: [service.name for service in api.services.list()]
    if named.deployment is not None:
        yield named.deployment, lambda: [deployment.name for deployment in api.deployments.list()]
        if named.version is not None:
            deployment = named.deployment
            yield named.version, lambda: [version.version for version in api.versions.list(deployment)]
