"""The operations against the API's own table of routes: nothing that the API offers is missing, nothing is invented."""

import inspect
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from importlib import import_module
from itertools import product
from pkgutil import iter_modules
from typing import Any, get_origin

from narthex.client import operations
from narthex.client.call import Call, Listing, Stream, Tagging, Wait
from narthex.client.operations import paging
from narthex.contracts.api import SeriesData
from narthex_registry.api.server import ROUTES

NOT_OFFERED = {
    ("POST", "/oauth/sign-in"): "says the same to everybody",
    ("POST", "/oauth/complete"): "there is no single sign-on",
    ("POST", "/session"): "a browser's cookie; programs send their token",
    ("PATCH", "/projects/{}/deployments/{}/requests/{}"): "a request that has ended cannot be cancelled",
    ("POST", "/projects/{}/deployments/{}/requests/cancel"): "the same",
    ("PATCH", "/projects/{}/deployments/{}/versions/{}/requests/{}"): "the same",
    ("POST", "/projects/{}/deployments/{}/versions/{}/requests/cancel"): "the same",
    ("POST", "/projects/{}/deployments/{}/versions/{}/revisions"): "what is uploaded is not kept",
}
A_NAME = "0197b3f0-0000-7000-8000-000000000001"  # stands for any, and may be an id


def offered() -> set[tuple[str, str]]:
    """The routes that the API serves; those of `elsewhere` are answered 501."""
    return {
        (route.method, re.sub(r"{[a-z]+}", "{}", route.path))
        for route in ROUTES
        if not route.handler.__module__.endswith("elsewhere")
    }


def called() -> set[tuple[str, str]]:
    """What the operations send, with and without their optional names."""
    modules = [import_module(f"{operations.__name__}.{module.name}") for module in iter_modules(operations.__path__)]
    functions = {make for module in modules for _, make in inspect.getmembers(module, inspect.isfunction)}
    return {
        sent
        for make in functions
        if get_origin(make.__annotations__.get("return")) in (Call, Listing, Stream, Tagging, Wait)
        if make.__module__ != paging.__name__
        for sent in requests_of(make)
    }


def wants(make: Any) -> list[str]:
    return list(inspect.signature(make).parameters)


def requests_of(make: Any) -> Iterator[tuple[str, str]]:
    parameters = inspect.signature(make).parameters.values()
    required = {each.name: example(each) for each in parameters if each.default is each.empty}
    names = [each.name for each in parameters if each.name in ("deployment", "version")]
    choices = [{"side": side} for side in ("input", "output")] if "side" in wants(make) else [{}]
    choices = [{"kind": kind} for kind in ("rate", "concurrency")] if "kind" in wants(make) else choices
    for count, choice in product(range(len(names) + 1), choices):
        call = innermost(make(**required | dict.fromkeys(names[:count], A_NAME) | choice))
        yield (
            getattr(call, "method", "GET"),
            "/" + "/".join("{}" if part in (None, A_NAME, "7") else part for part in call.path),
        )


def example(parameter: inspect.Parameter) -> Any:
    """A name; for a number 7, and so on."""
    by_name = {"email": "ada@people.test", "data": [SeriesData(metric="custom.x", data=[])]}
    by_type = {int: 7, datetime: datetime(2026, 1, 1, tzinfo=UTC), bool: True}
    if parameter.name in by_name:
        return by_name[parameter.name]
    names = [A_NAME] if get_origin(parameter.annotation) in (list, Sequence) else A_NAME
    return by_type.get(parameter.annotation, names)


def innermost(operation: Any) -> Any:
    while not isinstance(operation, Call | Stream):
        operation = getattr(operation, "first", None) or operation.call
    return operation


def test_every_route_of_the_api_has_an_operation_or_a_reason_why_not() -> None:
    assert sorted(offered() - called()) == sorted(NOT_OFFERED)


def test_no_operation_goes_where_the_api_has_nothing() -> None:
    assert called() - offered() == set()
