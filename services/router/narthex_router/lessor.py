"""Asks Valkey for what the limits of a worker need: one question at a time, for all of them together."""

import asyncio
import logging
import secrets
import time
from typing import Protocol

from narthex.contracts.errors import Unavailable
from narthex.routing.limits import SECOND, Answer, Ask, RateAnswer
from narthex.runtime.tasks import backoff
from narthex_router.gates import Gates

log = logging.getLogger(__name__)

TICK_S = 0.25  # between looks at leases and slices
LINE_TICK_S = 0.02  # while somebody waits
BEAT_S = 1.0  # asks nothing, but tells Valkey that it is not away: it waits with the leases of the dead while it was


class Budgets(Protocol):
    """Where the budgets are: `narthex.routing.LimitStore`."""

    async def ask(self, who: str, at: int, asks: list[Ask]) -> tuple[int, list[Answer]]: ...


class Lessor:
    """Keeps the gates of a worker supplied, for ever."""

    def __init__(self, gates: Gates, budgets: Budgets, worker: str) -> None:
        self._gates = gates
        self._budgets = budgets
        # A worker that is started again is another one: it must not be taken for the one that holds leases.
        self._who = f"{worker}/{secrets.token_hex(6)}"
        self._news = asyncio.Event()
        self._ahead: int | None = None  # Valkey's time less ours, at most
        self._asked_at = -BEAT_S
        self._ticked_at = -TICK_S
        self.operations = 0
        self.granted = 0

    async def run(self) -> None:
        self._gates.news = self._news.set
        self._gates.away = False
        attempt = 0
        while True:
            if await self._round():
                attempt = 0
                await self._wait(LINE_TICK_S if self._gates.waiting else TICK_S if self._gates.alive else BEAT_S)
            else:
                await asyncio.sleep(backoff(attempt, most_s=0.5))
                attempt += 1

    async def end(self) -> None:
        """Hand back what is in hand: the worker ends."""
        self._gates.give_up()
        await self._round()

    async def _wait(self, seconds: float) -> None:
        """Until a limit has something to ask, or it is time to look after them."""
        timer = asyncio.get_running_loop().call_later(seconds, self._news.set)
        await self._news.wait()
        timer.cancel()

    async def _round(self) -> bool:
        """Ask what is to be asked; whether there was an answer."""
        gates, now = self._gates, time.monotonic()
        if now >= self._ticked_at + TICK_S:
            self._ticked_at = now
            gates.tick(now)
        gates.serve_all()
        asked = gates.asks(now)
        self._news.clear()  # what was said so far is in the question; what is said meanwhile comes next
        if not asked and now < self._asked_at + BEAT_S and not gates.away:
            return True
        self._asked_at = sent = time.monotonic()
        at = 0 if self._ahead is None else self._ahead + int(sent * SECOND)
        try:
            decided, answers = await self._budgets.ask(self._who, at, [ask for _, ask in asked])
        except Unavailable as error:
            if not gates.away:
                log.warning("limits cannot be asked", extra={"fields": {"error": error.message}})
            gates.failed(asked)
            return False
        self.operations += 1
        self.granted += sum(answer.granted for answer in answers if type(answer) is RateAnswer)
        self._ahead = decided - int(sent * SECOND)
        gates.answered(asked, answers, sent, decided)
        return True
