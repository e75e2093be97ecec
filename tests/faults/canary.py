"""A second service whose policy is changed while something is broken: each router is asked what it goes by."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from narthex.testing.installation import Installation, P, Service
from narthex.testing.load import status
from narthex.testing.waiting import eventually

OPEN, CLOSED = 200, 401


@dataclass
class Canary:
    """A service that is open or closed to those without a token."""

    here: Installation
    service: Service

    async def change(self, to: int) -> float:
        """Open or close it at the registry; how long that took, in seconds."""
        began = asyncio.get_running_loop().time()
        wish = {"authentication_required": to == CLOSED}
        code, answer = await self.here.api.patch(f"{P}/services/{self.service.name}", wish)
        assert code == 200, answer
        return asyncio.get_running_loop().time() - began

    async def says(self, ports: Sequence[int]) -> set[int]:
        return {await status(port, self.service.host) for port in ports}

    async def noticed_s(self, to: int, ports: Sequence[int] | None = None) -> float:
        """How long from now until all routers, or those at the ports, go by it."""
        began = asyncio.get_running_loop().time()

        async def look() -> bool:
            return await self.says(ports or self.here.http_ports) == {to}

        await eventually(look, 40.0)
        return asyncio.get_running_loop().time() - began

    async def in_force_s(self, to: int) -> float:
        """Change it; how long after the registry's answer all routers went by it."""
        await self.change(to)
        return await self.noticed_s(to)


async def canary(here: Installation) -> Canary:
    made = Canary(here, await here.service("canary"))
    await made.noticed_s(OPEN)
    return made
