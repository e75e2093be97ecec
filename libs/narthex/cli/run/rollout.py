"""Brings the replicas of a run up, keeps them registered, and takes them down without losing a request."""

import asyncio
import signal
import socket
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from narthex.cli.run.console import Console
from narthex.cli.run.guardian import GRACE_S, Guard
from narthex.cli.run.placement import Place
from narthex.cli.run.plan import Plan, curl_line
from narthex.cli.run.replica import Replica
from narthex.cli.session import body
from narthex.client.async_client import AsyncClient
from narthex.client.errors import TimedOut
from narthex.client.lease import Lease
from narthex.client.profiles import Profile
from narthex.contracts.api import InstanceCreate, ServiceDetail
from narthex.contracts.errors import NarthexError
from narthex.runtime.tasks import background

LEASE_S = 15
DRAIN_S = 35.0  # above the registry's deadline; a replica without requests is gone in a moment
READY_POLL_S = 0.25
HINT_AFTER_S = 20.0


class Stop:
    """Ctrl-C and its kin: the first asks for an orderly end, the second for one at once."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.insisted = asyncio.Event()

    def __call__(self) -> None:
        (self.insisted if self.asked.is_set() else self.asked).set()

    @contextmanager
    def on_signals(self) -> Iterator[None]:
        """Hear the signals within the block."""
        loop = asyncio.get_running_loop()
        numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        for number in numbers:
            loop.add_signal_handler(number, self)
        try:
            yield
        finally:
            for number in numbers:
                loop.remove_signal_handler(number)


class Rollout:
    """The replicas of one run, each with its lease."""

    def __init__(
        self,
        api: AsyncClient,
        plan: Plan,
        service: ServiceDetail,
        places: Sequence[Place],
        profile: Profile,
        console: Console,
        guard: Guard,
    ) -> None:
        self._api = api
        self._plan = plan
        self._service = service
        self._profile = profile
        self._console = console
        self._leases = [self._lease(number, place) for number, place in enumerate(places, 1)]
        self._replicas = [
            Replica(number, plan.command, place, console, guard, lease.tell, lease.withhold)
            for number, (place, lease) in enumerate(zip(places, self._leases, strict=True), 1)
        ]

    async def run(self, stop: Stop) -> bool:
        """Serve until asked to stop, then end in order; False if the end had to be at once."""
        try:
            async with background() as processes:
                for replica in self._replicas:
                    processes.start(replica.keep_running(), f"replica {replica.number}")
                await self._serve_until(stop)
                return await _unless(stop.insisted, self._wind_down())
        finally:
            for replica in self._replicas:
                replica.kill()

    async def _serve_until(self, stop: Stop) -> None:
        async with background() as tasks:
            for lease in self._leases:
                tasks.start(lease.keep(), "lease")
            tasks.start(self._announce(), "announce")
            await stop.asked.wait()

    async def _wind_down(self) -> None:
        """No new requests first; then those under way; then the processes."""
        self._console.say("draining", "draining; Ctrl-C again ends at once")
        for replica in self._replicas:
            replica.retire()
        both = zip(self._replicas, self._leases, strict=True)
        await asyncio.gather(*(self._take_down(replica, lease) for replica, lease in both))

    async def _take_down(self, replica: Replica, lease: Lease) -> None:
        try:
            if not await lease.drain(DRAIN_S):
                self._console.say("undrained", f"replica {replica.number} still has requests and is stopped now")
        except NarthexError as error:
            self._console.say("undrained", f"replica {replica.number} is stopped without draining: {error.message}")
        await replica.stop(GRACE_S)

    async def _announce(self) -> None:
        """Say where the service is, once a request would be answered by one of our replicas."""
        hinted, loop = False, asyncio.get_running_loop()
        began = loop.time()
        while not await self._is_ready():
            if not hinted and loop.time() - began > HINT_AFTER_S:
                hinted = True
                where = f"narthex instances list {self._plan.name} {self._plan.version}"
                self._console.say("waiting", f"not ready yet: {where} shows why")
            await asyncio.sleep(READY_POLL_S)
        url = self._service.endpoint or ""
        curl = curl_line(self._service, self._profile, Path.cwd())
        self._console.result("ready", [f"{self._plan.name} is ready: {url}", f"  {curl}"], url=url, curl=curl)

    async def _is_ready(self) -> bool:
        if not any(lease.id for lease in self._leases):
            return False
        try:
            status = await self._api.services.status(self._plan.name)
            if not status.ready or not await self._one_of_ours_runs():
                return False
            await self._api.services.wait_until_applied(self._plan.name, timeout=HINT_AFTER_S)
        except (NarthexError, TimedOut):
            return False
        return True

    async def _one_of_ours_runs(self) -> bool:
        """Instances of an earlier run may still be listed; they do not count."""
        ours = {lease.id for lease in self._leases}
        return any(
            [
                instance.id in ours
                async for instance in self._api.instances.list(self._plan.name, self._plan.version, status="running")
            ]
        )

    def _lease(self, number: int, place: Place) -> Lease:
        # Without a port of its own an instance is reached at whatever port the service has.
        explicit = place.own_port or self._service.port != place.port
        instance = body(
            InstanceCreate,
            address=place.host,
            port=place.port if explicit else None,
            lease_seconds=LEASE_S,
            metadata={"runner": "narthex run", "replica": str(number), "machine": socket.gethostname()},
        )
        return Lease(self._api, self._plan.name, self._plan.version, instance, on_trouble=self._trouble_with(number))

    def _trouble_with(self, number: int) -> Callable[[NarthexError | None], None]:
        def report(error: NarthexError | None) -> None:
            text = "is registered again" if error is None else f"cannot be registered: {error.message}"
            self._console.say("lease", f"replica {number} {text}", replica=number)

        return report


async def _unless(event: asyncio.Event, work: Coroutine[Any, Any, None]) -> bool:
    """Do the work, unless the event comes first; True when the work was done."""
    async with background() as tasks:
        doing = tasks.start(work, "work")
        waiting = tasks.start(event.wait(), "event")
        await asyncio.wait((doing, waiting), return_when=asyncio.FIRST_COMPLETED)
        return doing.done()
