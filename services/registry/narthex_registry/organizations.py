"""Organizations and who is in them. Their admins may do everything in their projects."""

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from narthex.contracts import api
from narthex.contracts.errors import Conflict, Forbidden, Invalid, NotFound
from narthex_registry import access, members, people, tables
from narthex_registry.database import Change
from narthex_registry.tables import Organization, OrganizationMember


async def seen_by(session: AsyncSession, user: tables.User) -> list[Organization]:
    """The organizations of a person, by name; an administrator sees all."""
    query = select(Organization).order_by(Organization.name)
    if not user.administrator:
        query = query.join(OrganizationMember).where(OrganizationMember.user_id == user.id)
    return list((await session.execute(query)).scalars())


async def find(session: AsyncSession, name: str) -> Organization:
    found = await _lookup(session, name)
    if found is None:
        raise NotFound(f"there is no organization {name}")
    return found


async def for_project_of(session: AsyncSession, user: tables.User, name: str) -> Organization:
    """The organization that a new project's `organization_name` names, for somebody who may create one there."""
    found = await _lookup(session, name)
    member = await _membership(session, found.id, user.id) if found is not None else None
    if found is None or not (member or user.administrator):
        raise Invalid(f"organization_name: there is no organization {name}")
    if not (user.administrator or (member and member.admin)):
        raise Forbidden(f"only an admin of the organization {name} may create projects in it")
    return found


async def create(change: Change, body: api.OrganizationCreate, creator_id: str) -> Organization:
    """A new organization, whose first admin is whoever creates it."""
    _no_second_factor(body)
    await _name_is_free(change.session, body.name)
    organization = Organization(name=body.name)
    change.session.add(organization)
    await change.session.flush()
    change.session.add(OrganizationMember(organization_id=organization.id, user_id=creator_id, admin=True))
    await access.refresh(change, [creator_id])
    return organization


async def update(change: Change, organization: Organization, body: api.OrganizationUpdate) -> None:
    _no_second_factor(body)
    if body.name is None and "name" in body.model_fields_set:
        raise Invalid("name: is required and cannot be cleared")
    if body.name is not None and body.name != organization.name:
        await _name_is_free(change.session, body.name)
        organization.name = body.name


async def users(session: AsyncSession, organization_id: str) -> list[api.OrganizationUserDetail]:
    query = _with_users(organization_id).order_by(OrganizationMember.id)
    return [user_detail(user, member) for user, member in await session.execute(query)]


async def find_user(
    session: AsyncSession, organization_id: str, user_id: str
) -> tuple[tables.User, OrganizationMember]:
    found = (await session.execute(_with_users(organization_id).where(tables.User.id == user_id))).one_or_none()
    if found is None:
        raise NotFound(f"there is no user {user_id} in this organization")
    return found[0], found[1]


async def add_user(
    change: Change, organization_id: str, body: api.OrganizationUserCreate, domain: str
) -> tuple[tables.User, OrganizationMember]:
    """Take somebody in. Who has no account yet gets one without a password, so the answer tells nobody who has."""
    user = await people.by_email(change.session, body.email) or await people.invite(change, body.email, domain)
    if await _membership(change.session, organization_id, user.id) is not None:
        raise Conflict(f"email: {user.email} is in the organization already")
    member = OrganizationMember(organization_id=organization_id, user_id=user.id, admin=body.admin)
    change.session.add(member)
    await access.refresh(change, [user.id])
    return user, member


async def update_user(change: Change, member: OrganizationMember, body: api.OrganizationUserUpdate) -> None:
    if body.admin is not None and body.admin != member.admin:
        member.admin = body.admin
        await access.refresh(change, [member.user_id])


async def remove_user(change: Change, member: OrganizationMember) -> None:
    """Let somebody go, from all of the organization's projects too."""
    await members.remove_from_organization(change, member.organization_id, member.user_id)
    await change.session.delete(member)
    await access.refresh(change, [member.user_id])


def detail(organization: Organization) -> api.OrganizationDetail:
    return api.OrganizationDetail(id=organization.id, name=organization.name, creation_date=organization.created)


def user_detail(user: tables.User, member: OrganizationMember) -> api.OrganizationUserDetail:
    return api.OrganizationUserDetail(
        id=user.id,
        email=user.email,
        name=user.name,
        surname=user.surname,
        admin=member.admin,
        status="active" if user.password_hash or user.administrator else "pending",
        join_date=member.created.date(),
    )


def _no_second_factor(body: api.OrganizationUpdate) -> None:
    if body.two_factor_authentication_forced:
        raise Invalid("two_factor_authentication_forced: there is no second factor here")


async def _membership(session: AsyncSession, organization_id: str, user_id: str) -> OrganizationMember | None:
    query = select(OrganizationMember).where(
        OrganizationMember.organization_id == organization_id, OrganizationMember.user_id == user_id
    )
    return (await session.execute(query)).scalar_one_or_none()


def _with_users(organization_id: str) -> Select[tables.User, OrganizationMember]:
    return (
        select(tables.User, OrganizationMember)
        .join(OrganizationMember, OrganizationMember.user_id == tables.User.id)
        .where(OrganizationMember.organization_id == organization_id)
    )


async def _lookup(session: AsyncSession, name: str) -> Organization | None:
    return (await session.execute(select(Organization).where(Organization.name == name))).scalar_one_or_none()


async def _name_is_free(session: AsyncSession, name: str) -> None:
    if await _lookup(session, name) is not None:
        raise Conflict(f"name: there is already an organization {name}")
