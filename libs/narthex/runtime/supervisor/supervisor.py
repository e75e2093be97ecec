"""Starts the parts in order, keeps them running, stops them in order."""

import asyncio
import logging
from collections.abc import Callable, Sequence

from narthex.runtime.supervisor.part import Part
from narthex.runtime.supervisor.plan import Plan
from narthex.runtime.supervisor.status import StatusFile
from narthex.runtime.tasks import Background, background

log = logging.getLogger(__name__)

SLOW_S = 10.0  # a start that takes longer says what it is waiting for


class Supervisor:
    """The processes of one plan."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._status = StatusFile(plan)
        self._servers = [Part(spec, plan.log(spec.name), self._write_status) for spec in plan.servers]
        self._services = [Part(spec, plan.log(spec.name), self._write_status) for spec in plan.services]
        self._parts = [*self._servers, *self._services]

    async def run(self, stop: asyncio.Event, on_ready: Callable[[], None]) -> None:
        """Run everything until `stop`; `on_ready` is called once, when the first request would succeed.

        Raises Misconfigured when a part cannot start as it is set up. Whatever happens, nothing is left.
        """
        async with background() as tasks:
            starting = tasks.start(self._start(tasks, on_ready), "start the parts")
            try:
                await stop.wait()
            finally:
                starting.cancel()
                await self._stop()

    def kill(self) -> None:
        """End every process now."""
        for part in self._parts:
            part.kill()

    async def _start(self, tasks: Background, on_ready: Callable[[], None]) -> None:
        # The servers first, though services could wait for them: a client that was refused once waits a second.
        for group in (self._servers, self._services):
            for part in group:
                tasks.start(part.keep_running(), f"keep {part.spec.name} running")
            await self._all_ready(group)
        await self._all_ready(self._parts)
        for part in self._parts:
            part.starting = False
        on_ready()

    async def _all_ready(self, parts: Sequence[Part]) -> None:
        while waiting := [part for part in parts if not part.ready.is_set()]:
            try:
                async with asyncio.timeout(SLOW_S):
                    await waiting[0].ready.wait()
            except TimeoutError:
                for part in waiting:
                    log.warning("still waiting for %s (%s)", part.spec.name, part.waiting_for)

    async def _stop(self) -> None:
        for part in self._parts:
            part.retire()
        order = {name: place for place, name in enumerate(self._plan.stop_order)}
        for part in sorted(self._parts, key=lambda part: order.get(part.spec.name, -1)):
            await part.stop()

    def _write_status(self) -> None:
        self._status.write([part.status for part in self._parts])
