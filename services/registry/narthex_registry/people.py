"""People: accounts of this installation, made by administrators, by invitation, or by themselves if that is allowed."""

from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from narthex.contracts import api
from narthex.contracts.errors import Conflict, Invalid, NotFound
from narthex.contracts.events import AccessChanged
from narthex_registry import access, own_tokens, sessions, tables, user_limits
from narthex_registry.database import Change
from narthex_registry.fields import given
from narthex_registry.tables import User

SERVICE_USERS = "serviceuser"  # the label in front of the domain in service users' addresses


async def listed(session: AsyncSession) -> list[User]:
    return list((await session.execute(select(User).where(User.project_id.is_(None)).order_by(User.email))).scalars())


async def find(session: AsyncSession, user_id: str) -> User:
    user = await session.get(User, user_id)
    if user is None or user.project_id is not None:
        raise NotFound(f"there is no user {user_id}")
    return user


async def by_email(session: AsyncSession, email: str) -> User | None:
    return (await session.execute(select(User).where(User.email == email))).scalar_one_or_none()


async def create(change: Change, body: api.UserCreate, password_hash: str, domain: str) -> User:
    _not_a_service_users(body.email, domain)
    if await by_email(change.session, body.email) is not None:
        raise Conflict(f"email: there is already a user {body.email}")
    return await _add(change, User(email=body.email, name=body.name, surname=body.surname, password_hash=password_hash))


async def invite(change: Change, email: str, domain: str) -> User:
    """An account that nobody can sign in with before an administrator gives it a password."""
    _not_a_service_users(email, domain)
    return await _add(change, User(email=email))


async def update(
    change: Change, user: User, body: api.UserUpdate | api.PersonUpdate, password_hash: str | None, *, session: str = ""
) -> None:
    """Change somebody. Another password ends all their sessions, but for the one it was set in."""
    fixed = {"password", "current_password"} if isinstance(body, api.UserUpdate) else {"administrator"}
    values: dict[str, Any] = given(body, required=fixed, defaults={})
    values.pop("current_password", None)
    if "password" in values:
        del values["password"]
        values["password_hash"] = password_hash
        await sessions.end(change, user.id, but=session)
    administrator = values.get("administrator", user.administrator)
    if user.administrator and not administrator:
        await _another_administrator(change.session, user)
    changed = administrator != user.administrator
    for name, value in values.items():
        setattr(user, name, value)
    if changed:
        await access.refresh(change, [user.id])


async def delete(change: Change, user: User) -> None:
    """Delete somebody with all they have: tokens, sessions, memberships, roles, limits."""
    if user.administrator:
        await _another_administrator(change.session, user)
    await end(change, user)


async def end(change: Change, user: User) -> None:
    """The end of a person or a service user: nothing of theirs is good for anything any more."""
    await own_tokens.revoke_all(change, user)
    await sessions.end(change, user.id)
    await user_limits.forget_user(change, user.id)
    for table in (tables.OrganizationMember, tables.ProjectMember):
        for member in (await change.session.execute(select(table).where(table.user_id == user.id))).scalars().all():
            await change.session.delete(member)
    user.administrator = False
    await access.withdraw(change, tables.RoleAssignment.assignee_id == user.id)
    user.access = {}
    change.facts.record(AccessChanged, user)
    await change.session.flush()
    await change.session.delete(user)


def detail(user: User) -> api.UserDetail:
    return api.UserDetail(
        id=user.id,
        email=user.email,
        name=user.name,
        surname=user.surname,
        registration_date=user.created,
        authentication="ubiops" if user.password_hash else "token",
        administrator=user.administrator,
    )


async def _add(change: Change, user: User) -> User:
    change.session.add(user)
    await access_of_new(change, user)
    return user


async def access_of_new(change: Change, user: User) -> None:
    """Say that there is somebody who may call nothing yet: routers know the name then."""
    await change.session.flush()
    change.facts.record(AccessChanged, user)


def _not_a_service_users(email: str, domain: str) -> None:
    """People and service users can be told apart by their addresses."""
    if email.endswith(f"@{SERVICE_USERS}.{domain}"):
        raise Invalid(f"email: addresses at {SERVICE_USERS}.{domain} are for service users")


async def _another_administrator(session: AsyncSession, user: User) -> None:
    query = select(func.count()).where(User.administrator, User.id != user.id)
    if not (await session.execute(query)).scalar_one():
        raise Conflict(f"{user.email} is the last administrator; make somebody else one first")
