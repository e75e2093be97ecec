"""What is wrong with a request, in one sentence that names the field and the rule. Pure."""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from pydantic import ValidationError

from narthex.contracts.errors import Invalid

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
    first = error.errors(include_url=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        return f"{where}: is not a field of {_owner(first['loc'], error.title)}"
    if first["type"] == "value_error":
        return f"{where}: {first['ctx']['error']}"
    rule = RULES.get(first["type"])
    message = rule(first.get("ctx", {})) if rule is not None else _plain(first["msg"])
    return f"{where}: {message}" if where else f"the body {message}"


def noun(model: str) -> str:
    """What a request model is about: `ServiceCreate` is `a service`, `LeaseRenewal` `a lease renewal`."""
    words = re.findall(r"[A-Z][a-z]*", re.sub(r"(Create|Update|Body)$", "", model)) or [model]
    text = " ".join(words).lower()
    return f"an {text}" if re.match(r"[aeio]|u(?!ser)", text) else f"a {text}"


def parse_json(body: bytes) -> Any:
    """A request body, or Invalid saying what keeps it from being one that can be stored and sent on."""
    try:
        value = json.loads(body.decode(), parse_constant=_no_constant, object_pairs_hook=_no_duplicates)
        json.dumps(value, ensure_ascii=False).encode()  # a lone surrogate fails here
    except UnicodeError:
        raise Invalid("the body is not valid UTF-8 text") from None
    except RecursionError:
        raise Invalid("the body is nested too deeply") from None
    except ValueError as error:
        raise Invalid(f"the body is not valid JSON: {error}") from None
    if b"\\u0000" in body:
        raise Invalid("the body contains a NUL character, which no field can hold")
    return value


def _owner(location: tuple[int | str, ...], model: str) -> str:
    """Whose field it would have been: the request's, or that of the object it is in."""
    inner = [part for part in location[:-1] if isinstance(part, str)]
    return noun(inner[-1].replace("_", " ")) if inner else noun(model)


def _alternatives(pattern: str) -> str:
    found = re.fullmatch(r"\^\(?([a-z|]+)\)?\$", pattern)
    return f"must be {' or '.join(found[1].split('|'))}" if found else f"must match {pattern}"


def _plain(message: str) -> str:
    return message[:1].lower() + message[1:]


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not a JSON number")


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Two values for one key: which one is meant is a guess, and guesses differ between readers."""
    found = dict(pairs)
    if len(found) != len(pairs):
        twice = next(key for index, (key, _) in enumerate(pairs) if key in {other for other, _ in pairs[:index]})
        raise ValueError(f"the key {twice} is there twice")
    return found
