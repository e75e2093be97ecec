"""The registry's wiring: what there is, and who gets what."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from aiohttp import ClientSession, ClientTimeout, DummyCookieJar

from narthex.bus import EVENTS, open_bus
from narthex.contracts.errors import Misconfigured
from narthex.contracts.events import RequestsServed, VersionsCompared
from narthex.contracts.queries import SNAPSHOT_SUBJECT, SnapshotQuestion
from narthex.runtime.clock import SystemClock
from narthex.runtime.key_file import follow_keys
from narthex.runtime.service import Part
from narthex.runtime.tasks import background
from narthex_registry.api.server import application, serve
from narthex_registry.api.state import State
from narthex_registry.callers import Callers
from narthex_registry.config import Config as Config
from narthex_registry.database import Database, open_database
from narthex_registry.denials import Denials
from narthex_registry.discovery.providers import follower, providers
from narthex_registry.domain_proof import Proof
from narthex_registry.drains import Drains
from narthex_registry.feed import Feed
from narthex_registry.first_start import open_keys, prepare
from narthex_registry.handlers import LISTENED, durable_handlers, live_handler, request_handler, wanted
from narthex_registry.last_used import LastUsed
from narthex_registry.leases import Reaper
from narthex_registry.passwords import open_passwords
from narthex_registry.pilot import Pilot
from narthex_registry.probers import Probers
from narthex_registry.propagation import Workers
from narthex_registry.rates import Rates
from narthex_registry.relay import Relay
from narthex_registry.resealing import seal_anew
from narthex_registry.retention import forget_what_is_old
from narthex_registry.samples import sample
from narthex_registry.schema import migrate
from narthex_registry.service_views import Address
from narthex_registry.sign_in import SignIn
from narthex_registry.single_sign_on import WITHIN_S, SingleSignOn
from narthex_registry.snapshot import Snapshot
from narthex_registry.sources import parse_networks
from narthex_registry.standings import Standings
from narthex_registry.streams import Streams
from narthex_registry.tail import Tail
from narthex_registry.webhook_calls import Caller
from narthex_registry.webhooks import Webhooks

log = logging.getLogger(__name__)
PART = "registry"


@dataclass(frozen=True)
class Registry(Part):
    """A running registry; the port is known only once it listens, for tests ask for any free one."""

    port: int = 0


@asynccontextmanager
async def open(config: Config) -> AsyncIterator[Registry]:
    """A registry that answers when the block begins, whether or not NATS is there."""
    data_dir = config.process.data_dir
    home = _home(data_dir)
    clock = SystemClock()
    async with (
        open_database(config.database.resolve(home)) as engine,
        open_passwords() as passwords,
        ClientSession(timeout=ClientTimeout(total=WITHIN_S), cookie_jar=DummyCookieJar()) as http,
    ):
        await migrate(engine)
        database = Database(engine)
        keys = await open_keys(database, config.sealing.key_file)
        await prepare(database, data_dir, config.process.domain, keys)
        last_used = LastUsed(database, clock)
        callers = Callers(database, keys, clock, last_used)
        sign_in = SignIn(database, passwords, keys, clock, config.sign_in)
        networks = parse_networks(config.webhooks.allow_networks)
        webhooks = Webhooks(keys.sealer, networks)
        webhook_caller = Caller(database, webhooks, networks, clock)
        feed = Feed(config.registry.stream_queue)
        workers = Workers(config.registry.worker_silence_s)
        probers = Probers()
        reaper = Reaper(database, clock)
        reach = config.instances.reach()
        async with open_bus(config.bus, PART) as bus, background() as tasks:
            streams = Streams(bus)
            drains = Drains(
                database, clock, lambda: workers.routers(clock.now()) if bus.connected else None, reaper.wake
            )
            pilot = Pilot(database, clock, lambda: bus.connected)
            tail = Tail(bus)
            tasks.start(tail.run(), "tail")
            standings = Standings(database, bus, feed, clock)
            tasks.start(standings.run(), "standings")
            relay = Relay(database, bus, streams, clock, poll_s=config.registry.relay_poll_s)
            tasks.start(streams.run(), "streams")
            tasks.start(relay.run(), "relay")
            tasks.start(sample(database, bus, clock), "samples")
            tasks.start(forget_what_is_old(database, clock, config.registry, config.webhooks), "retention")
            tasks.start(reaper.run(), "reaper")
            tasks.start(drains.run(), "drains")
            tasks.start(pilot.run(), "rollouts")
            tasks.start(bus.listen((VersionsCompared,), pilot.hear), "how versions compare")
            tasks.start(webhook_caller.run(), "webhook calls")
            tasks.start(bus.overhear(RequestsServed, request_handler(database, webhook_caller)), "requests")
            tasks.start(last_used.run(), "last used")
            tasks.start(follow_keys(config.sealing.key_file, keys.secrets, keys.use, clock), "follow the sealing keys")
            tasks.start(seal_anew(database, webhooks, keys), "seal anew")
            tasks.start(bus.consume(EVENTS, durable_handlers(database, webhook_caller), durable=PART), "events")
            live = live_handler(workers, probers, feed, callers, drains, clock)
            tasks.start(bus.listen(LISTENED, live, wanted(feed), feed.interrupted), "live events")
            tasks.start(bus.answer(SNAPSHOT_SUBJECT, SnapshotQuestion, Snapshot(database).page), "snapshot")
            found_by = providers(config.discovery, database, clock)
            for provider in found_by:
                following = follower(
                    provider, config.discovery.general, reach, database, clock, reaper.wake,
                    drain_s=config.registry.drain_s,
                )  # fmt: skip
                tasks.start(following.run(), f"discovery by {provider.name}")
            state = State(
                database=database,
                bus=bus,
                clock=clock,
                feed=feed,
                tail=tail,
                standings=standings,
                workers=workers,
                probers=probers,
                reaper=reaper,
                drains=drains,
                pilot=pilot,
                address=Address(config.process.domain, config.api.public_https_port),
                api=config.api,
                registry=config.registry,
                keys=keys,
                callers=callers,
                webhooks=webhooks,
                webhook_caller=webhook_caller,
                networks=networks,
                last_used=last_used,
                denials=Denials(database, clock),
                rates=Rates(clock, config.api.requests_per_minute),
                passwords=passwords,
                sign_in=sign_in,
                sign_in_settings=config.sign_in,
                single_sign_on=SingleSignOn(config.single_sign_on, http, clock),
                domain=config.process.domain,
                providers=frozenset(provider.name for provider in found_by),
                trusted=parse_networks(config.api.trusted_proxies),
                proof=Proof(config.domains, networks),
                reach=reach,
            )
            async with serve(application(state), config.api.bind, config.api.port) as port:
                log.info("api listens", extra={"fields": {"bind": config.api.bind, "port": port}})

                async def drain() -> None:
                    feed.close()  # event streams would hold the server open
                    tail.close()

                try:
                    # NATS counts until it was there once; later the API works without it and facts wait.
                    yield Registry(
                        checks={"streams": streams.waiting_for},
                        drain=drain,
                        port=port,
                    )
                finally:
                    feed.close()
                    tail.close()


def _home(data_dir: Path) -> Path:
    """The registry's own directory, made if it is missing."""
    home = data_dir / PART
    try:
        home.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Misconfigured(
            f"cannot use {home}: {error.strerror}; set NARTHEX_DATA_DIR to a directory I may write"
        ) from None
    return home
