"""The wiring of certs."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from pathlib import Path

from narthex.bus import open_bus
from narthex.contracts.ids import new_id
from narthex.routing import open_record_store, open_table_store
from narthex.runtime.clock import SystemClock
from narthex.runtime.key_file import follow_keys, open_sealing_keys
from narthex.runtime.sealing import Sealer
from narthex.runtime.service import Part
from narthex.runtime.tasks import background
from narthex_certs.certificate import Issued, placeholder_hosts, wildcard_hosts
from narthex_certs.config import Config as Config
from narthex_certs.config import IssuerKind
from narthex_certs.desk import Desk
from narthex_certs.keeper import Keeper
from narthex_certs.lead import Lead
from narthex_certs.records import Records
from narthex_certs.resealing import Resealing
from narthex_certs.table import Table
from narthex_certs.vault import Vault, holds_secrets


@asynccontextmanager
async def open(config: Config) -> AsyncIterator[Part]:
    """Certs, running until the block is left. It has a certificate before it asks anybody for anything."""
    clock = SystemClock()
    data_dir, issuing = config.process.data_dir, config.issuing
    keys = open_keys(config.sealing.key_file, data_dir)
    sealer = Sealer(*keys)
    url, timeout_s = config.table.address, config.table.timeout_s
    async with (
        open_bus(config.bus, "certs") as bus,
        open_table_store(url, timeout_s) as store,
        open_record_store(url, timeout_s, new_id()) as record_store,
        AsyncExitStack() as stack,
        background() as tasks,
    ):
        keeper = Keeper(
            Vault(data_dir, sealer),
            bus,
            clock,
            config.process.domain,
            own_hosts(config),
            timedelta(days=issuing.leaf_days),
            issuing.check_interval_s,
        )
        keeper.begin()
        resealing = Resealing(sealer, keys, keeper)
        records = Records(record_store, data_dir / "certs" / "acme")
        table = Table(store, keeper, lambda: records.all("certificate", Issued), clock, issuing.table_interval_s)
        ordering = None
        if config.uses_acme:
            # Imported here: who orders nothing need not have this in memory.
            from narthex_certs.ordering import open_ordering

            ordering = await stack.enter_async_context(open_ordering(config, bus, store, records, table, sealer, clock))
        desk = Desk(bus, keeper, ordering)
        lead = Lead(store, record_store, clock, issuing.lease_s)

        async def work() -> None:
            async with background() as duties:
                if ordering is not None:
                    await ordering.begin(duties)
                duties.start(desk.run(), "desk")
                duties.start(resealing.run(ordering), "seal anew")
                await table.run()

        tasks.start(follow_keys(config.sealing.key_file, keys, resealing.use, clock), "follow the sealing keys")
        tasks.start(keeper.run(), "keeper")
        tasks.start(keeper.announce(), "announce")
        tasks.start(lead.run(work), "lead")
        yield Part(
            checks={
                "bus": bus.problem,
                "table": lambda: lead.problem or (table.problem if lead.held else ""),
            }
        )


def own_hosts(config: Config) -> tuple[str, ...]:
    """The hosts of the internal CA's leaf: all services, or none where the CA's certificates are the only ones."""
    domain = config.process.domain
    if config.issuing.issuer is IssuerKind.INTERNAL or config.issuing.internal_meanwhile:
        return wildcard_hosts(domain)
    return placeholder_hosts(domain)


def open_keys(key_file: Path, data_dir: Path) -> tuple[bytes, ...]:
    """The installation's sealing keys."""
    depends = f"{data_dir} holds secrets sealed under it" if holds_secrets(data_dir) else ""
    return open_sealing_keys(key_file, depends)
