"""Versions of a deployment, and what was uploaded of them."""

from narthex.client.call import Call, Tagging
from narthex.client.operations.paths import Nothing, labels, of_deployment, of_version
from narthex.contracts.api import RevisionDetail, VersionCreate, VersionDetail, VersionUpdate


def list_versions(
    deployment: str, *, label: dict[str, str] | None = None, project: str | None = None
) -> Call[list[VersionDetail]]:
    """The versions of a deployment."""
    path = of_deployment(project, deployment, "versions")
    return Call("GET", path, list[VersionDetail], query={"labels": labels(label)})


def get_version(deployment: str, version: str, *, project: str | None = None) -> Call[VersionDetail]:
    """One version by name."""
    return Call("GET", of_version(project, deployment, version), VersionDetail)


def get_tagged_version(deployment: str, version: str, *, project: str | None = None) -> Tagging[VersionDetail]:
    """One version with its ETag, for `if_match` of a later change."""
    return Tagging(get_version(deployment, version, project=project))


def find_version(deployment: str, version: str, *, project: str | None = None) -> Call[VersionDetail | None]:
    """As `get`, but None when there is none."""
    return Call("GET", of_version(project, deployment, version), VersionDetail, absent=True)


def create_version(deployment: str, body: VersionCreate, *, project: str | None = None) -> Call[VersionDetail]:
    """Make a version; the first one of a deployment becomes its default."""
    return Call("POST", of_deployment(project, deployment, "versions"), VersionDetail, body=body)


def update_version(
    deployment: str, version: str, body: VersionUpdate, *, if_match: str | None = None, project: str | None = None
) -> Call[VersionDetail]:
    """Change the fields that are set in `body`; a health check takes effect with the next probe."""
    return Call("PATCH", of_version(project, deployment, version), VersionDetail, body=body, if_match=if_match)


def delete_version(
    deployment: str, version: str, *, if_match: str | None = None, project: str | None = None
) -> Call[None]:
    """Remove a version with its instances."""
    return Call("DELETE", of_version(project, deployment, version), Nothing, if_match=if_match)


def list_revisions(deployment: str, version: str, *, project: str | None = None) -> Call[list[RevisionDetail]]:
    """What was uploaded of a version, newest first."""
    return Call("GET", of_version(project, deployment, version, "revisions"), list[RevisionDetail])


def get_revision(deployment: str, version: str, id: str, *, project: str | None = None) -> Call[RevisionDetail]:
    """One revision."""
    return Call("GET", of_version(project, deployment, version, "revisions", id), RevisionDetail)
