"""Examples of a schema's values. Pure."""

from collections.abc import Mapping
from typing import Any

Schema = Mapping[str, Any]
Schemas = Mapping[str, Schema]

_DEEPEST = 5
_BY_NAME: dict[str, Any] = {
    "id": "0197b3f0-5c1e-7d3a-9f40-2a6d1e8c4b7f",
    "user_id": "0197b3f0-5c1e-7d3a-9f40-2a6d1e8c4b7f",
    "name": "web",
    "email": "ada@example.org",
    "deployment": "hello",
    "version": "v1",
    "project": "default",
    "organization_name": "default",
    "port": 9000,
    "address": "10.0.0.7",
    "password": "correct horse battery",
    "url": "https://example.org/hook",
    "endpoint": "https://<id>.services.example.org",
    "error": "name: there is already a service web",
    "code": "conflict",
}
_BY_FORMAT = {"date-time": "2026-01-31T12:00:00Z", "date": "2026-01-31"}
_BY_TYPE = {"string": "text", "integer": 1, "number": 1.0, "boolean": True, "null": None}


def example(schema: Schema, schemas: Schemas, name: str = "", depth: int = 0) -> Any:
    """A value that fits a schema; `name` is that of the field it is for."""
    schema = resolved(schema, schemas)
    if "default" in schema and (schema["default"] is not None or name not in _BY_NAME):
        return schema["default"]
    if "properties" in schema:
        return _object(schema, schemas, depth)
    if options := [each for each in schema.get("anyOf", ()) if each.get("type") != "null"]:
        return example(options[0], schemas, name, depth)
    return _plain(schema, schemas, name, depth)


def minimal(schema: Schema, schemas: Schemas) -> Any:
    """What a request needs: the required fields, or of a change the first one."""
    schema = resolved(schema, schemas)
    if "properties" not in schema:
        return example(schema, schemas)
    names = schema.get("required") or list(schema["properties"])[:1]
    fields = {name: resolved(schema["properties"][name], schemas) for name in names}
    bare = {name: {key: value for key, value in each.items() if key != "default"} for name, each in fields.items()}
    return {name: example(each, schemas, name, 1) for name, each in bare.items()}


def resolved(schema: Schema, schemas: Schemas) -> Schema:
    """The schema that a reference stands for."""
    while reference := schema.get("$ref"):
        schema = schemas[reference.rpartition("/")[2]]
    return schema


def _object(schema: Schema, schemas: Schemas, depth: int) -> dict[str, Any]:
    if depth >= _DEEPEST:
        return {}
    return {name: example(each, schemas, name, depth + 1) for name, each in schema["properties"].items()}


def _plain(schema: Schema, schemas: Schemas, name: str, depth: int) -> Any:
    if "enum" in schema:
        return schema["enum"][0]
    if "const" in schema:
        return schema["const"]
    kind = schema.get("type")
    if kind == "array":
        return [example(schema["items"], schemas, name, depth + 1)] if "items" in schema and depth < _DEEPEST else []
    if kind == "object":
        return {}
    if schema.get("format") in _BY_FORMAT:
        return _BY_FORMAT[schema["format"]]
    known = _BY_NAME.get(name)
    if kind == "string" and isinstance(known, str):
        return known
    if kind in ("integer", "number"):
        return known if isinstance(known, int) else schema.get("minimum", 1)
    return _BY_TYPE.get(kind or "")
