"""Keeping an instance registered for as long as its process lives.

    async with AsyncClient.from_profile() as narthex:
        async with leased(narthex, "hello", "v1", InstanceCreate(address="10.0.0.5", port=9000)):
            await serve()

The instance has a lease, renewed at a third of its length. When the API was away for longer than that, the
instance is registered again under a new id. Leaving the block drains it: requests under way are answered first.

An application that serves in other tasks stays in the block until it is told to end (SIGTERM, Ctrl-C):

        async with leased(narthex, "hello", "v1", instance):
            await told_to_end()
"""

import asyncio
import logging
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from narthex.client.async_client import AsyncClient
from narthex.client.errors import ApiError, TimedOut
from narthex.contracts.api import InstanceCreate, InstanceDetail
from narthex.contracts.errors import NarthexError
from narthex.runtime.clock import Clock, SystemClock
from narthex.runtime.tasks import background, backoff

log = logging.getLogger(__name__)

LEASE_S = 15  # a dead host is gone from all routers within this; three renewals fit, so that two may be lost
DRAIN_S = 35.0  # above the registry's deadline; a replica without requests is gone in a moment
NOTE_MAX = 400

Trouble = Callable[[NarthexError | None], None]


class Lease:
    """One instance's registration. Use `leased` to get one that is kept up."""

    def __init__(
        self,
        client: AsyncClient,
        deployment: str,
        version: str,
        instance: InstanceCreate,
        *,
        project: str | None = None,
        on_trouble: Trouble | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._client = client
        self._deployment = deployment
        self._version = version
        self._lease_s = instance.lease_seconds or LEASE_S
        self._instance = instance.model_copy(update={"lease_seconds": self._lease_s})
        self._project = project
        self._on_trouble = on_trouble or _log_trouble
        self._clock = clock or SystemClock()
        self._note = ""
        self._withheld = False
        self._news = asyncio.Event()
        self._in_trouble = False
        self.registered = asyncio.Event()  # set once, with the first registration
        self.id: str | None = None  # the instance's id while it is registered

    def tell(self, note: str) -> None:
        """Say something about the instance, shown in its `note`: sent at once and with every renewal."""
        self._note = note[:NOTE_MAX]
        self._news.set()

    def withhold(self, withheld: bool) -> None:
        """Stay out of service for now, or come back: e.g. what listens at the address just now is something else."""
        self._withheld = withheld
        self._news.set()

    async def keep(self) -> None:
        """Register and renew until cancelled. An API that is away or says no is asked again, and reported."""
        failures = 0
        while True:
            try:
                await self._renew()
            except NarthexError as error:
                self._say(error)
                await self._clock.sleep(backoff(failures, first_s=0.2, most_s=self._lease_s / 3))
                failures += 1
                continue
            self._say(None)
            failures = 0
            await self._rest()

    async def drain(self, timeout_s: float = DRAIN_S) -> bool:
        """Take the instance out of service; True when its last request was answered and it is gone."""
        id = await self._withdraw()
        if id is None:
            return True
        try:
            await self._client.instances.wait_until_gone(
                self._deployment, self._version, id, timeout=timeout_s, project=self._project
            )
        except TimedOut:
            return False
        return True

    async def _renew(self) -> None:
        """One step: renew, or register when there is nothing to renew."""
        self._news.clear()
        if self._withheld:
            await self._withdraw()
            return
        note = self._note
        if self.id is not None:
            try:
                await self._client.instances.renew(
                    self._deployment, self._version, self.id, note=note, project=self._project
                )
                return
            except ApiError as error:
                if error.status != 404:
                    raise
                self.id = None  # it ran out: a machine that slept, an API that was away
        made = await self._register()
        if note:
            await self._client.instances.renew(
                self._deployment, self._version, made.id, note=note, project=self._project
            )

    async def _withdraw(self) -> str | None:
        """Have the instance drained and removed; returns the id it had."""
        id = self.id
        if id is not None:
            try:
                await self._client.instances.delete(self._deployment, self._version, id, project=self._project)
            except ApiError as error:
                if error.status != 404:  # it ran out: that is what was wanted
                    raise
            self.id = None
        return id

    async def _register(self) -> InstanceDetail:
        made = await self._client.instances.create(
            self._deployment, self._version, self._instance, project=self._project
        )
        self.id = made.id
        self.registered.set()
        return made

    async def _rest(self) -> None:
        """Until the next renewal is due, or there is news to tell."""
        async with background() as tasks:
            due = tasks.start(self._clock.sleep(self._lease_s / 3), "renewal due")
            news = tasks.start(self._news.wait(), "news for the lease")
            await asyncio.wait((due, news), return_when=asyncio.FIRST_COMPLETED)

    def _say(self, error: NarthexError | None) -> None:
        """Report trouble when it begins and when it ends, not at every try."""
        if (error is not None) != self._in_trouble:
            self._in_trouble = error is not None
            self._on_trouble(error)


@asynccontextmanager
async def leased(
    client: AsyncClient,
    deployment: str,
    version: str,
    instance: InstanceCreate,
    *,
    project: str | None = None,
    on_trouble: Trouble | None = None,
    drain_s: float = DRAIN_S,
    clock: Clock | None = None,
) -> AsyncIterator[Lease]:
    """An instance that is registered within the block, and drained at its end.

    `on_trouble` hears when the API stops taking renewals (with the error) and when it does again (with None).
    """
    held = Lease(client, deployment, version, instance, project=project, on_trouble=on_trouble, clock=clock)
    try:
        async with background() as tasks:
            tasks.start(held.keep(), "lease")
            yield held
    finally:
        try:
            await held.drain(drain_s)
        except NarthexError as error:
            log.warning("could not drain the instance; its lease will run out: %s", error)


async def told_to_end() -> None:
    """Return at the first SIGTERM or SIGINT, which then does nothing else; the next one acts as usual."""
    loop, told = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told.set)
    try:
        await told.wait()
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)


def _log_trouble(error: NarthexError | None) -> None:
    if error is None:
        log.info("the instance is registered again")
    else:
        log.warning("the instance's lease is not renewed: %s", error)
