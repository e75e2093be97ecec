"""Where two faults at a time are made: an installation with bad networks between all, a small disk, wrong clocks."""

import os
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from faults.ledger import Changer
from faults.machine import shifted, small_disk

from endurance.account import Accounts
from endurance.excuses import Excuse, Excuses
from endurance.stage import HEALTH, PATIENCE_S, Stage, secured, site
from endurance.watch import Diary
from narthex.testing.faultproxy import FaultProxy, fault_proxy
from narthex.testing.installation import Installation, P, Service, installation
from narthex.testing.lag import LoopLag
from narthex.testing.postgres import PostgresServer, postgres_server

CHANGERS = 2
DISK_MB = 4
UNRECORDED_S = 10.0  # a request may have begun so long before its record was lost
# For ever: at the end all facts are held against the audit trail. Of the usual hour nothing is left where clocks are
# wrong by one: what was sent an hour ago the registry forgets, and rightly.
OUTBOX_KEEP_S = str(30 * 86_400)


@dataclass
class Ground:
    """What is broken: the installation, and what stands around it."""

    here: Installation
    database: FaultProxy
    postgres: PostgresServer
    hello: Service
    disk: Path | None  # of the second router, a small one; None: only root may mount
    shift: Path | None  # by how much all clocks are wrong
    random: random.Random
    excuses: Excuses = field(default_factory=Excuses)
    unrecorded: Excuses = field(default_factory=Excuses)  # of missing records: what died had them in memory
    round_began: float = 0.0
    down: set[str] = field(default_factory=set)  # parts that we have killed and not started again

    def ports(self, router: str) -> frozenset[int]:
        return frozenset(self.here.ports[router])

    def records_lost(self, cause: str, ports: frozenset[int], since: float) -> None:
        """What was on its way to the log from some routers is gone, and nobody is left who could count it."""
        self.unrecorded.add(Excuse(cause, frozenset(), ports, since - UNRECORDED_S, time.time() + UNRECORDED_S))

    @contextmanager
    def excused(
        self, cause: str, *, kinds: frozenset[str] = frozenset(), ports: frozenset[int] = frozenset()
    ) -> Iterator[None]:
        excuse = self.excuses.add(Excuse(cause, kinds, ports, time.time()))
        try:
            yield
        finally:
            excuse.ended = time.time()


@dataclass
class Run:
    """One run of many rounds."""

    stage: Stage
    ground: Ground
    url: str  # of the database, not by its bad network
    changers: list[Changer]
    ids: dict[str, str]  # of the changers' services
    diary: Diary
    seed: int
    whole_s: list[float] = field(default_factory=list)  # after healing, until all was as it ought to be
    drawn: Counter[str] = field(default_factory=Counter)
    lag: LoopLag = field(default_factory=LoopLag)  # of rounds in which no event loop was stopped on purpose

    @property
    def accounts(self) -> Accounts:
        return self.stage.accounts


@asynccontextmanager
async def staged(directory: Path, seed: int) -> AsyncIterator[Run]:
    """The installation on PostgreSQL, with bad networks between all, its services, and those who change them."""
    root = os.geteuid() == 0
    shift = directory / "shift"
    async with AsyncExitStack() as stack:
        postgres = stack.enter_context(postgres_server(durable=True))
        url = postgres.new_database()
        way = await stack.enter_async_context(fault_proxy(postgres.port))
        settings = {
            "NARTHEX_DATABASE_URL": url.replace(str(postgres.port), str(way.port)),
            "NARTHEX_ROUTER_CONNECT_TIMEOUT_S": PATIENCE_S,
            "NARTHEX_REGISTRY_OUTBOX_KEEP_S": OUTBOX_KEEP_S,
        }
        here = await stack.enter_async_context(
            installation(
                directory / "site", routers=2, workers=2, networks=("nats", "valkey"), settings=settings,
                environment=shifted(shift) if root else {},
            )
        )  # fmt: skip
        disk = None
        if root:
            disk = here.directory.root / "router-2" / "router"
            await here["router-2"].end()
            stack.enter_context(small_disk(disk, DISK_MB))
            await here["router-2"].start()
            stack.callback(here["router-2"].kill)  # before its disk goes
        stage = await services(here)
        ground = Ground(
            here, way, postgres, stage.services["hello"], disk, shift if root else None, random.Random(seed)
        )
        for each in stage.sites.values():
            each.excuse = ground.excuses.of
        changers = [Changer(f"s{number}", "hello") for number in range(CHANGERS)]
        ids = {each.name: (await here.api.made(f"{P}/services", each.wish(each.name)))["id"] for each in changers}
        yield Run(stage, ground, url, changers, ids, Diary(directory, "rounds.jsonl"), seed)


async def services(here: Installation) -> Stage:
    """`hello` loses instances, `flow` none: its streams end only with a router or a worker."""
    numbers = {"hello": 4, "flow": 2, "other": 2, "canary": 1}
    found = {name: await here.service(name, instances=number, check=HEALTH) for name, number in numbers.items()}
    sites = {name: site(here, each) for name, each in found.items()}
    # A limit that nobody reaches, and that refuses nobody while Valkey is away: it is asked for all the same.
    secure = await secured(here, found["hello"], rate_limit=1_000_000, limit_when_unknown="open")
    sites["secure"] = site(here, secure, answers="hello", secure=True)
    stage = Stage(here, Accounts(), found, sites)
    sites["secure"].token = here.token
    await here.propagated(secure)
    return stage
