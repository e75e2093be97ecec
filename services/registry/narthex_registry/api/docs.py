"""The API's description as a page for people, made of /openapi.json: no script, nothing from elsewhere. Pure.

The one thing to know: everything that is shown is escaped, and the page's policy lets nothing load or run but
its own style sheet.
"""

import base64
import hashlib
import json
from collections.abc import Iterator, Mapping
from html import escape
from importlib import resources
from typing import Any

from narthex_registry.api.examples import example, minimal

Spec = Mapping[str, Any]

STYLE = resources.files("narthex_registry.api").joinpath("docs.css").read_text()
POLICY = (
    f"default-src 'none'; style-src 'sha256-{base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()}'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_REFERENCE = "#/components/schemas/"
_RULES = {
    "minimum": "at least {}",
    "maximum": "at most {}",
    "exclusiveMinimum": "more than {}",
    "minLength": "{} characters or more",
    "maxLength": "{} characters at most",
    "maxItems": "{} items at most",
    "pattern": "like {}",
    "format": "{}",
}


def page(spec: Spec) -> str:
    """The whole page."""
    groups = grouped(spec)
    models = spec["components"]["schemas"]
    return "".join(
        (
            "<!doctype html><html lang=en><head><meta charset=utf-8>",
            "<meta name=viewport content='width=device-width, initial-scale=1'>",
            f"<title>{escape(spec['info']['title'])} API</title><style>{STYLE}</style></head><body>",
            *_contents(groups),
            "<main>",
            *_introduction(spec),
            *(part for name, operations in groups.items() for part in _group(name, operations, spec)),
            "<h2 id=models>Models</h2>",
            *(part for name in sorted(models) for part in _model(name, models[name])),
            "</main></body></html>",
        )
    )


def grouped(spec: Spec) -> dict[str, list[tuple[str, str, Spec]]]:
    """Operations by what they are about: method, path, description."""
    groups: dict[str, list[tuple[str, str, Spec]]] = {}
    for path, operations in spec["paths"].items():
        for method, operation in operations.items():
            groups.setdefault(operation["tags"][0], []).append((method.upper(), path, operation))
    return groups


def _contents(groups: Mapping[str, list[tuple[str, str, Spec]]]) -> Iterator[str]:
    yield "<nav><p><a href='#top'>Narthex API</a></p><ul>"
    for name, operations in groups.items():
        yield f"<li><a href='#{_anchor(name)}'>{escape(name)}</a> <small>{len(operations)}</small></li>"
    yield "<li><a href='#models'>Models</a></li></ul></nav>"


def _introduction(spec: Spec) -> Iterator[str]:
    yield f"<h1 id=top>{escape(spec['info']['title'])} API <small>{escape(spec['info']['version'])}</small></h1>"
    yield (
        "<p>Every call carries <code>Authorization: Token &lt;your token&gt;</code>. Bodies are JSON; a key that is "
        "not known is refused. In a change an absent key means <em>unchanged</em> and <code>null</code> <em>cleared"
        '</em>. Errors are <code>{"error": "one sentence", "code": "…"}</code>. <code>429</code> comes with '
        "<code>x-ratelimit-reset</code>, in seconds. What answers with an <code>ETag</code> takes "
        "<code>If-Match</code>.</p>"
        "<p>For programs: <a href='/openapi.json'>OpenAPI</a>, and <a href='/asyncapi.json'>AsyncAPI</a> of the "
        "events.</p>"
    )


def _group(name: str, operations: list[tuple[str, str, Spec]], spec: Spec) -> Iterator[str]:
    yield f"<section><h2 id='{_anchor(name)}'>{escape(name)}</h2>"
    for method, path, operation in operations:
        yield from _operation(method, path, operation, spec)
    yield "</section>"


def _operation(method: str, path: str, operation: Spec, spec: Spec) -> Iterator[str]:
    said = operation.get("description", "")
    first, _, rest = said.partition("\n\n")
    yield (
        f"<details><summary><b class={method.lower()}>{method}</b> <code>{escape(path)}</code> "
        f"<span>{_prose(first)}</span></summary><div id='{_anchor(method + path)}'>"
    )
    if rest:
        yield f"<p>{_prose(rest)}</p>"
    yield f"<p class=needs>Needs {_prose(operation['x-needs'])}.</p>"
    yield from _parameters(operation.get("parameters", []))
    body = _content(operation.get("requestBody", {}))
    if body is not None:
        yield f"<h4>Body</h4><p>{_type(body)}</p>"
    yield f"<pre>{escape(_curl(method, path, body, spec))}</pre>"
    answers = operation["responses"]
    for status in answers:
        if status < "400":
            yield from _answer(status, answers[status], spec)
    if errors := [status for status in answers if status >= "400"]:
        yield f"<p class=needs>Errors: {escape(', '.join(errors))}.</p>"
    yield "</div></details>"


def _parameters(parameters: list[Spec]) -> Iterator[str]:
    if parameters:
        yield "<table><tr><th>Parameter</th><th>In</th><th>Type</th><th>Rules</th></tr>"
        for each in parameters:
            rules = _rules(each["schema"]) + ([] if not each.get("required") else ["required"])
            yield (
                f"<tr><td><code>{escape(each['name'])}</code></td><td>{escape(each['in'])}</td>"
                f"<td>{_type(each['schema'])}</td><td>{escape(', '.join(rules))}</td></tr>"
            )
        yield "</table>"


def _answer(status: str, answer: Spec, spec: Spec) -> Iterator[str]:
    shown = _content(answer)
    yield f"<h4>{escape(status)} {escape(answer['description'])}</h4>"
    if shown is not None:
        text = json.dumps(example(shown, spec["components"]["schemas"]), indent=2)
        yield f"<p>{_type(shown)}</p><pre>{escape(text)}</pre>"


def _model(name: str, schema: Spec) -> Iterator[str]:
    yield f"<details><summary><code>{escape(name)}</code></summary><div id='{_anchor('model ' + name)}'>"
    if "description" in schema:
        yield f"<p>{_prose(schema['description'])}</p>"
    if "properties" not in schema:
        yield f"<p>{_type(schema)} {escape(', '.join(_rules(schema)))}</p></div></details>"
        return
    required = schema.get("required", [])
    yield "<table><tr><th>Field</th><th>Type</th><th>Rules</th></tr>"
    for field, each in schema["properties"].items():
        rules = ", ".join([*_rules(each), *(["required"] if field in required else [])])
        said = f" {_prose(each['description'])}" if "description" in each else ""
        yield (f"<tr><td><code>{escape(field)}</code></td><td>{_type(each)}</td><td>{escape(rules)}{said}</td></tr>")
    yield "</table></div></details>"


def _curl(method: str, path: str, body: Spec | None, spec: Spec) -> str:
    """A call to paste into a shell."""
    verb = "" if method == "GET" else f" -X {method}"
    line = f'curl{verb} -H "Authorization: Token $NARTHEX_TOKEN" "$NARTHEX_API_URL{path}"'
    if body is None:
        return line
    sent = json.dumps(minimal(body, spec["components"]["schemas"]))
    return f"{line} \\\n  -H 'Content-Type: application/json' -d '{sent}'"


def _content(part: Spec) -> Spec | None:
    """The schema of a body or an answer, if there is one."""
    content = part.get("content", {}).get("application/json")
    return content["schema"] if content else None


def _type(schema: Spec) -> str:
    """A type in words, as HTML."""
    if reference := schema.get("$ref"):
        name = reference.removeprefix(_REFERENCE)
        return f"<a href='#{_anchor('model ' + name)}'>{escape(name)}</a>"
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(_type(each) for each in schema["anyOf"]))
    if "enum" in schema:
        return " or ".join(f"<code>{escape(json.dumps(each))}</code>" for each in schema["enum"])
    if "const" in schema:
        return f"<code>{escape(json.dumps(schema['const']))}</code>"
    kind = schema.get("type", "anything")
    if kind == "array":
        return f"list of {_type(schema.get('items', {}))}"
    if kind == "object" and isinstance(schema.get("additionalProperties"), Mapping):
        return f"object of {_type(schema['additionalProperties'])}"
    return escape(kind)


def _rules(schema: Spec) -> list[str]:
    """What else must hold, in words."""
    rules = [text.format(schema[key]) for key, text in _RULES.items() if key in schema]
    for each in schema.get("anyOf", []):
        rules += _rules(each)
    if schema.get("default") not in (None, ""):
        rules.append(f"default {json.dumps(schema['default'])}")
    return rules


def _prose(text: str) -> str:
    """Text with `code` in it."""
    parts = escape(text).split("`")
    return "".join(f"<code>{part}</code>" if number % 2 else part for number, part in enumerate(parts))


def _anchor(text: str) -> str:
    return "".join(letter if letter.isalnum() else "-" for letter in text.lower())
