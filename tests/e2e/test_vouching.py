"""A router whose health workers have fallen silent, where the installation says that it must not go on blindly."""

from pathlib import Path

import aiohttp

from narthex.testing.installation import Installation, Service, installation
from narthex.testing.waiting import eventually

STOP = {"NARTHEX_ROUTER_STALE_POLICY": "stop", "NARTHEX_ROUTER_STALE_AFTER_S": "1.5"}


async def status(here: Installation, service: Service) -> int:
    url = f"http://127.0.0.1:{here.http_ports[0]}/"
    async with aiohttp.ClientSession() as session, session.get(url, headers={"Host": service.host}) as answer:
        return answer.status


async def test_without_a_health_worker_nobody_is_sent_to_instances_that_cannot_be_asked_who_they_are(
    tmp_path: Path,
) -> None:
    async with installation(tmp_path, settings=STOP) as here:
        service = await here.service("vouched")
        assert await status(here, service) == 200
        here["healthcheck"].kill()

        async def stopped() -> bool:
            return await status(here, service) == 503

        async def served() -> bool:
            return await status(here, service) == 200

        await eventually(stopped)
        here["router"].kill()  # a router that starts without health workers has their word for a while, too
        await here["router"].start()
        await eventually(stopped)
        await here["healthcheck"].start()
        await eventually(served)
