"""Certs and a router in the test's process, with a CA, NATS and Valkey as processes of their own.

async with site(tmp_path) as here:
    here.add_service("svc")
    async with here.certs():
        peer = await here.served("svc.services.test")
"""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import redis.asyncio
from integration.router_kit import TOKEN_KEY, service_entries

from narthex.bus import Bus, open_bus
from narthex.contracts import events
from narthex.contracts.entities import Domain, Service
from narthex.contracts.events import Event
from narthex.contracts.queries import SNAPSHOT_SUBJECT, SnapshotFact, SnapshotPage, SnapshotQuestion
from narthex.routing import Kind, TableStore, open_table_store
from narthex.runtime.key_file import open_sealing_keys
from narthex.runtime.sealing import Sealer
from narthex.runtime.service import Part
from narthex.runtime.tasks import background
from narthex.testing.pebble import Pebble, missing, pebble
from narthex.testing.servers import NatsServer, ValkeyServer, nats_server, valkey_server
from narthex.testing.waiting import eventually, until
from narthex_certs.app import Config
from narthex_certs.app import open as open_certs
from narthex_router.acceptor import Acceptor, Listeners
from narthex_router.bounds import Bounds
from narthex_router.challenges import Challenges
from narthex_router.endpoints import Endpoints
from narthex_router.follower import Follower
from narthex_router.journal import Journal
from narthex_router.plane import Plane
from narthex_router.table import Table
from narthex_router.tls import Certificates, new_context

DOMAIN = "test"
needs_pebble = pytest.mark.skipif(bool(missing()), reason=missing() or "pebble is there")


@dataclass
class Site:
    """Everything round certs: the registry's facts, the router, the CA."""

    directory: Path
    nats: NatsServer
    valkey: ValkeyServer
    http_port: int
    https_port: int
    store: TableStore
    bus: Bus
    monkeypatch: pytest.MonkeyPatch
    plane: Plane
    ca: Pebble
    facts: dict[str, Event] = field(default_factory=dict)
    sequence: int = 0
    trusted: ssl.SSLContext | None = None
    told: list[Event] = field(default_factory=list)  # events of certs

    @property
    def certificates(self) -> dict[str, Any]:
        """What the router serves with, by certificate id."""
        return dict(self.plane.table.certificates)

    def host(self, service: str) -> str:
        return f"{service}.services.{DOMAIN}"

    async def tell(self, kind: type[Event], entity: Any) -> None:
        """A fact of the registry's: in its snapshot, and as an event."""
        self.sequence += 1
        event = kind(key=entity.id, revision=self.sequence, sequence=self.sequence, entity=entity)  # type: ignore[call-arg]
        self.facts[entity.id] = event
        await self.bus.publish(event)

    async def add_service(self, name: str, instance_port: int = 1) -> None:
        await self.store.apply(service_entries([instance_port], service=name))
        service = Service(id=name, project_id="p", name=name, deployment_id=f"dep-{name}", port=9000)
        await self.tell(events.ServiceCreated, service)

    async def remove_service(self, name: str) -> None:
        service = self.facts.pop(name).entity  # type: ignore[attr-defined]
        await self.tell(events.ServiceDeleted, service)
        del self.facts[name]

    async def add_domain(self, host: str, service: str) -> None:
        domain = Domain(id=f"d-{host}", project_id="p", service_id=service, host=host, verified=True)
        await self.tell(events.DomainVerified, domain)

    async def forget_records(self) -> None:
        """Take what certs keeps out of Valkey, as if that were lost."""
        async with redis.asyncio.Redis.from_url(self.valkey.url) as raw:
            await raw.delete(*[key async for key in raw.scan_iter("nx:certs:*")])

    def set(self, **settings: object) -> None:
        """Settings of certs, without their prefix."""
        for name, value in settings.items():
            self.monkeypatch.setenv(f"NARTHEX_CERTS_{name.upper()}", str(value))

    def order_from(self, ca: Pebble) -> None:
        self.ca, self.trusted = ca, None
        self.set(
            issuer="acme", acme_directory=ca.directory, acme_staging_directory=ca.directory, acme_ca_file=ca.ca_file
        )

    @asynccontextmanager
    async def certs(self, directory: str = "data") -> AsyncIterator[Part]:
        """A certs worker with a data directory of its own."""
        self.monkeypatch.setenv("NARTHEX_DATA_DIR", str(self.directory / directory))
        async with open_certs(Config()) as part:
            yield part

    def trust(self) -> ssl.SSLContext:
        """What verifies the CA's certificates, with every strict check; still there when the CA is not."""
        if self.trusted is None:
            self.trusted = ssl.create_default_context(cadata=self.ca.root())
            self.trusted.verify_flags |= ssl.VERIFY_X509_STRICT
        return self.trusted

    async def handshake(self, host: str, trust: ssl.SSLContext) -> dict[str, Any]:
        _, writer = await asyncio.open_connection("127.0.0.1", self.https_port, ssl=trust, server_hostname=host)
        peer = writer.get_extra_info("peercert")
        writer.close()
        return dict(peer)

    async def served(self, host: str, within_s: float = 20.0, trust: ssl.SSLContext | None = None) -> dict[str, Any]:
        """The certificate that a client gets for a host, once it is one of the CA's."""
        trust = trust or self.trust()

        async def look() -> dict[str, Any] | None:
            try:
                return await self.handshake(host, trust)
            except (ssl.SSLError, OSError):
                return None

        found = await eventually(look, within_s)
        assert found is not None
        return found

    def told_of(self, kind: type[Event], id: str = "") -> list[Any]:
        """What certs has told, of one certificate if it is named."""
        return [event for event in self.told if isinstance(event, kind) and id in ("", event.key)]

    async def issued(self, id: str, times: int = 1, within_s: float = 20.0) -> Any:
        """The last CertIssued of a certificate, once there were so many."""
        await until(lambda: len(self.told_of(events.CertIssued, id)) >= times, within_s)
        return self.told_of(events.CertIssued, id)[-1]

    async def failed(self, id: str, times: int = 1, within_s: float = 20.0) -> Any:
        await until(lambda: len(self.told_of(events.CertRenewalFailed, id)) >= times, within_s)
        return self.told_of(events.CertRenewalFailed, id)[-1]


