"""Pages of a list that is ordered by id, forwards and backwards.

A cursor names an id and the side of it where the page lies, so rows that come or go meanwhile neither repeat nor
skip others.
"""

import re
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from narthex.contracts.errors import Invalid


@dataclass(frozen=True)
class Cursor:
    """Behind an id or, backwards, in front of it; without an id from the beginning."""

    id: str = ""
    backwards: bool = False

    def encode(self) -> str:
        return f"{'before' if self.backwards else 'after'}.{self.id}"


@dataclass(frozen=True)
class Page:
    """Some rows, and the cursors of the pages around them."""

    rows: list[Any]
    next: str | None
    previous: str | None


def decode(text: str) -> Cursor:
    """The cursor of a request; an empty one is the beginning."""
    if not text:
        return Cursor()
    found = re.fullmatch(r"(after|before)\.([0-9a-f-]{36})", text)
    if found is None:
        raise Invalid("cursor: must be `next` or `previous` of another page")
    return Cursor(found[2], backwards=found[1] == "before")


async def page(
    session: AsyncSession,
    query: Select[*tuple[Any, ...]],
    key: InstrumentedAttribute[str],
    *,
    cursor: str,
    limit: int,
    newest_first: bool = False,
) -> Page:
    """A page of a query whose rows begin with a thing with an id, that in `key`."""
    at = decode(cursor)
    rows = await _rows(session, query, key, at, limit + 1, descending=newest_first != at.backwards)
    if at.backwards and not rows:  # what was there is gone: the list begins behind it
        return await page(session, query, key, cursor="", limit=limit, newest_first=newest_first)
    more, rows = len(rows) > limit, rows[:limit]
    if at.backwards:
        rows.reverse()
    ids = [row[0].id for row in rows[:1] + rows[-1:]]
    return Page(
        rows,
        next=Cursor(ids[-1]).encode() if ids and (more or at.backwards) else None,
        previous=Cursor(ids[0], backwards=True).encode() if ids and (more if at.backwards else at.id) else None,
    )


async def _rows(
    session: AsyncSession,
    query: Select[*tuple[Any, ...]],
    key: InstrumentedAttribute[str],
    at: Cursor,
    limit: int,
    *,
    descending: bool,
) -> list[Any]:
    if at.id:
        query = query.where(key < at.id if descending else key > at.id)
    ordered = query.order_by(key.desc() if descending else key.asc()).limit(limit)
    return list((await session.execute(ordered)).all())
