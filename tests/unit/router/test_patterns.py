"""What Python's own reader of patterns says of ours."""

import importlib
import pkgutil
import re
from collections.abc import Iterator
from typing import Any

import narthex_router

parser: Any = re._parser  # type: ignore[attr-defined] # no other way to look into a pattern


def possessive_groups(parsed: Any) -> Iterator[Any]:
    """What is repeated possessively and is more than one character."""
    for operation, arguments in parsed:
        if operation is parser.POSSESSIVE_REPEAT and arguments[2].getwidth() != (1, 1):
            yield arguments
        if operation is parser.ATOMIC_GROUP:
            yield arguments
        for inner in within(arguments):
            yield from possessive_groups(inner)


def within(arguments: Any) -> Iterator[Any]:
    if isinstance(arguments, parser.SubPattern):
        yield arguments
    elif isinstance(arguments, tuple | list):
        for each in arguments:
            yield from within(each)


def test_no_pattern_has_a_possessive_group() -> None:
    """Python 3.11.2, which Debian 12 has, matches `(?:;a)*+` to a lone `;`: what failed halfway stays taken."""
    names = [each.name for each in pkgutil.walk_packages(narthex_router.__path__, "narthex_router.")]
    found = [each for name in names for each in vars(importlib.import_module(name)).values()]
    patterns = {each.pattern for each in found if isinstance(each, re.Pattern)}
    assert patterns
    assert [each for each in patterns if any(possessive_groups(parser.parse(each)))] == []


def test_they_would_be_found() -> None:
    assert list(possessive_groups(parser.parse(r"x(?:;a)*+")))
    assert list(possessive_groups(parser.parse(r"(?:y(?>ab)|z)")))
    assert not list(possessive_groups(parser.parse(r"(?:;[ \t]*+a++)*")))
