"""What pages of the web app cost the registry with many services: `python -m bench.live_services [SERVICES]`.

One process holds registry and client, so the client's part is in the figures; without the bus, so rates are not.
"""

import asyncio
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from integration.registry_kit import P, running

from narthex.testing.rest import Rest

PATHS = (
    f"{P}/live",
    f"{P}/live?limit=200",
    f"{P}/services?limit=200",
    f"{P}/services?limit=200&search=0499",
    f"{P}/services?limit=200&offset=4800&detail=true",
    "/v2.1/installation",
)
AT_ONCE = 8


async def measure(services: int) -> None:
    with tempfile.TemporaryDirectory() as directory:
        async with running(Path(directory), requests_per_minute=10_000_000) as api:
            await fill(api, services)
            for path in PATHS:
                took = median([await cpu_ms(api, path) for _ in range(9)])
                print(f"{path:60} {took:7.1f} ms of CPU")


async def fill(api: Rest, services: int) -> None:
    await api.made(f"{P}/deployments", {"name": "hello"})
    await api.made(f"{P}/deployments/hello/versions", {"version": "v1"})

    async def some(first: int) -> None:
        for number in range(first, services, AT_ONCE):
            body = {"name": f"service-{number:05}", "deployment": "hello", "port": 8080}
            await api.made(f"{P}/services", body | {"labels": {"team": f"t{number % 10}"}})

    await asyncio.gather(*(some(first) for first in range(AT_ONCE)))


async def cpu_ms(api: Rest, path: str) -> float:
    began = time.process_time()
    async with api.session.get(path) as answer:
        await answer.read()
    return (time.process_time() - began) * 1000


if __name__ == "__main__":
    asyncio.run(measure(int(sys.argv[1]) if len(sys.argv) > 1 else 5000))
