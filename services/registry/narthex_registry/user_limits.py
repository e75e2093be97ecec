"""Limits of single users at a service, in place of the service's defaults for users.

The rows are the truth. The service carries them by user id as well, because that is what its events tell routers:
every change here is a change of the service.
"""

from enum import StrEnum

from sqlalchemy import ColumnElement, Select, bindparam, delete, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from narthex.contracts import api
from narthex.contracts.errors import Conflict, Invalid, NotFound
from narthex.contracts.events import ServiceUpdated
from narthex_registry import tables
from narthex_registry.database import Change


class Kind(StrEnum):
    RATE = "rate"  # requests a minute
    CONCURRENCY = "concurrency"  # requests in flight


# The service's column that carries the limits of a kind.
# Of the table, not of the class: nobody holds such rows, and the session would look for them.
_OF_SERVICE = delete(tables.Base.metadata.tables[tables.UserLimit.__tablename__]).where(
    tables.UserLimit.service_id == bindparam("service_id")
)
_CARRIED = {Kind.RATE: "user_rate_limits", Kind.CONCURRENCY: "user_concurrency_limits"}


async def listed(session: AsyncSession, service: tables.Service, kind: Kind) -> list[api.UserLimitDetail]:
    """The limits of a kind at a service, oldest first."""
    query = _with_email().where(*_of(service, kind)).order_by(tables.UserLimit.id)
    return [detail(limit, email) for limit, email in await session.execute(query)]


async def find(
    session: AsyncSession, service: tables.Service, kind: Kind, user_id: str
) -> tuple[tables.UserLimit, str]:
    """A user's limit, and the user's e-mail."""
    query = _with_email().where(*_of(service, kind), tables.UserLimit.user_id == user_id.lower())
    found = (await session.execute(query)).one_or_none()
    if found is None:
        raise NotFound(f"service {service.name} has no {kind} limit for user {user_id}")
    limit, email = found
    return limit, email


async def create(
    change: Change, service: tables.Service, kind: Kind, body: api.UserLimitCreate
) -> tuple[tables.UserLimit, str]:
    user = await _user(change.session, service.project_id, body.user_id)
    taken = select(tables.UserLimit.id).where(*_of(service, kind), tables.UserLimit.user_id == user.id)
    if (await change.session.execute(taken)).first() is not None:
        raise Conflict(f"user_id: service {service.name} already has a {kind} limit for this user; change that one")
    limit = tables.UserLimit(
        project_id=service.project_id, service_id=service.id, user_id=user.id, kind=kind.value, limit=body.limit
    )
    change.session.add(limit)
    _carry(change, service, kind, user.id, body.limit)
    await change.session.flush()
    return limit, user.email


def update(change: Change, service: tables.Service, limit: tables.UserLimit, body: api.UserLimitUpdate) -> None:
    """An absent limit stays; a user without one has no row, so null cannot be meant."""
    if body.limit is None:
        if "limit" in body.model_fields_set:
            raise Invalid("limit: cannot be cleared; delete the user's limit instead")
        return
    if body.limit != limit.limit:
        limit.limit = body.limit
        _carry(change, service, Kind(limit.kind), limit.user_id, body.limit)


async def remove(change: Change, service: tables.Service, limit: tables.UserLimit) -> None:
    _carry(change, service, Kind(limit.kind), limit.user_id, None)
    await change.session.delete(limit)


async def forget_service(change: Change, service: tables.Service) -> None:
    """The service goes, and the limits at it; its own event says enough."""
    await change.session.execute(_OF_SERVICE, {"service_id": service.id})


async def forget_user(change: Change, user_id: str, project_id: str | None = None) -> None:
    """A user goes, or leaves a project: so do their limits there."""
    query = (
        select(tables.UserLimit, tables.Service)
        .join(tables.Service, tables.Service.id == tables.UserLimit.service_id)
        .where(tables.UserLimit.user_id == user_id)
    )
    if project_id is not None:
        query = query.where(tables.UserLimit.project_id == project_id)
    for limit, service in (await change.session.execute(query)).all():
        await remove(change, service, limit)
    await change.session.flush()


def detail(limit: tables.UserLimit, email: str) -> api.UserLimitDetail:
    return api.UserLimitDetail(id=limit.id, user_id=limit.user_id, user_email=email, limit=limit.limit)


def carried(held: dict[str, int], user_id: str, limit: int | None) -> dict[str, int]:
    """The limits that a service carries after one was set, or taken away."""
    rest = {key: value for key, value in held.items() if key != user_id}
    return rest if limit is None else rest | {user_id: limit}


def _carry(change: Change, service: tables.Service, kind: Kind, user_id: str, limit: int | None) -> None:
    setattr(service, _CARRIED[kind], carried(getattr(service, _CARRIED[kind]), user_id, limit))
    change.facts.record(ServiceUpdated, service)


async def _user(session: AsyncSession, project_id: str, user_id: str) -> tables.User:
    """The user that a request's `user_id` names: one who can get into the project at all."""
    query = select(tables.User).where(tables.User.id == user_id, _enters(project_id))
    user = (await session.execute(query)).scalar_one_or_none()
    if user is None:
        raise Invalid(f"user_id: there is no user {user_id} in this project")
    return user


def _enters(project_id: str) -> ColumnElement[bool]:
    """A user who may see a project: an administrator, a service user of it, a member, or an organization's admin."""
    members = select(tables.ProjectMember.user_id).where(tables.ProjectMember.project_id == project_id)
    organization = select(tables.Project.organization_id).where(tables.Project.id == project_id).scalar_subquery()
    admins = select(tables.OrganizationMember.user_id).where(
        tables.OrganizationMember.organization_id == organization, tables.OrganizationMember.admin
    )
    return or_(
        tables.User.administrator,
        tables.User.project_id == project_id,
        tables.User.id.in_(members),
        tables.User.id.in_(admins),
    )


def _of(service: tables.Service, kind: Kind) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return tables.UserLimit.service_id == service.id, tables.UserLimit.kind == kind.value


def _with_email() -> Select[tables.UserLimit, str]:
    return select(tables.UserLimit, tables.User.email).join(tables.User, tables.User.id == tables.UserLimit.user_id)
