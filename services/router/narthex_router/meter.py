"""Answers how much of a service's limits is in use, for the API and whoever shows it. Any router knows it of all."""

from collections.abc import Awaitable, Callable

from narthex.contracts.queries import LimitAsked, LimitUse, LimitUseAnswer, LimitUseQuestion
from narthex.routing import LimitStore, concurrency_key, rate_key


def meter(budgets: LimitStore) -> Callable[[LimitUseQuestion], Awaitable[LimitUseAnswer]]:
    """What answers the question."""

    async def answer(question: LimitUseQuestion) -> LimitUseAnswer:
        uses = await budgets.use([(key_of(question.service_id, asked), asked.limit) for asked in question.limits])
        return LimitUseAnswer(
            uses=tuple(
                LimitUse(**asked.model_dump(), used=use.used, remaining=use.remaining, reset_s=use.reset_s)
                for asked, use in zip(question.limits, uses, strict=True)
            )
        )

    return answer


def key_of(service_id: str, asked: LimitAsked) -> str:
    """Where the budget of a limit is kept."""
    key = rate_key if asked.kind.startswith("rate_limit") else concurrency_key
    return key(service_id, asked.token_id)
