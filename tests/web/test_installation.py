"""What administrators see of the installation, and what they do with messages that were given up."""

import asyncio
import json
import re
from concurrent.futures import ThreadPoolExecutor

from playwright.sync_api import Page, expect
from pydantic import SecretStr

from narthex.bus import open_bus
from narthex.bus.settings import BusSettings
from narthex.contracts.events import LimitReached
from narthex.testing.system import System
from narthex.testing.waiting import eventually, eventually_sync
from web.axe import grave_problems
from web.stored import HOSTILE, RAN


def give_up(system: System, count: int) -> None:
    """Have the registry give up messages that it cannot read."""
    port = re.search(r'^listen: ".*:(\d+)"', (system.data_dir / "nats" / "nats.conf").read_text(), re.MULTILINE)
    assert port is not None
    password = json.loads((system.data_dir / "credentials.json").read_text())["nats"]["router"]
    settings = BusSettings(url=f"nats://127.0.0.1:{port[1]}", user="router", password=SecretStr(password))

    async def publish() -> None:
        async with open_bus(settings, "router") as bus:

            async def connected() -> bool:
                return bus.connected

            await eventually(connected)
            for number in range(count):
                body = json.dumps({"nothing": HOSTILE}).encode()
                await bus.publish_raw(LimitReached.subject, body, f"web-{number}")

    with ThreadPoolExecutor(1) as aside:  # Playwright has an event loop in this thread
        aside.submit(asyncio.run, publish()).result()


def test_every_part_of_the_installation_is_shown(app: Page) -> None:
    app.get_by_role("link", name="State", exact=True).click()
    workers = app.get_by_role("table", name="Workers of routers").get_by_role("row")
    expect(workers).to_have_count(2)
    expect(workers.nth(1)).to_contain_text("serving")
    expect(app.get_by_role("table", name="Streams and their readers")).to_contain_text("NARTHEX_EVENTS")
    expect(app.get_by_role("table", name="Health workers").get_by_role("row")).to_have_count(2)
    expect(app.get_by_role("table", name="Certificates that are renewed next")).to_contain_text("services.localhost")
    expect(app.get_by_role("table", name="Database")).to_contain_text("Services")
    expect(app.get_by_role("table", name="Request log")).to_contain_text("Size")


def test_a_dead_letter_is_read_as_text_given_once_more_and_thrown_away(app: Page, system: System) -> None:
    give_up(system, 1)
    app.get_by_role("link", name="Dead letters", exact=True).click()
    letters = app.get_by_role("table", name="Dead letters").get_by_role("row").filter(has_text="unreadable")

    def numbers() -> set[str]:
        app.get_by_role("button", name="Read again").click()
        return set(letters.get_by_role("button").all_inner_texts())

    before = eventually_sync(numbers)
    letters.get_by_role("button").first.click()
    opened = app.get_by_role("dialog")
    expect(opened.get_by_role("region", name="What it says")).to_contain_text("<script>")
    assert app.evaluate(RAN) == []
    assert grave_problems(app) == []
    opened.get_by_role("button", name="Give it once more").click()
    expect(app.get_by_text("is given it once more")).to_be_visible()

    assert eventually_sync(lambda: numbers() - before)  # it fails again, under another number
    while letters.count():
        left = letters.count()
        letters.get_by_role("button").first.click()
        opened.get_by_role("button", name="Throw away").click()
        app.get_by_role("dialog").filter(has_text="What it says is lost").get_by_role(
            "button", name="Throw away"
        ).click()
        expect(letters).to_have_count(left - 1)
    expect(app.get_by_role("heading", name="No dead letters")).to_be_visible()
