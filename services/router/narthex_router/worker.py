"""A worker process: one event loop that serves requests by its table.

Forked by the nursery, with its listening sockets and one end of a socket pair to the main process; imports
neither pydantic nor NATS, so that it stays small. It goes on serving whatever else is away, and ends when its main
process does.
"""

import asyncio
import faulthandler
import gc
import json
import logging
import signal
import socket
import struct
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import uvloop

from narthex.contracts.errors import Misconfigured
from narthex.contracts.reach import parse_reach
from narthex.routing import Kind, open_limit_store, open_table_store
from narthex.runtime.clock import SystemClock
from narthex.runtime.key_file import follow_keys, read_sealing_keys
from narthex.runtime.logs import set_up_logs
from narthex.runtime.sealing import Sealer, pass_key, token_digest_key
from narthex.runtime.tasks import background, cancelled
from narthex_router.acceptor import Acceptor, Listeners
from narthex_router.bounds import Bounds
from narthex_router.challenges import Challenges
from narthex_router.channel import Channel, Say
from narthex_router.doors.certificate import authorities
from narthex_router.doors.crier import Crier
from narthex_router.doors.policy import networks
from narthex_router.doors.porter import Porter
from narthex_router.endpoints import Endpoints
from narthex_router.evidence import Place
from narthex_router.follower import Follower
from narthex_router.journal import BATCH, Journal
from narthex_router.leaving import Leaving
from narthex_router.lessor import Lessor
from narthex_router.memory import Memory, limited_group
from narthex_router.plane import Plane
from narthex_router.pulse import Cores, Lateness
from narthex_router.relief import Relief
from narthex_router.table import Table
from narthex_router.tls import Certificates

log = logging.getLogger(__name__)

SWEEP_S = 0.25  # how exact time limits are
LOOK_S = 0.05  # between two looks how late it is: at most 0.3 % of a core, where nothing else wakes it (measured)
IDLE_LOOK_S = 1.0  # without clients
FLUSH_S = 0.2  # how long a request record waits for company
STATUS_S = 1.0
BEHIND_S = 5.0  # without a word of the shared table: a token that is not known may be a new one
DRAIN_LOOK_S = 0.05
LAST_BYTES_S = 0.5  # for a client to take the answer that the router is going away
# Exchanges are freed by their reference counts; the collector is for rare cycles and looks at everything it may.
GC_THRESHOLD = 100_000
LIMITS_WITHIN_S = 1.0  # an answer about a limit; requests wait for it
STALL_S = 1.0  # an event loop that stands still for so long shows its stack in the log


@dataclass(frozen=True)
class WorkerConfig:
    """All that a worker is told by the main process."""

    name: str
    router: str
    domain: str
    bind: str
    http_port: int
    https_port: int
    public_https_port: int
    serve_plain: bool
    allow_shrink: bool
    redis_url: str
    redis_timeout_s: float
    sealing_key_file: str
    copy_path: str
    log_level: str
    traced: int = 0  # see `Plane`
    sign_in_url: str = ""  # empty: browsers are not sent anywhere
    issuer_networks: tuple[str, ...] = ()
    trusted_proxies: tuple[str, ...] = ()
    proxy_protocol_from: tuple[str, ...] = ()
    bounds: dict[str, Any] = field(default_factory=dict)
    instances_allow: str = ""  # see `narthex.contracts.reach`
    instances_deny: str = ""
    memory_limit: int = 1 << 60  # bytes, see `memory`


