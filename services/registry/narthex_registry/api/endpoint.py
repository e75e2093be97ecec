"""A handler whose signature is its contract.

    @endpoint("services.create")
    async def create(request, project: str, /, body: api.ServiceCreate) -> r201[api.ServiceDetail]:

The decorator says what the caller must be permitted (`needs`); how the signature is read stands in `signature`.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from functools import update_wrapper
from itertools import islice
from typing import Any

from aiohttp import web
from pydantic import BaseModel, TypeAdapter, ValidationError

from narthex.contracts.errors import Invalid
from narthex.contracts.sentences import sentence
from narthex_registry.api.needs import Needs, needs_of
from narthex_registry.api.preconditions import tagged
from narthex_registry.api.signature import Signature
from narthex_registry.api.state import BODY, TOTAL

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

PORTION = 500  # models of a long list: some 4 ms


def endpoint(needs: str | Needs, *, counted: bool = True) -> Callable[[Callable[..., Awaitable[Any]]], Handler]:
    """Make an aiohttp handler of a function that returns models."""

    def made(handler: Callable[..., Awaitable[Any]]) -> Handler:
        signature = Signature.of(handler)

        @needing(needs, counted=counted)
        async def answer(request: web.Request) -> web.StreamResponse:
            path = request.match_info
            arguments = _arguments(signature, request)
            result = await handler(request, *(path[name] for name in signature.path), **arguments)
            if isinstance(result, Iterator):
                return counted_out(request, await long_list(result, signature.status))
            whole = result if isinstance(result, web.StreamResponse) else rendered(result, signature.status)
            return tagged(request, whole)

        update_wrapper(answer, handler)
        answer.signature = signature  # type: ignore[attr-defined]  # what /openapi.json is made of
        return answer

    return made


def counted_out(request: web.Request, response: web.Response) -> web.Response:
    """A page of a list with how many there are on all of them."""
    if TOTAL in request:
        response.headers["x-total-count"] = str(request[TOTAL])
    return response


def _arguments(signature: Signature, request: web.Request) -> dict[str, Any]:
    """Query and body of a request as the handler takes them, or what is wrong with them."""
    try:
        arguments = dict(signature.read_query(request.query))
        if signature.body is not None:
            if BODY in request:
                arguments[signature.body.name] = signature.body.model.model_validate(request[BODY])
            elif signature.body.required:
                raise Invalid("the body must be a JSON object")
    except ValidationError as error:
        raise Invalid(sentence(error)) from None
    return arguments


def needing(
    needs: str | Needs, *, counted: bool = True, messages: Mapping[str, type[BaseModel]] | None = None
) -> Callable[[Handler], Handler]:
    """Say what a plain aiohttp handler asks of its caller, whether its calls count for the rate limit, and what its
    event stream has as data by event."""

    def marked(handler: Handler) -> Handler:
        handler.needs = needs_of(needs)  # type: ignore[attr-defined]  # read by `layers.who`
        handler.counted = counted  # type: ignore[attr-defined]  # read there too
        handler.messages = messages or {}  # type: ignore[attr-defined]  # what /openapi.json is made of
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
