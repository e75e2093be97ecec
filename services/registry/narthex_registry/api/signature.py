"""What a handler's signature says: names in the path before the slash, a model as the body, the rest the query.

    async def update(request, project: str, service: str, /, body: api.ServiceUpdate) -> r200[api.ServiceDetail]:

`Signature` reads it once; requests are then read by it, and /openapi.json is made of it.
"""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, NamedTuple, TypeVar, get_args, get_type_hints

from multidict import MultiMapping
from pydantic import BaseModel, create_model

T = TypeVar("T")


@dataclass(frozen=True)
class Status:
    """The status of an answer, as an annotation of its type."""

    code: int


r200 = Annotated[T, Status(200)]
r201 = Annotated[T, Status(201)]
r204 = Annotated[None, Status(204)]


class Body(NamedTuple):
    """The parameter that a request's body is given to."""

    name: str
    model: type[BaseModel]
    required: bool


@dataclass(frozen=True)
class Signature:
    """A handler's contract."""

    path: tuple[str, ...]
    body: Body | None
    query: type[BaseModel] | None
    status: int
    answer: Any  # a model, a list or iterator of models, a Response (it is a file), or None
    defaults: Mapping[str, Any] | None  # of the query, where a request need not have one

    @classmethod
    def of(cls, handler: Callable[..., Any]) -> "Signature":
        hints = get_type_hints(handler, include_extras=True)
        path, body = [], None
        query: dict[str, Any] = {}
        for name, parameter in list(inspect.signature(handler).parameters.items())[1:]:  # the first is the request
            kind = hints[name]
            if parameter.kind is parameter.POSITIONAL_ONLY:
                path.append(name)
            elif (model := _model(kind)) is not None:
                body = Body(name, model, required=parameter.default is parameter.empty)
            else:
                query[name] = (kind, ... if parameter.default is parameter.empty else parameter.default)
        answer, status = get_args(hints["return"])
        asked: Any = create_model("Query", **query) if query else None
        needed = asked is None or any(field.is_required() for field in asked.model_fields.values())
        return cls(tuple(path), body, asked, status.code, answer, None if needed else dict(asked()))

    def read_query(self, query: MultiMapping[str]) -> Mapping[str, Any]:
        """The query's parameters by name. What nobody asked for is passed over: clients send more than they need."""
        if self.query is None:
            return {}
        if not query and self.defaults is not None:
            return self.defaults
        given = {name: values if len(values := query.getall(name)) > 1 else values[0] for name in query}
        return dict(self.query.model_validate(given))


def _model(kind: Any) -> type[BaseModel] | None:
    """The model that a parameter is of, be it optional; None: it is no body."""
    found = [each for each in (kind, *get_args(kind)) if isinstance(each, type) and issubclass(each, BaseModel)]
    return found[0] if found else None
