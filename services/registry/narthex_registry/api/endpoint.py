"""A handler whose signature is its contract.

    @endpoint("services.create")
    async def create(request, project: str, /, body: api.ServiceCreate) -> r201[api.ServiceDetail]:

The decorator says what the caller must be permitted (`needs`). Parameters before the slash come from the path, a
model is the body, the rest is the query string; the annotation of the result says the status. The same signature is
what /openapi.json is made of.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from functools import update_wrapper
from itertools import islice
from typing import Any, NoReturn, get_origin, get_type_hints

from aiohttp import web
from aiohttp_pydantic.decorator import inject_params
from pydantic import BaseModel, TypeAdapter, ValidationError

from narthex.contracts.errors import Invalid
from narthex_registry.api.needs import Needs, needs_of
from narthex_registry.api.preconditions import tagged
from narthex_registry.api.sentences import sentence

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

PORTION = 500  # models of a long list: some 4 ms


def endpoint(needs: str | Needs, *, counted: bool = True) -> Callable[[Callable[..., Awaitable[Any]]], Handler]:
    """Make an aiohttp handler of a function that returns models."""

    def made(handler: Callable[..., Awaitable[Any]]) -> Handler:
        injected = inject_params(on_validation_error=_refuse).and_request(handler)
        status = _status(handler)

        @needing(needs, counted=counted)
        async def answer(request: web.Request) -> web.StreamResponse:
            result = await injected(request)
            if isinstance(result, Iterator):
                return await long_list(result, status)
            return tagged(request, result if isinstance(result, web.StreamResponse) else rendered(result, status))

        update_wrapper(answer, handler)
        answer.is_aiohttp_pydantic_handler = True  # type: ignore[attr-defined]  # how its OpenAPI generator knows it
        return answer

    return made


def needing(needs: str | Needs, *, counted: bool = True) -> Callable[[Handler], Handler]:
    """Say what a plain aiohttp handler asks of its caller, and whether its calls count for the rate limit."""

    def marked(handler: Handler) -> Handler:
        handler.needs = needs_of(needs)  # type: ignore[attr-defined]  # read by `layers.who`
        handler.counted = counted  # type: ignore[attr-defined]  # read there too
        return handler

    return marked


def rendered(result: BaseModel | Sequence[BaseModel] | None, status: int) -> web.Response:
    """Models as a JSON answer."""
    if result is None:
        return web.Response(status=status)
    body = result.model_dump_json().encode() if isinstance(result, BaseModel) else _LIST.dump_json(list(result))
    return web.Response(body=body, status=status, content_type="application/json")


async def long_list(models: Iterator[BaseModel], status: int) -> web.Response:
    """What a generator of models makes as a JSON answer; others get their turn after each portion."""
    portions: list[bytes] = []
    while portion := list(islice(models, PORTION)):
        portions.append(_LIST.dump_json(portion)[1:-1])
        await asyncio.sleep(0)
    return web.Response(body=b"[" + b",".join(portions) + b"]", status=status, content_type="application/json")


_LIST: TypeAdapter[list[Any]] = TypeAdapter(list[Any])


async def _refuse(error: ValidationError, context: str) -> NoReturn:
    raise Invalid(sentence(error))


def _status(handler: Callable[..., Any]) -> int:
    """The status that `r201[Model]` or `r204` stands for."""
    answer = get_type_hints(handler)["return"]
    return int((get_origin(answer) or answer).__name__.removeprefix("r"))
