"""Service users: what programs are in a project. Each has one token."""

from datetime import datetime

from sqlalchemy import Select, and_, select
from sqlalchemy.ext.asyncio import AsyncSession

from narthex.contracts import api
from narthex.contracts.errors import Conflict, Forbidden, Invalid, NotFound
from narthex.contracts.events import TokenIssued
from narthex.contracts.ids import new_id
from narthex_registry import access, own_tokens, people, tables
from narthex_registry.database import Change
from narthex_registry.fields import given
from narthex_registry.tables import Token, User

TOKEN = "service user"  # noqa: S105 - the name of its token
_LONGEST_EMAIL = 254


async def listed(session: AsyncSession, project_id: str) -> list[tuple[User, Token | None]]:
    """The service users of a project, oldest first, each with its token."""
    return [(user, token) for user, token in await session.execute(_of(project_id).order_by(User.id))]


async def find(session: AsyncSession, project_id: str, user_id: str) -> tuple[User, Token | None]:
    found = (await session.execute(_of(project_id).where(User.id == user_id))).one_or_none()
    if found is None:
        raise NotFound(f"there is no service user {user_id}")
    return found[0], found[1]


async def create(
    change: Change, project: tables.Project, body: api.ServiceUserCreate, key: bytes, domain: str, now: datetime
) -> tuple[User, str]:
    """A service user without any role, and the text of its token."""
    _in_future(body.expiry_date, now)
    user_id = new_id()
    user = User(
        id=user_id,
        email=address(user_id, project.name, domain),
        name=body.name,
        description=body.description,
        expires=body.expiry_date,
        project_id=project.id,
    )
    change.session.add(user)
    await people.access_of_new(change, user)
    _, text = await own_tokens.issue(change, key, user, TOKEN, user.expires)
    return user, text


async def update(change: Change, user: User, token: Token | None, body: api.ServiceUserUpdate, now: datetime) -> None:
    _not_expired(user, now)
    values = given(body, required=(), defaults={})
    if "expiry_date" in values:
        _in_future(values["expiry_date"], now)
        values["expires"] = values.pop("expiry_date")
    for name, value in values.items():
        setattr(user, name, value)
    if token is not None and token.expires != user.expires:
        token.expires = user.expires
        change.facts.record(TokenIssued, token)


async def new_token(
    change: Change, project: tables.Project, user: User, caller_id: str, key: bytes, now: datetime
) -> str:
    """Another token in place of the one before, which is revoked in the same moment."""
    _not_expired(user, now)
    await _covered(change.session, project, user, caller_id)
    await own_tokens.revoke_all(change, user)
    _, text = await own_tokens.issue(change, key, user, TOKEN, user.expires)
    return text


def address(user_id: str, project: str, domain: str) -> str:
    """`<id>.<project>@serviceuser.<domain>`, short enough for an address."""
    host = f"@{people.SERVICE_USERS}.{domain}"
    return f"{user_id}.{project}"[: _LONGEST_EMAIL - len(host)] + host


def detail(user: User, used: datetime | None) -> api.ServiceUserDetail:
    """`used`: when its token was."""
    return api.ServiceUserDetail(
        id=user.id,
        email=user.email,
        name=user.name,
        description=user.description,
        creation_date=user.created,
        expiry_date=user.expires,
        token_last_used=used,
    )


def _of(project_id: str) -> Select[User, Token | None]:
    return (
        select(User, Token)
        .outerjoin(Token, and_(Token.user_id == User.id, ~Token.revoked))
        .where(User.project_id == project_id)
    )


def _in_future(expires: datetime | None, now: datetime) -> None:
    if expires is not None and expires <= now:
        raise Invalid("expiry_date: must be in the future")


def _not_expired(user: User, now: datetime) -> None:
    if user.expires is not None and user.expires <= now:
        raise Conflict(f"service user {user.name or user.id} has expired; delete it and create another")


async def _covered(session: AsyncSession, project: tables.Project, user: User, caller_id: str) -> None:
    """Whoever gets the token can do what the service user can: they must be able to do it already."""
    theirs = await access.grants_now(session, caller_id, project)
    for role in (await access.grants(session, user, project)).given:
        if lacking := theirs.lacking(role.permissions, role.resource_id):
            raise Forbidden(f"the service user has permissions that you do not have ({', '.join(lacking[:3])})")
