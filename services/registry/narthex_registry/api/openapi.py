"""/openapi.json (OpenAPI 3.1): what the handlers' signatures, their needs and their first lines of text say. Pure.

Pydantic's schemas are OpenAPI 3.1 as they are. Which errors an operation can answer follows from what is done before
and by every handler of its kind, so it is said here once and not beside each.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from http import HTTPStatus
from types import CodeType
from typing import Any, get_args, get_origin

from aiohttp import web
from pydantic import BaseModel, TypeAdapter
from pydantic.json_schema import JsonSchemaMode

from narthex.contracts.api import ErrorBody, RevisionUploaded
from narthex.runtime.release import VERSION
from narthex_registry.api.examples import minimal
from narthex_registry.api.needs import Standing, in_words
from narthex_registry.api.preconditions import about
from narthex_registry.api.signature import Body, Signature

Json = dict[str, Any]

_REFERENCE = "#/components/schemas/{model}"
_CHANGING = {"POST", "PUT", "PATCH", "DELETE"}
_ERRORS = {
    400: "What is wrong with the request, naming the field",
    401: "The token is missing, unknown or expired",
    403: "The caller may see this, but not do it",
    404: "There is no such thing, or the caller may not see it",
    409: "Something else stands in the way, like a name that is taken",
    412: "It has changed since it was read: If-Match names another revision",
    413: "The body is larger than 1 MiB",
    429: "Too many requests; Retry-After says how long to wait",
    501: "Narthex does not have this; the sentence says what takes its place",
    503: "Something that this needs is away just now",
}
_HEADERS: dict[str, Json] = {
    "x-request-id": {"description": "Names the request in logs and audit events", "schema": {"type": "string"}},
    "etag": {"description": "The revision of what is shown, for If-Match", "schema": {"type": "string"}},
    "retry-after": {"description": "Seconds to wait", "schema": {"type": "integer"}},
    "www-authenticate": {"description": "How to authenticate", "schema": {"type": "string"}},
    **{
        f"x-ratelimit-{what}": {"description": said, "schema": {"type": "integer"}}
        for what, said in {
            "limit": "Requests a minute",
            "remaining": "Requests that are left",
            "reset": "Seconds until all of them are there again, or until a refused caller may ask again",
        }.items()
    },
}
_IF_MATCH = {
    "name": "If-Match",
    "in": "header",
    "required": False,
    "description": "Change only the revision with this ETag",
    "schema": {"type": "string", "pattern": r'^(\*|(W/)?"[!#-~]*"(, ?(W/)?"[!#-~]*")*)$'},
    "example": '"3"',
}
# Of an event stream; what its `data` are is said by `x-messages`, where it is always the same.
_EVENT: Json = {
    "type": "object",
    "properties": {name: {"type": "string"} for name in ("event", "data", "id")},
}
_SECURITY = {
    "token": {
        "type": "apiKey",
        "in": "header",
        "name": "Authorization",
        "description": "`Token NX_…`, the token of a person or a service user",
    },
    "bearer": {"type": "http", "scheme": "bearer", "description": "What /authorize gives, or a token"},
}


def openapi(routes: Iterable[web.RouteDef], prefix: str) -> Json:
    """The document about these routes; those for every method say what is not here, and are left out."""
    described = [route for route in routes if _is_described(route.handler)]
    schemas: dict[str, Json] = {}
    paths: dict[str, Json] = defaultdict(dict)
    for route in described:
        paths[prefix + route.path][route.method.lower()] = _operation(route, schemas)
    schemas = dict(sorted(schemas.items()))
    for item in paths.values():
        for operation in item.values():
            _give_example(operation, schemas)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Narthex",
            "version": VERSION,
            "summary": "Expose deployments as HTTPS services",
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": tag} for tag in dict.fromkeys(_tag(route.handler) for route in described)],
        "paths": dict(paths),
        "components": {"schemas": schemas, "headers": _HEADERS, "securitySchemes": _SECURITY},
        "security": [{"token": []}, {"bearer": []}],
    }


def _is_described(handler: Any) -> bool:
    return not handler.__module__.endswith(".elsewhere")


def _operation(route: web.RouteDef, schemas: dict[str, Json]) -> Json:
    handler: Any = route.handler
    said = " ".join((handler.__doc__ or "").split("\n\n")[0].split())
    signature: Signature | None = getattr(handler, "signature", None)
    conditional = _asks_for_revision(handler)
    operation: Json = {
        "operationId": f"{handler.__module__.rpartition('.')[2]}_{handler.__name__}{_variant(route.path)}",
        "tags": [_tag(handler)],
        "summary": said.split(". ")[0].rstrip("."),
        "description": "\n\n".join(" ".join(part.split()) for part in (handler.__doc__ or "").split("\n\n")),
        "x-needs": in_words(handler.needs),
        "parameters": [*_parameters(route, signature, conditional, schemas)],
    }
    if (body := _body(handler, signature, schemas)) is not None:
        operation["requestBody"] = body
    operation["responses"] = {
        **_success(signature, handler, conditional, schemas),
        **_failures(route.method, handler, conditional and route.method in {"PATCH", "DELETE"}, schemas),
    }
    if handler.needs is Standing.ANYBODY:
        operation["security"] = []
    if handler.messages:
        operation["x-messages"] = {
            event: _schema(model, "serialization", schemas) for event, model in handler.messages.items()
        }
    return operation


def _tag(handler: Any) -> str:
    tag: str = handler.__module__.rpartition(".")[2].replace("_", " ")
    return tag


def _variant(path: str) -> str:
    """Two kinds of limits share their handlers' names."""
    return "_of_concurrency" if "user-concurrency-limits" in path else ""


