"""What a request's body has to be before anything is done with it: JSON that can be stored and sent on. Pure."""

import json
import math
from typing import Any

from narthex.contracts.errors import Invalid

DEEPEST = 64  # what is stored is rendered and read again, each time a little deeper in something else


def parse_json(body: bytes) -> Any:
    """A request body, or Invalid saying what keeps it from being one that can be stored and sent on."""
    try:
        value = json.loads(
            body.decode(), parse_constant=_no_constant, parse_float=_finite, object_pairs_hook=_no_duplicates
        )
        if b"\\u" in body:
            json.dumps(value, ensure_ascii=False).encode()  # a lone surrogate fails here
    except UnicodeError:
        raise Invalid("the body is not valid UTF-8 text") from None
    except RecursionError:
        raise Invalid(_TOO_DEEP) from None
    except ValueError as error:
        raise Invalid(f"the body is not valid JSON: {error}") from None
    if b"\\u0000" in body:
        raise Invalid("the body contains a NUL character, which no field can hold")
    if body.count(b"[") + body.count(b"{") > DEEPEST and _depth(value) > DEEPEST:
        raise Invalid(_TOO_DEEP)
    return value


_TOO_DEEP = f"the body is nested too deeply: {DEEPEST} levels are the most"


def _depth(value: Any) -> int:
    """How many lists and objects are one in the other."""
    level, depth = [value], 0
    while level := [each for each in level if isinstance(each, list | dict)]:
        depth += 1
        level = [inner for each in level for inner in (each.values() if isinstance(each, dict) else each)]
    return depth


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not a JSON number")


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError(f"{text[:40]} is too large a number")
    return number


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Two values for one key: which one is meant is a guess, and guesses differ between readers."""
    found = dict(pairs)
    if len(found) != len(pairs):
        twice = next(key for index, (key, _) in enumerate(pairs) if key in {other for other, _ in pairs[:index]})
        raise ValueError(f"the key {twice} is there twice")
    return found
