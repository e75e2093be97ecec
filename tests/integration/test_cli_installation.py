"""How the installation stands, from the command line; mostly without a bus, so much is wrong with it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from integration.cli_kit import Typed, typed
from integration.registry_kit import config

from narthex.bus import EVENTS, open_bus
from narthex.contracts.errors import Unavailable
from narthex.contracts.events import RouterDrained
from narthex.runtime.tasks import background
from narthex.testing.servers import NatsServer
from narthex.testing.waiting import eventually, until
from narthex_registry.app import open


@pytest.fixture
async def cli(tmp_path: Path) -> AsyncIterator[Typed]:
    async with typed(tmp_path) as commands:
        yield commands


async def test_the_doctor_says_what_is_wrong_and_fails(cli: Typed) -> None:
    said = await cli.run("doctor")
    assert said.exit_code == 1
    assert "no router was heard of" in said.stdout
    assert "the event bus cannot be seen: the event bus is away" in said.stdout


async def test_each_part_has_a_line(cli: Typed) -> None:
    rows = {row["PART"]: row["STATE"] for row in await cli.rows("installation", "show")}
    assert rows["bus"] == "the event bus is away"
    assert "0 services" in rows["database"]
    assert (await cli.read("installation", "show"))["database"]["users"] == 1


async def test_messages_that_were_given_up_are_listed_shown_tried_again_and_let_go(
    tmp_path: Path, nats: NatsServer
) -> None:
    async with (
        open(config(tmp_path, nats)) as registry,
        open_bus(nats.settings("audit"), "audit") as audit,
        background() as tasks,
    ):
        token = (tmp_path / "admin.token").read_text().strip()
        address = {"NARTHEX_API_URL": f"http://127.0.0.1:{registry.port}", "NARTHEX_TOKEN": token}
        cli = Typed(address["NARTHEX_API_URL"], {**address, "HOME": str(tmp_path)})

        async def hear(event: RouterDrained) -> None:
            pass

        tasks.start(audit.consume(EVENTS, {RouterDrained: hear}), "audit")
        async with open_bus(nats.settings("router"), "router") as router:
            await until(lambda: router.connected)

            async def published() -> bool:
                try:
                    await router.publish_raw(RouterDrained.subject, b'{"no": "\x1b[31mred"}', "one")
                except Unavailable:  # the stream is not there yet
                    return False
                return True

            await eventually(published)

        async def listed() -> str:
            rows = await cli.rows("installation", "dead-letters", "list")
            return next((row["NUMBER"] for row in rows if row["CONSUMER"] == "audit"), "")

        number = await eventually(listed)
        shown = await cli.run("installation", "dead-letters", "show", number)
        assert "unreadable" in shown.stdout
        assert "\x1b[" not in shown.stdout
        assert "published again" in await cli.done("installation", "dead-letters", "retry", number)

        async def again() -> str:
            found = await listed()
            return found if found != number else ""

        other = await eventually(again)
        assert await cli.done("installation", "dead-letters", "discard", other) == f"dead letter {other} is gone\n"
        assert "there is no dead letter" in await cli.refused("installation", "dead-letters", "show", other)
