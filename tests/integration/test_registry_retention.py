"""What is old enough goes, in portions; what is not yet published stays."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from integration.databases import database_url
from sqlalchemy import insert, make_url, select

from narthex.runtime.clock import SystemClock
from narthex.runtime.tasks import background
from narthex.testing.waiting import eventually
from narthex_registry.config import RegistrySettings, WebhookSettings
from narthex_registry.database import Database, open_database
from narthex_registry.retention import PORTION, forget_what_is_old
from narthex_registry.schema import migrate
from narthex_registry.tables import Outbox

NOW = datetime.now(UTC)
OLD = NOW - timedelta(days=1)


@pytest.mark.on_postgres
async def test_old_facts_go_and_those_that_wait_stay(tmp_path: Path) -> None:
    url = make_url(database_url(tmp_path) or f"sqlite:///{tmp_path}/registry.db")
    sent = dict.fromkeys(range(1, 2 * PORTION + 10), OLD) | {5000: NOW, 5001: None}
    async with open_database(url) as engine, background() as tasks:
        await migrate(engine)
        database = Database(engine)
        async with database.change() as change:
            facts = [
                {"sequence": number, "event_id": f"{number}", "subject": "s", "body": b"{}", "sent": moment}
                for number, moment in sent.items()
            ]
            await change.session.execute(insert(Outbox), facts)

        async def left() -> list[int]:
            async with database.read() as session:
                return list((await session.execute(select(Outbox.sequence).order_by(Outbox.sequence))).scalars())

        async def only_the_young() -> bool:
            return await left() == [5000, 5001]

        tasks.start(forget_what_is_old(database, SystemClock(), RegistrySettings(), WebhookSettings()), "retention")
        await eventually(only_the_young)
