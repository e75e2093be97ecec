"""What a project uses, and how much it may: counts of rows, and the bounds that this release has."""

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from narthex.contracts import api
from narthex_registry import own_tokens, roles, tables


async def usage(session: AsyncSession, project_id: str) -> api.ResourceUsage:
    counted = {}
    for name, owner in {
        "deployments": tables.Deployment.project_id,
        "deployment_versions": tables.Version.project_id,
        "services": tables.Service.project_id,
        "instances": tables.Instance.project_id,
    }.items():
        query = select(func.count()).where(owner == project_id)
        counted[name] = (await session.execute(query)).scalar_one()
    return api.ResourceUsage(**counted)


def quotas() -> list[api.QuotaDetail]:
    """The bounds there are; null: nothing is bounded but by the machine."""
    bounds = {"deployments": None, "deployment_versions": None, "services": None, "instances": None}
    return [
        *(api.QuotaDetail(resource=name, quota=bound) for name, bound in bounds.items()),
        api.QuotaDetail(resource="roles", quota=roles.MOST),
        api.QuotaDetail(resource="user_tokens", quota=own_tokens.MOST),
    ]
