"""Takes rollouts on, step by step, by what routers say.

Of several registries one watches a rollout: whoever holds its row, and looks at it again in the transaction that
changes it. Transactions take turns, so no step is taken twice, whatever clocks say. What is known of a step is in the
row: another registry goes on from there. A step that nobody watched for a while begins anew, and so does one whose
registry did not hear the routers.
"""

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from narthex.contracts import api
from narthex.contracts.entities import SeenOfVersion
from narthex.contracts.errors import Unavailable
from narthex.contracts.events import Event, VersionsCompared
from narthex.contracts.ids import new_id
from narthex.runtime.clock import Clock
from narthex_registry import instances, rollouts, tables
from narthex_registry.database import Change, Database
from narthex_registry.rollout_plan import UNDER_WAY, Move, Position, Seen, added_up, next_move, seen_from

log = logging.getLogger(__name__)

LOOK_EVERY_S = 1.0  # as often as routers speak
LEASE = timedelta(seconds=6)
RENEW = LEASE / 2
State = api.RolloutState


class Pilot:
    """Hears routers, and takes on the rollouts that this registry holds."""

    def __init__(self, database: Database, clock: Clock, hears: Callable[[], bool]) -> None:
        self._database = database
        self._clock = clock
        self._hears = hears  # whether routers can be heard now
        self._me = new_id()
        self._deaf: set[str] = set()  # rollouts that were ours while nobody could be heard
        self._heard: dict[str, list[SeenOfVersion]] = {}  # rollout -> what was said since it was looked at last
        self._woken = asyncio.Event()

    async def hear(self, event: Event) -> None:
        """Take what a router says."""
        assert isinstance(event, VersionsCompared)
        for seen in event.versions:
            self._heard.setdefault(seen.rollout_id, []).append(seen)

    def wake(self) -> None:
        """Somebody has changed a rollout."""
        self._woken.set()

    async def run(self) -> None:
        """Look at all that are under way, for ever."""
        while True:
            self._woken.clear()
            try:
                await self.look()
            except Unavailable:
                log.info("rollouts have to wait for the database")
            try:
                async with asyncio.timeout(LOOK_EVERY_S):
                    await self._woken.wait()
            except TimeoutError:
                pass

    async def look(self) -> None:
        """Look at each rollout once."""
        async with self._database.read() as session:
            found = await rollouts.under_way(session)
        heard, self._heard = self._heard, {}
        now = self._clock.now()
        for rollout in found:
            if not self._hears():
                self._deaf.add(rollout.id)
            elif self._may_hold(rollout, now) and self._has_cause(rollout, heard.get(rollout.id), now):
                await self._take_on(rollout.id, heard.get(rollout.id, []))
        self._deaf &= {rollout.id for rollout in found}

    def _may_hold(self, rollout: tables.Rollout, now: datetime) -> bool:
        return rollout.holder == self._me or rollout.held_until is None or rollout.held_until <= now

    def _has_cause(self, rollout: tables.Rollout, heard: list[SeenOfVersion] | None, now: datetime) -> bool:
        """Whether there is something to write down: a transaction that writes waits for its turn and for the disk."""
        if heard or rollout.id in self._deaf or rollout.held_until is None or rollout.held_until - now < RENEW:
            return True
        hold_s = rollout.steps[rollout.step]["hold_s"]
        return not rollout.waiting_for or (hold_s is not None and rollouts.age_s(rollout, now) >= hold_s)

    async def _take_on(self, rollout_id: str, heard: list[SeenOfVersion]) -> None:
        async with self._database.change() as change:
            rollout = await change.session.get(tables.Rollout, rollout_id)
            now = self._clock.now()
            if rollout is None or State(rollout.state) not in UNDER_WAY or not self._may_hold(rollout, now):
                return
            service = await change.session.get_one(tables.Service, rollout.service_id)
            if self._was_alone(rollout, now):
                rollouts.watch_anew(change, service, rollout, now)
            rollout.holder, rollout.held_until = self._me, now + LEASE
            if heard:
                rollout.observed = added_up(rollout.observed, heard)
            await self._move(change, service, rollout, now)
        self._deaf.discard(rollout_id)

    def _was_alone(self, rollout: tables.Rollout, now: datetime) -> bool:
        """Whether nobody has watched it for so long that what is known of it is worth nothing."""
        return rollout.id in self._deaf or (rollout.held_until is not None and now - rollout.held_until > LEASE)

    async def _move(self, change: Change, service: tables.Service, rollout: tables.Rollout, now: datetime) -> None:
        deployment = await change.session.get_one(tables.Deployment, service.deployment_id)
        if (service.version_id or deployment.default_version_id) == rollout.version_id:
            rollouts.promote(change, service, rollout, now, "the deployment's default is this version by now")
            return
        steps = [api.RolloutStep.model_validate(step) for step in rollout.steps]
        stored = rollout.observed.get(rollout.version_id)
        here = Position(
            at=rollout.step,
            age_s=rollouts.age_s(rollout, now),
            seen=seen_from(stored) if stored is not None else Seen(),
            ready=await instances.ready(change.session, rollout.version_id),
        )
        gates = api.RolloutGates.model_validate(rollout.gates)
        move, why = next_move(State(rollout.state), steps, gates, here)
        match move:
            case Move.STAY:
                rollout.waiting_for = why
            case Move.NEXT:
                rollouts.enter(change, service, rollout, rollout.step + 1, now)
            case Move.PROMOTE:
                rollouts.promote(change, service, rollout, now, "it has passed all of its steps")
            case Move.GO_BACK:
                rollouts.go_back(change, service, rollout, now, why)
        if move is not Move.STAY:
            log.info("rollout moves", extra={"fields": {"rollout": rollout.id, "move": move, "why": why}})
