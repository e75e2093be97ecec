"""The fault kit itself: it must be able to find what the fault tests look for."""

import asyncio
from pathlib import Path

from narthex.testing.installation import installation
from narthex.testing.load import Request, load


async def test_an_installation_of_processes_serves_and_each_request_is_accounted_for(tmp_path: Path) -> None:
    async with installation(tmp_path, routers=2, networks=("nats", "valkey")) as here:
        service = await here.service("hello", instances=2)
        async with load(here.http_ports, Request(service.host), rate=200) as so_far:
            await asyncio.sleep(2)
        print(so_far.said())
        assert so_far.lost == 0
        assert so_far.answered == so_far.sent > 300
        assert len(so_far.by_instance) == 2
        assert len(service.requests()) == so_far.sent