@contextmanager
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0), backlog=1024) as found:
        found.setblocking(False)
        yield found


@asynccontextmanager
async def router_on(
    store: TableStore, sealer: Sealer, directory: Path, plain: socket.socket, secure: socket.socket
) -> AsyncIterator[Plane]:
    """A router's data plane that follows the table in Valkey, as a worker does."""
    bounds = Bounds()
    certificates = Certificates(context := new_context(), sealer.open)
    challenges = Challenges(sealer.open)
    table = Table(DOMAIN, TOKEN_KEY, bounds=bounds)
    async with background() as tasks:
        plane = Plane(
            table=table,
            endpoints=Endpoints(bounds.buffer, bounds.upstream_idle_s),
            journal=Journal("router-under-test"),
            bounds=bounds,
            tasks=tasks,
            https_port=secure.getsockname()[1],
        )

        def changed(now: Table, kinds: set[Kind]) -> None:
            plane.table = now
            if Kind.CERTIFICATE in kinds:
                certificates.load(now.certificates)
            if Kind.CHALLENGE in kinds:
                challenges.load(now.challenges)
                plane.challenges = challenges if challenges else None

        def new_table() -> Table:
            return Table(DOMAIN, TOKEN_KEY, bounds=bounds)

        await store.mark_filled()
        follower = Follower(store, new_table, directory / "table.copy", changed, allow_shrink=True)
        tasks.start(follower.run(), "follow the table")
        acceptor = Acceptor(plane, Listeners((secure,), (plain,), context), challenges)
        await acceptor.begin()
        try:
            yield plane
        finally:
            acceptor.end()
            for connection in list(plane.connections):
                connection.cut()


@asynccontextmanager
async def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, **environment: str) -> AsyncIterator[Site]:
    """A site with a CA; certs is for the test to start."""
    key_file = tmp_path / "sealing.key"
    sealer = Sealer(*open_sealing_keys(key_file, ""))
    with listener() as plain, listener() as secure, nats_server(tmp_path) as nats, valkey_server(tmp_path) as valkey:
        ports = plain.getsockname()[1], secure.getsockname()[1]
        with pebble(tmp_path, *ports, **environment) as ca:
            async with (
                open_table_store(valkey.url, timeout_s=2.0) as store,
                open_bus(nats.settings("registry"), "registry") as bus,
                router_on(store, sealer, tmp_path, plain, secure) as plane,
                background() as tasks,
            ):
                await bus.ensure_streams()
                here = Site(tmp_path, nats, valkey, *ports, store, bus, monkeypatch, plane, ca)
                for name, value in {
                    "SEALING_KEY_FILE": key_file,
                    "NATS_URL": nats.url,
                    "NATS_USER": "certs",
                    "NATS_PASSWORD": nats.passwords["certs"],
                    "REDIS_URL": valkey.url,
                    "DOMAIN": DOMAIN,
                }.items():
                    monkeypatch.setenv(f"NARTHEX_{name}", str(value))
                here.order_from(ca)
                here.set(acme_retry_s=0.2, table_interval_s=0.2, lease_s=0.6)
                tasks.start(bus.answer(SNAPSHOT_SUBJECT, SnapshotQuestion, lambda q: _snapshot(here)), "snapshot")
                kinds = (events.CertRequested, events.CertIssued, events.CertRenewalFailed, events.CertExpiring)

                async def hear(event: Event) -> None:
                    here.told.append(event)

                tasks.start(bus.listen(kinds, hear), "what certs tells")
                yield here


async def _snapshot(here: Site) -> SnapshotPage:
    facts = tuple(
        SnapshotFact(subject=event.subject, event=event.model_dump(mode="json")) for event in here.facts.values()
    )
    return SnapshotPage(sequence=here.sequence, facts=facts, cursor=None)
