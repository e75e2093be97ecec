"""What a project uses, and how much it may: counts of rows, and the bounds that this release has."""

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from narthex.contracts import api
from narthex_registry import imported, own_tokens, roles, tables


async def usage(session: AsyncSession, project_id: str) -> api.ResourceUsage:
    deployments = select(tables.Deployment.id).where(tables.Deployment.project_id == project_id, imported.VISIBLE)
    counted = {}
    for name, those in {
        "deployments": tables.Deployment.id.in_(deployments),
        "deployment_versions": tables.Version.deployment_id.in_(deployments),
        "services": tables.Service.project_id == project_id,
        "instances": tables.Instance.project_id == project_id,
    }.items():
        counted[name] = (await session.execute(select(func.count()).where(those))).scalar_one()
    return api.ResourceUsage(**counted)


def quotas() -> list[api.QuotaDetail]:
    """The bounds there are; null: nothing is bounded but by the machine."""
    bounds = {"deployments": None, "deployment_versions": None, "services": None, "instances": None}
    return [
        *(api.QuotaDetail(resource=name, quota=bound) for name, bound in bounds.items()),
        api.QuotaDetail(resource="roles", quota=roles.MOST),
        api.QuotaDetail(resource="user_tokens", quota=own_tokens.MOST),
    ]
