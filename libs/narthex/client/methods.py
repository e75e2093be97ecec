"""How an operation becomes a method of a noun, for both clients.

The one thing to know: a noun of `Client` is `Services[Blocking]`, one of `AsyncClient` is `Services[Awaited]`. That is
for the type checker only, which reads from it whether a method gives its result or something to await.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from functools import update_wrapper
from typing import Any, Generic, ParamSpec, Protocol, TypeVar, overload

from narthex.client.call import Listing, Operation, Stream

P = ParamSpec("P")
R = TypeVar("R")
Item = TypeVar("Item")
Mode = TypeVar("Mode")


class Blocking:
    """Methods return their result."""


class Awaited:
    """Methods return something to await."""


class Carrier(Protocol):
    """What carries operations out: one of the clients."""

    def run(self, operation: Operation[Any]) -> Any: ...

    def iterate(self, listing: Listing[Any, Any]) -> Any: ...

    def follow(self, stream: Stream[Any]) -> Any: ...


class Noun(Generic[Mode]):
    """The operations on one kind of thing."""

    def __init__(self, carrier: Carrier) -> None:
        self._carrier = carrier


class calling(Generic[P, R]):  # noqa: N801 - reads as a decorator
    """An operation as a method."""

    def __init__(self, make: Callable[P, Operation[R]]) -> None:
        self._make = make

    @overload
    def __get__(self, noun: Noun[Blocking], owner: type[Any] | None = None) -> Callable[P, R]: ...
    @overload
    def __get__(self, noun: Noun[Awaited], owner: type[Any] | None = None) -> Callable[P, Awaitable[R]]: ...
    def __get__(self, noun: Noun[Any], owner: type[Any] | None = None) -> Callable[P, Any]:
        def method(*args: P.args, **kwargs: P.kwargs) -> Any:
            return noun._carrier.run(self._make(*args, **kwargs))

        return update_wrapper(method, self._make)


class listing(Generic[P, Item]):  # noqa: N801
    """A paged list as a method that returns an iterator over all of it, page by page as it is consumed."""

    def __init__(self, make: Callable[P, Listing[Any, Item]]) -> None:
        self._make = make

    @overload
    def __get__(self, noun: Noun[Blocking], owner: type[Any] | None = None) -> Callable[P, Iterator[Item]]: ...
    @overload
    def __get__(self, noun: Noun[Awaited], owner: type[Any] | None = None) -> Callable[P, AsyncIterator[Item]]: ...
    def __get__(self, noun: Noun[Any], owner: type[Any] | None = None) -> Callable[P, Any]:
        def method(*args: P.args, **kwargs: P.kwargs) -> Any:
            return noun._carrier.iterate(self._make(*args, **kwargs))

        return update_wrapper(method, self._make)


class streaming(Generic[P, Item]):  # noqa: N801
    """A stream as a method that returns an iterator without end."""

    def __init__(self, make: Callable[P, Stream[Item]]) -> None:
        self._make = make

    @overload
    def __get__(self, noun: Noun[Blocking], owner: type[Any] | None = None) -> Callable[P, Iterator[Item]]: ...
    @overload
    def __get__(self, noun: Noun[Awaited], owner: type[Any] | None = None) -> Callable[P, AsyncIterator[Item]]: ...
    def __get__(self, noun: Noun[Any], owner: type[Any] | None = None) -> Callable[P, Any]:
        def method(*args: P.args, **kwargs: P.kwargs) -> Any:
            return noun._carrier.follow(self._make(*args, **kwargs))

        return update_wrapper(method, self._make)
