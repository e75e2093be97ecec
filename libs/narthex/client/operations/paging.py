"""The ways in which the API's lists come in pages: by a cursor, or by an offset."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol, TypeVar
from urllib.parse import parse_qs, urlsplit

from narthex.client.call import Call, Listing

R = TypeVar("R")
Item = TypeVar("Item")
Item_co = TypeVar("Item_co", covariant=True)

PAGE = 100  # entries a page: a page is one answer of some ten kilobytes


class CursorPage(Protocol[Item_co]):
    """A page that says where the next one begins."""

    @property
    def next(self) -> str | None: ...

    @property
    def results(self) -> Sequence[Item_co]: ...


Page = TypeVar("Page", bound=CursorPage[object])


def by_cursor(first: Call[Page], items: type[Item]) -> Listing[Page, Item]:
    """A list whose pages say where the next one begins; `items` is what they hold."""
    return Listing(first, lambda page: page.results, _next_cursor)  # type: ignore[arg-type,return-value]


def _next_cursor(call: Call[Page], page: Page) -> Call[Page] | None:
    """The next page. Upstream's `next` is a URL; only its cursor is used, so that no answer can send the token
    elsewhere."""
    if not page.next:
        return None
    cursor = parse_qs(urlsplit(page.next).query).get("cursor", [page.next])[0]
    return _with_query(call, "cursor", cursor)


def by_offset(first: Call[list[Item]]) -> Listing[list[Item], Item]:
    """A list that is asked for in slices; the first that is not full is the last. The call has `limit`."""
    return Listing(first, lambda page: page, _next_slice)


def _next_slice(call: Call[list[Item]], page: list[Item]) -> Call[list[Item]] | None:
    if len(page) < int(call.query["limit"] or 0):
        return None
    return _with_query(call, "offset", int(call.query.get("offset") or 0) + len(page))


def _with_query(call: Call[R], key: str, value: str | int) -> Call[R]:
    return replace(call, query={**call.query, key: value})
