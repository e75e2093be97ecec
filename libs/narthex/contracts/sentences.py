"""What is wrong with a request or a file, in one sentence that names the field and the rule. Pure."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from pydantic import ValidationError

Context = Mapping[str, Any]

RULES: dict[str, Callable[[Context], str]] = {
    "missing": lambda _: "is required",
    "int_type": lambda _: "must be an integer",
    "int_parsing": lambda _: "must be an integer",
    "int_from_float": lambda _: "must be an integer",
    "float_type": lambda _: "must be a number",
    "float_parsing": lambda _: "must be a number",
    "finite_number": lambda _: "must be a finite number",
    "string_type": lambda _: "must be a string",
    "bool_type": lambda _: "must be true or false",
    "bool_parsing": lambda _: "must be true or false",
    "dict_type": lambda _: "must be an object",
    "model_type": lambda _: "must be an object",
    "model_attributes_type": lambda _: "must be an object",
    "list_type": lambda _: "must be a list",
    "datetime_parsing": lambda _: "must be a date and time",
    "datetime_from_date_parsing": lambda _: "must be a date and time",
    "greater_than_equal": lambda c: f"must be at least {c['ge']}",
    "less_than_equal": lambda c: f"must be at most {c['le']}",
    "string_too_short": lambda c: (
        "must not be empty" if c["min_length"] == 1 else f"must be at least {c['min_length']} characters"
    ),
    "string_too_long": lambda c: f"must be at most {c['max_length']} characters",
    "too_long": lambda c: f"must have at most {c['max_length']} items",
    "string_pattern_mismatch": lambda c: _alternatives(c["pattern"]),
}


def sentence(error: ValidationError) -> str:
    """The first thing that is wrong with a body or a query, e.g. `port: must be between 1025 and 65535`."""
    where, rule = first(error)
    if where:
        return f"{where}: {rule}"
    return "the body must be a JSON object" if rule == RULES["model_type"]({}) else f"the body {rule}"


def first(error: ValidationError) -> tuple[str, str]:
    """Where the first thing that is wrong stands, and the rule that it breaks."""
    found = error.errors(include_url=False)[0]
    where = ".".join(str(part) for part in found["loc"])
    if found["type"] == "extra_forbidden":
        return where, f"is not a field of {_owner(found['loc'], error.title)}"
    if found["type"] == "value_error":
        return where, str(found["ctx"]["error"])
    rule = RULES.get(found["type"])
    return where, rule(found.get("ctx", {})) if rule is not None else _plain(found["msg"])


def noun(model: str) -> str:
    """What a request model is about: `ServiceCreate` is `a service`, `LeaseRenewal` `a lease renewal`."""
    words = re.findall(r"[A-Z][a-z]*", re.sub(r"(Create|Update|Body)$", "", model)) or [model]
    text = " ".join(words).lower()
    return f"an {text}" if re.match(r"[aeio]|u(?!ser)", text) else f"a {text}"


def _owner(location: tuple[int | str, ...], model: str) -> str:
    """Whose field it would have been: the request's, or that of the object it is in."""
    inner = [part for part in location[:-1] if isinstance(part, str)]
    return noun(inner[-1].replace("_", " ")) if inner else noun(model)


def _alternatives(pattern: str) -> str:
    found = re.fullmatch(r"\^\(?([a-z|]+)\)?\$", pattern)
    return f"must be {' or '.join(found[1].split('|'))}" if found else f"must match {pattern}"


def _plain(message: str) -> str:
    return message[:1].lower() + message[1:]
