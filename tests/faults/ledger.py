"""What the registry acknowledged, held against what the database, the audit trail, the stream and the routers have.

Each changer counts upwards: its service's rate limit is set to 1, 2, 3, …, never to the same number twice. So the
numbers say what was lost, what came twice, and in which order. Every tenth change makes a service, or deletes one.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence, Set
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import aiohttp

from narthex.runtime.tasks import background
from narthex.testing.installation import P
from narthex.testing.rest import Rest

PAUSE_S = 0.05  # and once more while the registry is away
ANSWER_WITHIN_S = 30.0
AWAY = 503
Change = tuple[int | None, int | None]  # a rate limit before it and after it


@dataclass
class Changer:
    """One who changes things, and notes what was confirmed."""

    name: str  # of its service
    deployment: str
    tried: int = 0
    confirmed: list[int] = field(default_factory=list)
    there: set[str] = field(default_factory=set)  # services that it has made, confirmed
    gone: set[str] = field(default_factory=set)  # those whose deletion was confirmed
    unsure: set[str] = field(default_factory=set)  # whose making or deletion was not answered
    strange: list[str] = field(default_factory=list)  # answers that nobody should give

    @property
    def number_confirmed(self) -> int:
        return len(self.confirmed) + len(self.there) + len(self.gone)

    def wrong_services(self, names: Set[str]) -> list[str]:
        """What is otherwise than confirmed with the services that it makes and deletes, by the names of those there."""
        mine = {name for name in names if name.startswith(f"{self.name}-")}
        return [
            *(f"lost: {name}" for name in sorted(self.there - mine)),
            *(f"back: {name}" for name in sorted(self.gone & mine)),
            *(f"never made: {name}" for name in sorted(mine - self.there - self.gone - self.unsure)),
        ]

    async def change_on(self, api: Rest) -> None:
        """For ever."""
        while True:
            self.tried += 1
            await self._change(api, self.tried)
            await asyncio.sleep(PAUSE_S)

    async def _change(self, api: Rest, number: int) -> None:
        if number % 20 == 0 and self.there:
            name = self.there.pop()
            self.unsure.add(name)
            if await self._ask(api, "DELETE", f"{P}/services/{name}", None) == 204:
                self.unsure.remove(name)
                self.gone.add(name)
        elif number % 10 == 0:
            name = f"{self.name}-{number}"
            self.unsure.add(name)
            if await self._ask(api, "POST", f"{P}/services", self.wish(name)) == 201:
                self.unsure.remove(name)
                self.there.add(name)
        elif await self._ask(api, "PATCH", f"{P}/services/{self.name}", {"rate_limit": number}) == 200:
            self.confirmed.append(number)

    async def _ask(self, api: Rest, method: str, path: str, body: object) -> int:
        """The status; 503 also where the connection ended without an answer."""
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                status, answer = await api.call(method, path, body)
        except (aiohttp.ClientError, OSError):
            status, answer = AWAY, None
        if status == AWAY:
            await asyncio.sleep(PAUSE_S)
        if status not in (200, 201, 204, AWAY):
            self.strange.append(f"{method} {path}: {status} {answer}")
        return status

    def wish(self, name: str) -> dict[str, object]:
        return {"name": name, "deployment": self.deployment, "port": 8080, "authentication_required": False}


@asynccontextmanager
async def changing(api: Rest, changers: Sequence[Changer]) -> AsyncIterator[None]:
    """All of them change things while the block lasts; what is under way at its end may be made or not."""
    async with background() as tasks:
        for each in changers:
            tasks.start(each.change_on(api), each.name)
        yield


def wrong_order(numbers: Sequence[int]) -> list[tuple[int, int]]:
    """The pairs where one does not follow on the one before: it came twice, or too late."""
    return [(one, other) for one, other in pairwise(numbers) if other <= one]


def wrong_chain(changes: Sequence[Change]) -> list[Change]:
    """The changes that do not begin where the one before has ended."""
    return [later for earlier, later in pairwise(changes) if later[0] != earlier[1]]


def differences(one: Mapping[Any, object], other: Mapping[Any, object]) -> list[str]:
    """What one has otherwise than the other."""
    return [
        f"{key}: {one.get(key)!r} and {other.get(key)!r}"
        for key in one.keys() | other.keys()
        if one.get(key) != other.get(key)
    ]