class Worker:
    """The process's parts, and their life."""

    def __init__(self, config: WorkerConfig, channel: Channel, listeners: Listeners) -> None:
        self._config = config
        self._channel = channel
        self._bounds = Bounds(**config.bounds)
        self._listeners = listeners
        self._certificates = Certificates(listeners.context, self._unseal, self._asks)
        self._challenges = Challenges(self._unseal)
        self._token_keys: tuple[bytes, ...] = ()  # until the sealing keys were read
        self._sealer: Sealer
        self._status_wanted = asyncio.Event()
        self._leaving = Leaving()
        self._lateness = Lateness()
        self._memory = Memory(config.memory_limit, limited_group())
        self._plane: Plane
        self._acceptor: Acceptor
        self._lessor: Lessor
        self._follower: Follower

    async def run(self) -> None:
        """Serve until the main process says drain, or is gone."""
        config = self._config
        async with (
            open_table_store(config.redis_url, config.redis_timeout_s) as store,
            open_limit_store(config.redis_url, LIMITS_WITHIN_S) as budgets,
            background() as tasks,
        ):
            self._plane = Plane(
                table=self._new_table(),
                endpoints=Endpoints(
                    self._bounds.buffer,
                    self._bounds.upstream_idle_s,
                    parse_reach(config.instances_allow, config.instances_deny),
                ),
                journal=Journal(config.router),
                bounds=self._bounds,
                tasks=tasks,
                https_port=config.public_https_port,
                serve_plain=config.serve_plain,
                traced=config.traced,
                trusted=networks(config.trusted_proxies),
                introducers=networks(config.proxy_protocol_from),
            )
            self._plane.porter = Porter(
                tasks, sign_in_url=config.sign_in_url, networks=networks(config.issuer_networks)
            )
            self._plane.crier = Crier(tasks, store)
            self._plane.look = Relief(self._plane, self._memory).look
            self._lessor = Lessor(self._plane.gates, budgets, config.name)
            self._acceptor = Acceptor(self._plane, self._listeners, self._challenges)
            self._follower = Follower(
                store, self._new_table, Path(config.copy_path), self._table_changed, allow_shrink=config.allow_shrink
            )
            gc.set_threshold(GC_THRESHOLD)
            faulthandler.register(signal.SIGALRM)
            signal.setitimer(signal.ITIMER_REAL, STALL_S)  # set anew by each sweep; whatever comes before may stall
            tasks.start(self._follow(), "follow the table")
            leasing = tasks.start(self._lessor.run(), "ask for limits")
            tasks.start(self._sweep(), "sweep")
            tasks.start(self._feel(), "feel the pulse")
            tasks.start(self._flush(), "flush the journal")
            tasks.start(self._report(), "report")
            tasks.start(self._testify(), "tell what was seen")
            await self._obey()
            await self._drain()
            await cancelled(leasing)
            await self._lessor.end()

    async def _obey(self) -> None:
        """Wait for the main process's word, or its end."""
        while (frame := await self._channel.read()) is not None:
            if frame[0] is Say.DRAIN:
                return
            if frame[0] is Say.COUNT:
                await self._tell_counted()
            elif frame[0] is Say.SHUN:
                self._plane.endpoints.shun(Place(*each) for each in json.loads(frame[1]))
            elif frame[0] is Say.STALE:
                self._plane.endpoints.vouched(stale=bool(frame[1]))
            elif frame[0] is Say.READMIT:
                self._plane.endpoints.readmit(Place(*each) for each in json.loads(frame[1]))

    # -- the table ------------------------------------------------------------------------------------------

    async def _follow(self) -> None:
        """Follow the table, as soon as there is the key that certificates are sealed and tokens digested under."""
        path = Path(self._config.sealing_key_file)
        while not self._token_keys:
            try:
                keys = read_sealing_keys(path)
                self._use_keys(*keys)
            except Misconfigured as error:  # another part makes it on an installation's first start
                self._follower.waiting_for = error.message
                await asyncio.sleep(STATUS_S)
        async with background() as tasks:
            tasks.start(follow_keys(path, keys, self._use_keys, SystemClock()), "follow the sealing keys")
            await self._follower.run()

    def _new_table(self) -> Table:
        return Table(self._config.domain, *self._token_keys, bounds=self._bounds)

    def _use_keys(self, *keys: bytes) -> None:
        """Open with any of the sealing keys, sign with what follows from the first."""
        self._sealer = Sealer(*keys)
        self._token_keys = tuple(token_digest_key(key) for key in keys)
        self._plane.table.token_keys = self._token_keys
        self._plane.table.access = object()  # who was unknown may be known now, and the other way round
        self._plane.porter.pass_key, *older = (pass_key(key) for key in keys)
        self._plane.porter.older_keys = tuple(older)

    def _table_changed(self, table: Table, kinds: set[Kind]) -> None:
        if table is not self._plane.table:
            table.token_keys = self._token_keys  # they may have changed while it was loaded
            self._plane.table = table
            gc.freeze()  # a table is not garbage: the collector need not look at a million objects
        if Kind.INSTANCE in kinds:
            self._plane.endpoints.leave(table.draining)
            self._plane.journal.evidence.urgent()
        if Kind.CERTIFICATE in kinds:
            self._certificates.load(table.certificates)
        if Kind.CHALLENGE in kinds:
            self._challenges.load(table.challenges)
            self._plane.challenges = self._challenges if self._challenges else None
        self._status_wanted.set()

    def _unseal(self, sealed: str, context: str) -> bytes:
        return self._sealer.open(sealed, context)

    def _asks(self, host: bytes) -> str:
        """Whose certificates clients are asked for at a host."""
        route = self._plane.table.route(host)
        return authorities(route) if route is not None else ""

    def _waiting_for(self) -> str:
        """What keeps this worker from serving; empty when nothing does."""
        if not self._follower.filled:
            return self._follower.waiting_for
        if not self._certificates.ready():
            return "a certificate"
        return "" if self._acceptor.open else "its ports"

    # -- what goes on all the time --------------------------------------------------------------------------

    async def _sweep(self) -> None:
        while True:
            signal.setitimer(signal.ITIMER_REAL, STALL_S)  # `dump_traceback_later` would start a thread each time
            for _ in self._plane.sweep(time.monotonic()):
                await asyncio.sleep(0)
            self._plane.journal.evidence.urgent()
            await asyncio.sleep(SWEEP_S)

    async def _feel(self) -> None:
        """See how late the event loop is and how short memory: often while there are clients, who would wait."""
        cores = Cores()
        while True:
            seconds = LOOK_S if self._plane.connections else IDLE_LOOK_S
            await asyncio.sleep(self._lateness.sleeps(time.monotonic(), seconds, cores.waited_s()))
            self._lateness.woke(time.monotonic(), cores.waited_s())
            self._plane.look(time.monotonic())

    async def _flush(self) -> None:
        """Hand records on, some time after there are any: a worker that nobody calls sleeps."""
        some = asyncio.Event()
        self._plane.journal.news = some.set
        while True:
            await some.wait()
            some.clear()
            await asyncio.sleep(FLUSH_S)
            await self._flush_now()

    async def _flush_now(self) -> None:
        while slices := await self._some_records():
            await self._tell_records(b"[", ",".join(slices).encode("ascii"), b"]")
        if self._plane.journal.dropped:
            await self._tell_records(b"[]")

    async def _tell_records(self, *records: bytes) -> None:
        dropped = json.dumps(self._plane.journal.take_dropped()).encode()
        await self._channel.write(Say.RECORDS, struct.pack("!I", len(dropped)), dropped, *records)

    async def _some_records(self) -> list[str]:
        """As many slices of the journal as go into one batch."""
        slices: list[str] = []
        size = 0
        while size < BATCH and (few := self._plane.journal.take()):
            slices.append(few)
            size += len(few)
            await asyncio.sleep(0)  # requests that came meanwhile go first
        return slices

    async def _report(self) -> None:
        """Tell the main process what is served by, at once when it changed and every second."""
        while True:
            await self._accept()
            self._plane.table.say_in_step(self._follower.stale_s() < BEHIND_S)
            self._status_wanted.clear()
            await self._channel.write(Say.STATUS, json.dumps(self._status()).encode())
            await self._tell_limits()
            try:
                async with asyncio.timeout(STATUS_S):
                    await self._status_wanted.wait()
            except TimeoutError:
                pass

    async def _testify(self) -> None:
        """Tell what was seen of instances: a connect that failed at once, the rest with each sweep."""
        evidence, urgent = self._plane.journal.evidence, asyncio.Event()
        evidence.urgent = urgent.set
        while True:
            await urgent.wait()
            urgent.clear()
            now = time.monotonic()
            if evidence.progress_due(now):
                evidence.under_way(self._plane.connections)
            if told := evidence.take(now):
                await self._channel.write(Say.EVIDENCE, told)
            if compared := evidence.arms.take():
                await self._channel.write(Say.COMPARED, compared)
            plane = self._plane
            if busy := self._leaving.news(plane.table.draining, plane.endpoints, plane.connections, now):
                await self._channel.write(Say.BUSY, busy)

    async def _tell_limits(self) -> None:
        reached = list(self._plane.gates.take_reached())
        for each in reached:
            if each.shadowed:
                self._plane.journal.stats.shadowed(each.service_id, each.project_id, each.code, each.shadowed)
        if reached:
            await self._channel.write(Say.LIMITS, json.dumps([asdict(each) for each in reached]).encode())

    async def _accept(self) -> None:
        """Accept connections as soon as there is something to serve them by."""
        self._acceptor.check()
        ready = self._follower.filled and self._certificates.ready()
        if ready and not self._acceptor.open and not self._plane.draining:
            await self._acceptor.begin()

    def _status(self) -> dict[str, Any]:
        plane, table = self._plane, self._plane.table
        return {
            "waiting_for": self._waiting_for(),
            "table_away": self._follower.waiting_for,
            "applied_sequence": table.applied_sequence,
            "services": table.services(),
            "requests_ended": plane.journal.ended,
            "loop_lag_us": self._lateness.take(),
            "memory_bytes": self._memory.resident(),
            "memory_pressure": int(plane.level),
            "connections": len(plane.connections),
            "in_flight": sum(1 for connection in plane.connections if connection.exchange is not None),
            "unreadable_entries": table.unreadable,
            "table_stale_s": int(self._follower.stale_s()),
            "unrouted_answers": plane.answered,
            "proxy_headers_refused": plane.headers_refused,
            "limit_questions": self._lessor.operations,
            "limit_requests_granted": self._lessor.granted,
            "limits_away": int(plane.gates.away),
        }

    async def _tell_counted(self) -> None:
        """Tell what adds up over workers, a piece at a time, for requests go first; see `tallies`."""
        plane = self._plane
        for services in plane.journal.stats.pieces(plane.table.has_service, time.monotonic()):
            await self._channel.write(Say.COUNT, json.dumps({"services": services, "more": True}).encode())
            await asyncio.sleep(0)
        await self._channel.write(Say.COUNT, json.dumps(self._counted()).encode())

    def _counted(self) -> dict[str, Any]:
        return {
            "loop_lag": self._lateness.lag.plain(),
            "loop_stall": self._lateness.stall.plain(),
            "shed": self._plane.shed,
        }

    # -- the end --------------------------------------------------------------------------------------------

    async def _drain(self) -> None:
        """Stop accepting, let requests finish, end what is left at the deadline, hand over the last records."""
        plane = self._plane
        plane.drain()
        self._acceptor.end()
        deadline = time.monotonic() + self._bounds.drain_s
        while plane.connections and time.monotonic() < deadline:
            for connection in list(plane.connections):
                connection.drain()
            await asyncio.sleep(DRAIN_LOOK_S)
        for connection in list(plane.connections):
            connection.expire()
        await self._flush_now()
        await self._let_go()

    async def _let_go(self) -> None:
        """Let the last bytes out to clients that take them."""
        deadline = time.monotonic() + LAST_BYTES_S
        while self._plane.connections and time.monotonic() < deadline:  # noqa: ASYNC110 - the hot path signals nobody
            await asyncio.sleep(DRAIN_LOOK_S)
        for connection in list(self._plane.connections):
            connection.cut()


async def _serve(config: WorkerConfig, descriptor: int, listeners: Listeners) -> None:
    channel = await Channel.over(socket.socket(fileno=descriptor))
    await Worker(config, channel, listeners).run()


def run_worker(config: WorkerConfig, descriptor: int, listeners: Listeners) -> None:
    """A worker's whole life; `descriptor` is its end of the socket pair to the main process."""
    set_up_logs(config.name, config.log_level)
    uvloop.run(_serve(config, descriptor, listeners))
