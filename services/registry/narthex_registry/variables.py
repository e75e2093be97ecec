"""Environment variables of projects, deployments and versions.

They are kept for whoever starts the instances and asks for them; scripts written for UbiOps set them before they
upload anything. A version inherits those of its deployment, and both those of the project. The value of a secret one
is sealed and never shown.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from narthex.contracts import api
from narthex.contracts.errors import Conflict, Invalid, NotFound
from narthex.contracts.ids import new_id
from narthex.runtime.sealing import Sealer
from narthex_registry import tables
from narthex_registry.database import Change
from narthex_registry.tables import EnvironmentVariable

MOST = 200  # of one owner


@dataclass(frozen=True)
class Owner:
    """What a variable belongs to."""

    project_id: str
    type: str  # project | deployment | version
    id: str
    name: str


async def inherited(session: AsyncSession, owners: Sequence[Owner]) -> list[api.EnvironmentVariable]:
    """The variables of the first owner, and those that it has from the others and does not set itself."""
    found: dict[str, api.EnvironmentVariable] = {}
    for owner in owners:
        for row in await _of(session, owner):
            found.setdefault(row.name, shown(row, owner if owner is not owners[0] else None))
    return [found[name] for name in sorted(found)]


async def create(
    change: Change, owner: Owner, body: api.EnvironmentVariableCreate, sealer: Sealer
) -> EnvironmentVariable:
    there = await _of(change.session, owner)
    if body.name in {row.name for row in there}:
        raise Conflict(f"name: {owner.type} {owner.name} already has an environment variable {body.name}")
    if len(there) >= MOST:
        raise Conflict(f"{owner.type} {owner.name} has {MOST} environment variables, which is the most there can be")
    row = EnvironmentVariable(
        id=new_id(), project_id=owner.project_id, owner_type=owner.type, owner_id=owner.id, name=body.name,
        value="", is_secret=body.secret,
    )  # fmt: skip
    _set(row, body.value or "", sealer)
    change.session.add(row)
    await change.session.flush()
    return row


async def update(
    change: Change, owner: Owner, row: EnvironmentVariable, body: api.EnvironmentVariableCreate, sealer: Sealer
) -> None:
    """Set a variable anew. Without a value a secret one keeps its own: it was never shown, so it cannot be repeated."""
    if body.name != row.name and body.name in {each.name for each in await _of(change.session, owner)}:
        raise Conflict(f"name: {owner.type} {owner.name} already has an environment variable {body.name}")
    value = body.value if body.value is not None else value_of(row, sealer)
    row.name, row.is_secret = body.name, body.secret
    _set(row, value, sealer)
    await change.session.flush()


async def copy(change: Change, source: Owner, target: Owner, sealer: Sealer) -> list[EnvironmentVariable]:
    """Give a target the variables of a source; those that it has already are set anew."""
    if source.id == target.id:
        raise Invalid("source_deployment: must be another one than the target")
    there = {row.name: row for row in await _of(change.session, target)}
    for row in await _of(change.session, source):
        body = api.EnvironmentVariableCreate(name=row.name, value=value_of(row, sealer), secret=row.is_secret)
        if row.name in there:
            await update(change, target, there[row.name], body, sealer)
        else:
            await create(change, target, body, sealer)
    return list(await _of(change.session, target))


async def find(session: AsyncSession, owner: Owner, id: str) -> EnvironmentVariable:
    found = await session.get(EnvironmentVariable, id)
    if found is None or found.owner_id != owner.id:
        raise NotFound(f"{owner.type} {owner.name} has no environment variable {id}")
    return found


async def remove_all(change: Change, owner_id: str) -> None:
    """The owner goes: so do its variables."""
    query = select(EnvironmentVariable).where(EnvironmentVariable.owner_id == owner_id)
    for row in (await change.session.execute(query)).scalars().all():
        await change.session.delete(row)


def shown(row: EnvironmentVariable, source: Owner | None = None) -> api.EnvironmentVariable:
    """A variable as answers show it; `source` is what it is inherited from."""
    return api.EnvironmentVariable(
        id=row.id,
        name=row.name,
        value=None if row.is_secret else row.value,
        secret=row.is_secret,
        inheritance_type=source.type if source is not None else None,
        inheritance_name=source.name if source is not None else None,
    )


def value_of(row: EnvironmentVariable, sealer: Sealer) -> str:
    return sealer.open(row.value, _context(row)).decode() if row.is_secret else row.value


def seal_anew(row: EnvironmentVariable, sealer: Sealer) -> None:
    """Have a secret one's value sealed under the present key."""
    if row.is_secret:
        row.value = sealer.renewed(row.value, _context(row))


def _set(row: EnvironmentVariable, value: str, sealer: Sealer) -> None:
    row.value = sealer.seal(value.encode(), _context(row)) if row.is_secret else value


def _context(row: EnvironmentVariable) -> str:
    return f"variable:{row.id}"


async def _of(session: AsyncSession, owner: Owner) -> Sequence[EnvironmentVariable]:
    query = select(EnvironmentVariable).where(EnvironmentVariable.owner_id == owner.id)
    return (await session.execute(query.order_by(EnvironmentVariable.name))).scalars().all()


def owners_of(
    project: tables.Project, deployment: tables.Deployment | None = None, version: tables.Version | None = None
) -> list[Owner]:
    """What a path names, innermost first: the later ones are inherited from."""
    found = [Owner(project.id, "project", project.id, project.name)]
    if deployment is not None:
        found.insert(0, Owner(project.id, "deployment", deployment.id, deployment.name))
    if version is not None:
        found.insert(0, Owner(project.id, "version", version.id, version.name))
    return found
