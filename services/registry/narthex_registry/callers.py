"""Callers of the API and what they may do, remembered: a request that changes nothing about access reads no table.

What is remembered is forgotten when a fact says that it has changed: this process's own facts as they are
committed, those of other registries as they come over the bus. After `FORGET_AFTER_S` it is forgotten in any case.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, select
from sqlalchemy.ext.asyncio import AsyncSession

from narthex.contracts.errors import NotFound, Unauthenticated
from narthex.runtime.clock import Clock
from narthex_registry import access, sessions, tables
from narthex_registry.database import Database
from narthex_registry.last_used import LastUsed
from narthex_registry.permissions import Grants
from narthex_registry.tokens import Keys, digest

FORGET_AFTER_S = 10.0  # how long another registry's change may go unseen while the bus is away
MOST = 20_000  # entries of each kind


@dataclass(frozen=True)
class Caller:
    """A user, and the credential they came with."""

    user: tables.User  # detached: read only
    token_id: str = ""  # empty: a session
    session_id: str = ""
    expires: datetime | None = None
    way: str = sessions.BY_TOKEN
    lasting: datetime | None = None  # end of the token that was sent, or that the session was begun with


class Callers:
    """Knows users by their credentials, and their grants by project."""

    def __init__(self, database: Database, keys: Keys, clock: Clock, last_used: LastUsed) -> None:
        self._database = database
        self._keys = keys
        self._clock = clock
        self._last_used = last_used
        self._callers: dict[str, Caller] = {}
        self._grants: dict[tuple[str, str], tuple[str, Grants]] = {}
        self._since = clock.monotonic()
        self._turns = 0  # grows whenever something is forgotten: what was read before may be stale
        database.listeners.append(self.forget)

    def forget(self) -> None:
        """Somebody's access, a token or a project has changed."""
        self._callers.clear()
        self._grants.clear()
        self._since = self._clock.monotonic()
        self._turns += 1

    async def by_credential(self, text: str) -> Caller:
        """The caller whose token or session it is."""
        self._mind_the_time()
        key = digest(self._keys.token, text)
        caller = self._callers.get(key) or await self._read(key, text)
        if caller.expires is not None and caller.expires <= self._clock.now():
            raise Unauthenticated(
                "this token has expired" if caller.token_id else "your session has ended; sign in again"
            )
        if caller.token_id:
            self._last_used.note(caller.token_id)
        return caller

    async def in_project(self, user: tables.User, name: str) -> tuple[str, Grants]:
        """The id of a project and what a user may do in it; a project they may not see is not there."""
        self._mind_the_time()
        key = (user.id, name)
        found = self._grants.get(key) or await self._read_grants(user, name)
        if not found[1].sees_project:
            raise NotFound(f"there is no project {name}")
        return found

    def _mind_the_time(self) -> None:
        if self._clock.monotonic() - self._since > FORGET_AFTER_S or max(len(self._callers), len(self._grants)) > MOST:
            self.forget()

    async def _read(self, key: str, text: str) -> Caller:
        turns = self._turns
        async with self._database.read() as session:
            if sessions.looks_like_one(text):
                caller = await _by_session(session, sessions.session_id(self._keys.session, text))
            else:
                caller = await _by_token(session, self._keys.digests(text))
        if turns == self._turns:
            self._callers[key] = caller
        return caller

    async def _read_grants(self, user: tables.User, name: str) -> tuple[str, Grants]:
        turns = self._turns
        async with self._database.read() as session:
            query = select(tables.Project).where(tables.Project.name == name)
            project = (await session.execute(query)).scalar_one_or_none()
            if project is None:
                raise NotFound(f"there is no project {name}")
            found = project.id, await access.grants(session, user, project)
        if turns == self._turns:
            self._grants[user.id, name] = found
        return found


async def _by_token(session: AsyncSession, digests: Sequence[str]) -> Caller:
    query = (
        select(tables.User, tables.Token)
        .join(tables.Token, tables.Token.user_id == tables.User.id)
        .where(tables.Token.digest.in_(digests), ~tables.Token.revoked)
    )
    found = (await session.execute(query)).one_or_none()
    if found is None:
        raise Unauthenticated("this token is not known, or it was revoked")
    user, token = found
    return Caller(user, token_id=token.id, expires=token.expires, lasting=token.expires)


async def _by_session(session: AsyncSession, session_id: str) -> Caller:
    query = (
        select(tables.User, tables.Session, tables.Token)
        .join(tables.Session, tables.Session.user_id == tables.User.id)
        .outerjoin(tables.Token, and_(tables.Token.id == tables.Session.token_id, ~tables.Token.revoked))
        .where(tables.Session.id == session_id)
    )
    found = (await session.execute(query)).one_or_none()
    if found is None:
        raise Unauthenticated("you are not signed in any more; sign in again")
    user, begun, token = found
    if begun.token_id is not None and token is None:
        raise Unauthenticated("the token that you signed in with was revoked; sign in again with another")
    lasting = token.expires if token is not None else None
    expires = min(begun.expires, lasting or begun.expires)
    return Caller(user, session_id=begun.id, expires=expires, way=begun.way, lasting=lasting)