def _asks_for_revision(handler: Any) -> bool:
    """Whether a handler says which row it is about: its code calls `preconditions.about`."""
    function = getattr(handler, "__wrapped__", handler)
    return _calls(function.__code__, about.__name__)


def _calls(code: CodeType, name: str) -> bool:
    """Whether code uses a name, or a function that is defined in it does."""
    inner = (each for each in code.co_consts if isinstance(each, CodeType))
    return name in code.co_names or any(_calls(each, name) for each in inner)


def _parameters(
    route: web.RouteDef, signature: Signature | None, conditional: bool, schemas: dict[str, Json]
) -> Iterator[Json]:
    for part in route.path.split("/"):
        if part.startswith("{"):
            name = part.strip("{}")
            schema = {"type": "string", "minLength": 1, "pattern": r"^[^/\x00]+$"}
            yield {"name": name, "in": "path", "required": True, "schema": schema}
    if signature is not None and signature.query is not None:
        query = _schema(signature.query, "validation", schemas, inline=True)
        for name, schema in query["properties"].items():
            yield {"name": name, "in": "query", "required": name in query.get("required", []), "schema": schema}
    if conditional and route.method in {"PATCH", "DELETE"}:
        yield _IF_MATCH


def _body(handler: Any, signature: Signature | None, schemas: dict[str, Json]) -> Json | None:
    if getattr(handler, "reads_body_itself", False):
        file = {"type": "object", "properties": {"file": {"type": "string", "format": "binary"}}}
        return {"required": False, "content": {"multipart/form-data": {"schema": file}}}
    if signature is None or signature.body is None:
        return None
    taken: Body = signature.body
    return {
        "required": taken.required,
        "content": {"application/json": {"schema": _schema(taken.model, "validation", schemas)}},
    }


def _success(signature: Signature | None, handler: Any, conditional: bool, schemas: dict[str, Json]) -> Json:
    status, media, schema = 200, "text/event-stream", _EVENT
    if getattr(handler, "reads_body_itself", False):
        status, media, schema = 201, "application/json", _schema(RevisionUploaded, "serialization", schemas)
    elif signature is not None:
        status, media, schema = signature.status, *_answer(signature.answer, schemas)
    headers = ["x-request-id", *_ratelimit(handler), *(["etag"] if conditional and status in (200, 201) else [])]
    answer: Json = {"description": HTTPStatus(status).phrase, "headers": _headers(headers)}
    if media:
        answer["content"] = {media: {"schema": schema}}
    return {str(status): answer}


def _answer(answer: Any, schemas: dict[str, Json]) -> tuple[str, Json]:
    """The media type of an answer and its schema."""
    if answer is type(None):
        return "", {}
    if answer is web.Response:
        return "application/octet-stream", {"type": "string", "format": "binary"}
    if get_origin(answer) not in (None, list) and len(get_args(answer)) == 1:  # what iterates is sent as a list
        answer = list[get_args(answer)[0]]  # type: ignore[misc]  # made of values
    return "application/json", _schema(answer, "serialization", schemas)


def _failures(method: str, handler: Any, conditional: bool, schemas: dict[str, Json]) -> Json:
    return {str(status): _failure(status, schemas) for status in sorted(_statuses(method, handler, conditional))}


def _statuses(method: str, handler: Any, conditional: bool) -> set[int]:
    """The errors that an operation can answer."""
    found = {400, 404, 429, 503}
    if handler.needs is not Standing.ANYBODY:
        found |= {401, 403}
    if method in _CHANGING:
        found |= {401, 403, 409, 413, 501}
    return found | ({412} if conditional else set())


def _failure(status: int, schemas: dict[str, Json]) -> Json:
    names = ["x-request-id", *{401: ["www-authenticate"], 429: ["retry-after", "x-ratelimit-reset"]}.get(status, [])]
    return {
        "description": _ERRORS[status],
        "headers": _headers(names),
        "content": {"application/json": {"schema": _schema(ErrorBody, "serialization", schemas)}},
    }


def _ratelimit(handler: Any) -> Sequence[str]:
    return [name for name in _HEADERS if name.startswith("x-ratelimit")] if handler.counted else []


def _headers(names: Iterable[str]) -> Json:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def _schema(kind: Any, mode: JsonSchemaMode, schemas: dict[str, Json], *, inline: bool = False) -> Json:
    """A reference to the schema of a model, or the schema itself; what it refers to is added to `schemas`."""
    schema = TypeAdapter(kind).json_schema(mode=mode, ref_template=_REFERENCE)
    schemas.update(schema.pop("$defs", {}))
    if inline or not (isinstance(kind, type) and issubclass(kind, BaseModel)):
        return schema
    schemas[kind.__name__] = schema
    return {"$ref": _REFERENCE.format(model=kind.__name__)}


def _give_example(operation: Json, schemas: Mapping[str, Json]) -> None:
    content = operation.get("requestBody", {}).get("content", {}).get("application/json")
    if content is not None:
        content["example"] = minimal(content["schema"], schemas)
