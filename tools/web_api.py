"""Writes services/registry/web/src/api/schema.ts and rules.ts: the API's types and rules, for the web app.

    python tools/web_api.py

Both are made from the OpenAPI document, which is made from the handlers; a test fails when they are not what it says
now. They are made here and not by a tool of npm, so that the test needs no Node.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from narthex_registry.api.layers import PREFIXES
from narthex_registry.api.server import descriptions

Json = Mapping[str, Any]

FOLDER = Path(__file__).parents[1] / "services" / "registry" / "web" / "src" / "api"
HEAD = "// Made by `python tools/web_api.py` from the API's OpenAPI document: not to be edited.\n\n"
_PLAIN = {"string": "string", "integer": "number", "number": "number", "boolean": "boolean", "null": "null"}
_RULES = (
    "type", "minimum", "maximum", "exclusiveMinimum", "minLength", "maxLength", "maxItems", "pattern", "enum", "x-rule"
)  # fmt: skip


def files() -> dict[Path, str]:
    """What both files have to contain."""
    document = json.loads(descriptions()[0])
    return {FOLDER / "schema.ts": types(document), FOLDER / "rules.ts": rules(document)}


def types(document: Json) -> str:
    """An interface for each model, and one that knows every operation."""
    schemas = document["components"]["schemas"]
    asked = _reachable(_bodies(document), schemas)
    models = "\n".join(_model(name, schema, name in asked) for name, schema in sorted(schemas.items()))
    operations = "\n".join(f"  {line}" for line in _operations(document))
    return f"{HEAD}{models}\nexport interface Operations {{\n{operations}\n}}\n"


def rules(document: Json) -> str:
    """What the fields of each body must be, as data: forms check by it while somebody types."""
    schemas = document["components"]["schemas"]
    found = {
        name: {field: _rule(schema, field in schemas[name].get("required", ())) for field, schema in fields.items()}
        for name in sorted(_reachable(_bodies(document), schemas))
        if (fields := schemas[name].get("properties"))
    }
    return (
        f'{HEAD}import type {{ Rule }} from "./rule";\n\n'
        f"export const rules: Record<string, Record<string, Rule>> = {json.dumps(found, indent=1)};\n"
    )


def _bodies(document: Json) -> Iterator[Json]:
    for item in document["paths"].values():
        for operation in item.values():
            if (body := _json(operation.get("requestBody", {}))) is not None:
                yield body


def _json(message: Json) -> Json | None:
    """The schema of what a request or an answer carries as JSON, if it does."""
    content = message.get("content", {}).get("application/json")
    return None if content is None else content["schema"]


def _reachable(parts: Iterable[Any], schemas: Json) -> set[str]:
    """The names of all models that these schemas are made of."""
    found: set[str] = set()
    waiting = list(parts)
    while waiting:
        part = waiting.pop()
        if isinstance(part, list):
            waiting.extend(part)
        elif isinstance(part, dict):
            waiting.extend(part.values())
            name = part.get("$ref", "").rpartition("/")[2]
            if name and name not in found:
                found.add(name)
                waiting.append(schemas[name])
    return found


def _model(name: str, schema: Json, asked: bool) -> str:
    """Answers carry all of their fields; who asks may leave out what is not required."""
    if "properties" not in schema:
        return f"export type {name} = {_type(schema)};\n"
    required = schema.get("required", ()) if asked else schema["properties"]
    fields = "\n".join(
        f"  {json.dumps(field)}{'' if field in required else '?'}: {_type(each)};"
        for field, each in schema["properties"].items()
    )
    return f"export interface {name} {{\n{fields}\n}}\n"


def _type(schema: Json) -> str:
    if reference := schema.get("$ref"):
        return str(reference.rpartition("/")[2])
    if "const" in schema:
        return json.dumps(schema["const"])
    if "enum" in schema:
        return " | ".join(json.dumps(each) for each in schema["enum"])
    if options := schema.get("anyOf") or schema.get("oneOf"):
        return " | ".join(dict.fromkeys(_type(each) for each in options))
    kind = schema.get("type")
    if kind == "array":
        return f"({_type(schema.get('items', {}))})[]"
    if kind == "object":
        return _object(schema)
    return _PLAIN.get(kind or "", "unknown")


def _object(schema: Json) -> str:
    if "properties" in schema:
        return "{ " + " ".join(f"{json.dumps(n)}: {_type(each)};" for n, each in schema["properties"].items()) + " }"
    values = schema.get("additionalProperties", {})
    return f"Record<string, {_type(values) if isinstance(values, dict) else 'unknown'}>"


def _operations(document: Json) -> Iterator[str]:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            [success] = [answer for status, answer in operation["responses"].items() if status.startswith("2")]
            told = {
                "path": _parameters(operation, "path"),
                "query": _parameters(operation, "query"),
                "body": _carried(operation.get("requestBody", {})),
                "answer": _carried(success),
            }
            parts = " ".join(f"{name}: {kind};" for name, kind in told.items())
            yield f'"{method.upper()} {path.removeprefix(PREFIXES[0])}": {{ {parts} }};'


def _parameters(operation: Json, where: str) -> str:
    fields = [
        f"{each['name']}{'' if each['required'] else '?'}: {_type(each['schema'])};"
        for each in operation["parameters"]
        if each["in"] == where
    ]
    return "{ " + " ".join(fields) + " }" if fields else "object"


def _carried(message: Json) -> str:
    schema = _json(message)
    return "undefined" if schema is None else _type(schema)


def _rule(schema: Json, required: bool) -> dict[str, Any]:
    """The rule of one field: of the kinds that it may be, the one that is not null."""
    options = [each for each in schema.get("anyOf", ()) if each.get("type") != "null"]
    one = options[0] if options else schema
    rule = {name.removeprefix("x-"): one[name] for name in _RULES if name in one}
    return {**rule, "required": True} if required else rule


if __name__ == "__main__":
    for file, content in files().items():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)
