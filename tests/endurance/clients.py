"""The clients: each makes one kind of visit to one service, again and again, and says what became of every request.

A visit is a function of `traffic`. It raises what went wrong; `settled` counts that, and says whether it was excused.
"""

import asyncio
import itertools
import random
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from endurance.account import Account, Accounts, Refused, Wrong
from endurance.stage import Stage
from endurance.wire import Connection, Site
from narthex.testing.waiting import paced

WITHIN_S = 120.0  # for a visit; nothing here takes longer than 15 s on a machine of its own


@dataclass
class Visitor:
    """One client of one service by one kind of traffic."""

    kind: str
    site: Site
    accounts: Accounts
    number: int
    connection: Connection | None = None
    numbers: Iterator[int] = field(default_factory=itertools.count)
    waiting: list[str] = field(default_factory=list)  # paths that were asked for and not answered
    port: int = 0  # of the router that it is, or was last, connected to

    @property
    def account(self) -> Account:
        return self.accounts.of(self.kind)

    def path(self, before: str = "") -> str:
        """One that nobody has asked for, written down as sent."""
        path = f"{before}/{self.kind}-{next(NONCES)}"
        self.account.sent += 1
        self.waiting.append(path)
        self.site.books.sent(path, time.time())
        return path

    def answered(self, path: str, began: float) -> None:
        self.account.answer(time.monotonic() - began)
        self.site.books.answered(path, self.port)
        self.waiting.remove(path)

    def gave_up(self) -> int:
        """How many requests will get no answer any more; their connection goes with them."""
        number = len(self.waiting)
        self.waiting.clear()
        self.close()
        return number

    async def kept(self) -> Connection:
        """The connection that is there while it is good; now and then a new one, as clients come and go."""
        if self.connection is not None and (not self.connection.usable or random.random() < 0.01):
            self.close()
        return self.connection or await self.connect()

    async def connect(self) -> Connection:
        """A new one: each goes to another router."""
        self.port = self.site.ports[next(self.numbers) % len(self.site.ports)]
        self.connection = await Connection(self.site, self.port).open()
        return self.connection

    def said(self, began: datetime) -> str:
        """What it waits for since when, from which port of its own to which of a router's."""
        mine = self.connection.writer.get_extra_info("sockname") if self.connection is not None else None
        return f"{self.waiting} begun {began:%H:%M:%S.%f}, {mine[1] if mine else 'not connected'} to {self.port}"

    def close(self) -> None:
        if self.connection is not None:
            self.connection.close()
            self.connection = None


NONCES = itertools.count()
Visit = Callable[[Visitor], Awaitable[None]]


@dataclass(frozen=True)
class Kind:
    """One kind of traffic: how many clients make which visit where, and each client's share of the rate."""

    name: str
    visit: Visit
    site: str
    clients: int
    per_s: float  # of all its clients, at rate 1


def clients(
    stage: Stage, kinds: Sequence[Kind], rate: float, over: asyncio.Event
) -> Iterator[Coroutine[Any, Any, None]]:
    """Every client's work."""
    for kind in kinds:
        for number in range(kind.clients):
            visitor = Visitor(kind.name, stage.sites[kind.site], stage.accounts, number)
            yield visits(kind.visit, visitor, kind.clients / (kind.per_s * rate), over)


async def visits(visit: Visit, visitor: Visitor, every_s: float, over: asyncio.Event) -> None:
    """Make visits, one after the other, until it is over; a visit that has begun ends."""
    async for _ in paced(every_s, over, random.uniform(0, every_s)):
        with settled(visitor):
            async with asyncio.timeout(WITHIN_S):
                await visit(visitor)
    visitor.close()


@contextmanager
def settled(visitor: Visitor) -> Iterator[None]:
    """What becomes of a visit that does not end well."""
    account, began = visitor.account, datetime.now(UTC)
    try:
        yield
    except Refused as refused:
        visitor.site.books.answered(visitor.waiting[0], visitor.port)  # the router's own answers are written down too
        if refused.code in visitor.site.expected:
            visitor.waiting.clear()
        elif cause := excuse(visitor, began):
            account.excused[f"{refused.code} while {cause}"] += visitor.gave_up()
            return
        else:
            visitor.accounts.violated(visitor.kind, f"refused: {refused}; {visitor.said(began)}")
            visitor.gave_up()
        account.refused[refused.code] += 1
    except Wrong as wrong:
        visitor.accounts.violated(visitor.kind, f"WRONG: {wrong}; {visitor.said(began)}")
        account.wrong += visitor.gave_up()
    except (OSError, EOFError, TimeoutError, ValueError) as error:
        if cause := excuse(visitor, began):
            account.excused[f"cut off while {cause}"] += visitor.gave_up()
        else:
            visitor.accounts.violated(visitor.kind, f"failed: {error!r}; {visitor.said(began)}")
            account.failed += visitor.gave_up()


def excuse(visitor: Visitor, began: datetime) -> str:
    return visitor.site.excuse(visitor.kind, visitor.port, began.timestamp(), time.time())
