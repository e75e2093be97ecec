"""The wiring of certs."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

from narthex.bus import open_bus
from narthex.contracts.queries import CERTIFICATES_SUBJECT, CertificatesAnswer, CertificatesQuestion
from narthex.routing import open_table_store
from narthex.runtime.clock import SystemClock
from narthex.runtime.sealing import Sealer, open_sealing_key
from narthex.runtime.service import Part
from narthex.runtime.tasks import background
from narthex_certs.config import Config as Config
from narthex_certs.keeper import Keeper
from narthex_certs.table import Table
from narthex_certs.vault import Vault, holds_secrets


@asynccontextmanager
async def open(config: Config) -> AsyncIterator[Part]:
    """Certs, running until the block is left. It has a certificate before it asks anybody for anything."""
    clock = SystemClock()
    process, issuing = config.process, config.issuing
    vault = Vault(process.data_dir, open_sealer(config.sealing.key_file, process.data_dir))
    async with (
        open_bus(config.bus, "certs") as bus,
        open_table_store(config.table.url.get_secret_value(), config.table.timeout_s) as store,
        background() as tasks,
    ):
        leaf_life = timedelta(days=issuing.leaf_days)
        keeper = Keeper(vault, bus, clock, process.domain, leaf_life, issuing.check_interval_s)
        keeper.begin()
        table = Table(store, keeper, clock, issuing.table_interval_s)

        async def certificates(question: CertificatesQuestion) -> CertificatesAnswer:
            return CertificatesAnswer(certificates=(keeper.issued.entity(),))

        tasks.start(keeper.run(), "keeper")
        tasks.start(keeper.announce(), "announce")
        tasks.start(table.run(), "table")
        tasks.start(bus.answer(CERTIFICATES_SUBJECT, CertificatesQuestion, certificates), "answers")
        yield Part(
            checks={
                "bus": lambda: "" if bus.connected else "the event bus is away",
                "table": lambda: table.problem,
            }
        )


def open_sealer(key_file: Path, data_dir: Path) -> Sealer:
    """The sealer of the installation's key."""
    depends = f"{data_dir} holds secrets sealed under it" if holds_secrets(data_dir) else ""
    return Sealer(open_sealing_key(key_file, depends))
