"""The first start: an organization, a project, and an administrator whose token is in `admin.token`.

The file is the administrator's way in. When it is missing (first start, or somebody deleted it) a new token is
written and the one that was in the file before is revoked, so deleting the file and restarting is how a lost
or leaked token is replaced. A file that is there, even an empty one, is left alone; one with a token that is there
before the first start is the administrator's token from then on, which is how installations get it whose file nobody
may write (Kubernetes).

Tokens are kept by their digest under a key that follows from the sealing key, which the first part that starts
makes. Under another sealing key no token is known any more (docs/decisions/0006-keyed-token-digests.md).
"""

import asyncio
import logging
import os
from pathlib import Path

from sqlalchemy import select

from narthex.contracts.errors import Misconfigured
from narthex.contracts.events import ProjectCreated, TokenIssued, TokenRevoked
from narthex.runtime.key_file import open_sealing_keys
from narthex_registry import members, tables
from narthex_registry.database import Change, Database
from narthex_registry.tokens import Keys, digest, is_token, new_token

log = logging.getLogger(__name__)

TOKEN_FILE = "admin.token"  # noqa: S105 - a file name; also the name of the token in it
DEFAULT = "default"


async def open_keys(database: Database, sealing_key_file: Path) -> Keys:
    """The keys that follow from the sealing key, which is made when nothing depends on it yet."""
    async with database.read() as session:
        tokens = (await session.execute(select(tables.Token.id).limit(1))).first()
    depends = "the tokens in the database are digested under it" if tokens else ""
    return Keys(*open_sealing_keys(sealing_key_file, depends))


async def prepare(database: Database, data_dir: Path, domain: str, keys: Keys) -> None:
    """Make what the first request needs; does nothing on later starts."""
    path = data_dir / TOKEN_FILE
    async with database.change() as change:
        administrator = await _administrator(change)
        if administrator is None:
            administrator = await _create_first(change, f"admin@{domain}")
            if given := await asyncio.to_thread(_given, path):
                await _issue(change, administrator, digest(keys.token, given))
                return
        elif path.exists():
            await _warn_if_unknown(change, path, keys)
            return
        else:
            await _revoke_lost(change, administrator, path)
        token = new_token()
        await _issue(change, administrator, digest(keys.token, token))
        # Before the commit: a token in the file that the database does not know is replaced at the next start,
        # a token in the database that nobody knows would be lost.
        _write(path, token)


def _given(path: Path) -> str:
    """The token that somebody has put into the file before the first start; empty when there is none."""
    try:
        text = path.read_text().strip()
    except (OSError, UnicodeDecodeError):
        return ""
    return text if is_token(text) else ""


async def _administrator(change: Change) -> tables.User | None:
    query = select(tables.User).where(tables.User.administrator).order_by(tables.User.id).limit(1)
    return (await change.session.execute(query)).scalar_one_or_none()


async def _create_first(change: Change, email: str) -> tables.User:
    organization = tables.Organization(name=DEFAULT)
    administrator = tables.User(email=email, name="Administrator", administrator=True)
    change.session.add_all([organization, administrator])
    await change.session.flush()
    project = tables.Project(organization_id=organization.id, name=DEFAULT)
    member = tables.OrganizationMember(organization_id=organization.id, user_id=administrator.id, admin=True)
    change.session.add_all([project, member])
    await change.session.flush()
    change.facts.record(ProjectCreated, project)
    await members.welcome(change, project, administrator)
    return administrator


async def _warn_if_unknown(change: Change, path: Path, keys: Keys) -> None:
    """Say that the file's token is of no use: most likely it was digested under another sealing key."""
    text = (await asyncio.to_thread(path.read_text)).strip()
    query = select(tables.Token.id).where(tables.Token.digest.in_(keys.digests(text)))
    if text and (await change.session.execute(query)).first() is None:
        log.warning(
            "the token in the administrator's token file is not known here, most likely because the sealing key is "
            "another one than when it was issued; delete the file and restart the registry to get a new one",
            extra={"fields": {"file": str(path)}},
        )


async def _issue(change: Change, administrator: tables.User, token_digest: str) -> None:
    token = tables.Token(user_id=administrator.id, name=TOKEN_FILE, digest=token_digest)
    change.session.add(token)
    await change.session.flush()
    change.facts.record(TokenIssued, token)


async def _revoke_lost(change: Change, administrator: tables.User, path: Path) -> None:
    log.warning(
        "the administrator's token file is missing: the token that was in it is revoked, a new one is written; "
        "to get a new one at any time, delete the file and restart the registry",
        extra={"fields": {"file": str(path)}},
    )
    query = select(tables.Token).where(
        tables.Token.user_id == administrator.id, tables.Token.name == TOKEN_FILE, ~tables.Token.revoked
    )
    for token in (await change.session.execute(query)).scalars():
        token.revoked = True
        change.facts.record(TokenRevoked, token)


def _write(path: Path, token: str) -> None:
    """Put the token into its file, whole or not at all, for the owner's eyes only."""
    draft = path.with_suffix(".tmp")
    try:
        draft.unlink(missing_ok=True)
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(token + "\n")
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError as error:
        raise Misconfigured(
            f"cannot write {path}: {error.strerror}; give this process a directory it may write"
        ) from None
