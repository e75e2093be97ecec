"""A router whose health workers have fallen silent, where the installation says that it must not go on blindly."""

from pathlib import Path

from narthex.testing.installation import installation
from narthex.testing.load import status
from narthex.testing.waiting import eventually

STOP = {"NARTHEX_ROUTER_STALE_POLICY": "stop", "NARTHEX_ROUTER_STALE_AFTER_S": "1.5"}


async def test_without_a_health_worker_nobody_is_sent_to_instances_that_cannot_be_asked_who_they_are(
    tmp_path: Path,
) -> None:
    async with installation(tmp_path, settings=STOP) as here:
        service = await here.service("vouched")
        where = here.http_ports[0], service.host
        assert await status(*where) == 200
        here["healthcheck"].kill()

        async def stopped() -> bool:
            return await status(*where) == 503

        async def served() -> bool:
            return await status(*where) == 200

        await eventually(stopped)
        here["router"].kill()  # a router that starts without health workers has their word for a while, too
        await here["router"].start()
        await eventually(stopped)
        await here["healthcheck"].start()
        await eventually(served)
