"""What must be so again after each round of faults, as if nothing had been, and how long it took until it was."""

import time
from collections import Counter

import aiohttp
from faults.views import routers_equal, table_of_database

from endurance.ground import Run
from endurance.stage import statuses
from narthex.routing import Kind
from narthex.testing.installation import P
from narthex.testing.waiting import eventually

WHOLE_WITHIN_S = 180.0  # after the last of two faults was healed, on a machine that is shared: 5 s on a quiet one
FEW = 3  # examples of what is wrong


async def whole(run: Run) -> dict[str, float]:
    """Everything is as if nothing had been, soon; how long each look took until it was so."""
    took: dict[str, float] = {}
    for look in (ready, equal, in_force, confirmed, delivered_once):
        began = time.monotonic()
        try:
            await look(run)
        except (AssertionError, TimeoutError, OSError, aiohttp.ClientError) as error:
            run.accounts.violated(f"afterwards: {look.__name__}", str(error)[:1000])
        took[look.__name__] = round(time.monotonic() - began, 1)
    return took


async def ready(run: Run) -> None:
    for name, part in run.stage.here.parts.items():
        try:
            await eventually(part.answers, WHOLE_WITHIN_S)
        except AssertionError:
            raise AssertionError(f"{name} is not ready") from None


async def equal(run: Run) -> None:
    """The routers' tables, by their copies on disk, are what the database has."""
    await routers_equal(run.stage.here, run.url, WHOLE_WITHIN_S)


async def in_force(run: Run) -> None:
    """A new change arrives at every worker of every router."""
    closed = not run.stage.made.get("closed", 0)
    run.stage.made["closed"] = int(closed)
    wanted = {401} if closed else {200}
    await run.stage.call("PATCH", f"{P}/services/canary", {"authentication_required": closed})
    host = run.stage.services["canary"].host

    async def look() -> bool:
        return statuses(await run.stage.says(host)) == wanted

    try:
        await eventually(look, WHOLE_WITHIN_S)
    except AssertionError:
        raise AssertionError(f"the canary is not {wanted}: {await run.stage.says(host)}") from None


async def confirmed(run: Run) -> None:
    """Every change that was confirmed is there, and none that was not tried."""
    truth = await table_of_database(run.url)
    services = [entity for (kind, _), (_, entity) in truth.items() if kind is Kind.SERVICE]
    names = [service["name"] for service in services]
    assert len(names) == len(set(names)), "a service is there twice"
    for each in run.changers:
        assert each.strange == [], each.strange[:FEW]
        assert (wrong := each.wrong_services(set(names))) == [], wrong[:FEW]
        rate = truth[Kind.SERVICE, run.ids[each.name]][1]["rate_limit"]
        assert max(each.confirmed, default=0) <= (rate or 0) <= each.tried, f"{each.name}: {rate} in the database"


async def delivered_once(run: Run) -> None:
    heard = Counter(line for line in run.ground.hello.requests() if line.startswith("POST "))
    twice = [line for line, count in heard.items() if count > 1]
    assert twice == [], f"delivered twice: {twice[:FEW]}"
