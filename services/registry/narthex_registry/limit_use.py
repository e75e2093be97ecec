"""How much of a service's limits is in use: the registry knows the limits, the routers the use."""

from collections.abc import Iterator, Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from narthex.contracts import api
from narthex.contracts.queries import LimitAsked, LimitUse
from narthex_registry import tables


def of_service(service: tables.Service) -> Iterator[LimitAsked]:
    """The limits that hold for all callers together."""
    if service.rate_limit is not None:
        yield LimitAsked(kind="rate_limit_total", limit=service.rate_limit)
    if service.concurrency_limit is not None:
        yield LimitAsked(kind="concurrency_total", limit=service.concurrency_limit)


def of_user(service: tables.Service, user_id: str, tokens: Sequence[tables.Token]) -> Iterator[LimitAsked]:
    """The limits that hold for each of a user's tokens: the user's own, else the service's default for users."""
    rate = service.user_rate_limits.get(user_id, service.rate_limit_user_default)
    flight = service.user_concurrency_limits.get(user_id, service.concurrency_limit_user_default)
    for token in tokens:
        if rate is not None:
            yield LimitAsked(kind="rate_limit_user", limit=rate, token_id=token.id)
        if flight is not None:
            yield LimitAsked(kind="concurrency_user", limit=flight, token_id=token.id)


async def tokens_of(session: AsyncSession, user_id: str) -> Sequence[tables.Token]:
    """The tokens that a user can call with."""
    query = select(tables.Token).where(tables.Token.user_id == user_id, ~tables.Token.revoked)
    return (await session.execute(query.order_by(tables.Token.id))).scalars().all()


def shown(use: LimitUse, tokens: Sequence[tables.Token]) -> api.LimitUse:
    names = {token.id: token.name for token in tokens}
    return api.LimitUse(
        kind=use.kind,
        limit=use.limit,
        used=use.used,
        remaining=use.remaining,
        reset_seconds=use.reset_s,
        token_id=use.token_id or None,
        token_name=names.get(use.token_id) or None,
    )
