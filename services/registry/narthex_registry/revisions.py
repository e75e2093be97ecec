"""Revisions: what was uploaded of a version. Narthex runs no code, so an upload is noted and its content dropped:
what runs is registered as instances. Every version has a first revision that nobody uploaded.
"""

from datetime import datetime
from uuid import UUID, uuid5

from narthex.contracts import api
from narthex.contracts.errors import NotFound
from narthex.contracts.events import VersionUpdated
from narthex.contracts.ids import new_id
from narthex_registry import tables
from narthex_registry.database import Change

KEPT = 20  # uploads of a version that are remembered
_NOTE = (
    "The upload of {size} bytes was noted and not kept: Narthex exposes what runs elsewhere. Start the application "
    "yourself, for example with `narthex run`, or register its instances"
)
# Where a version's uploads are in its settings, oldest first.
_UPLOADS = "revisions"


def first_id(version: tables.Version) -> str:
    """Always the same, stored nowhere."""
    return str(uuid5(UUID(version.id), "revision"))


def latest_id(version: tables.Version) -> str:
    uploads = version.settings.get(_UPLOADS)
    return str(uploads[-1]["id"]) if uploads else first_id(version)


def last_upload(version: tables.Version) -> str | None:
    """When something was uploaded last."""
    uploads = version.settings.get(_UPLOADS)
    return str(uploads[-1]["date"]) if uploads else None


def listed(version: tables.Version) -> list[api.RevisionDetail]:
    """A version's revisions, newest first."""
    uploads = [
        api.RevisionDetail(
            id=upload["id"],
            version=version.name,
            creation_date=upload["date"],
            created_by=upload["user"],
            error_message=_NOTE.format(size=upload["size"]) if upload["size"] else None,
        )
        for upload in reversed(version.settings.get(_UPLOADS, []))
    ]
    return [*uploads, api.RevisionDetail(id=first_id(version), version=version.name, creation_date=version.created)]


def find(version: tables.Version, wanted: str) -> api.RevisionDetail:
    found = [revision for revision in listed(version) if revision.id == wanted]
    if not found:
        raise NotFound(f"version {version.name} has no revision {wanted}")
    return found[0]


def upload(change: Change, version: tables.Version, user: str, size: int, now: datetime) -> str:
    """Note that something was uploaded; the id of its revision."""
    made = {"id": new_id(), "date": now.isoformat(), "user": user, "size": size}
    before = version.settings.get(_UPLOADS, [])
    version.settings = version.settings | {_UPLOADS: [*before, made][-KEPT:]}
    change.facts.record(VersionUpdated, version)
    return str(made["id"])
