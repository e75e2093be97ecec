"""A worker's first load of the shared table, in a process of its own: `python -m bench.cold_load DOMAIN`.

It does what `narthex_router.follower` does. The store's URL is in NARTHEX_REDIS_URL. Prints JSON: how many services,
seconds and CPU seconds, and the resident memory before, after, and once every service has been called.
"""

import json
import os
import sys
import time

import uvloop

from bench import machine
from narthex.routing import open_table_store
from narthex_router.follower import filled
from narthex_router.table import Table


async def _load(domain: str) -> dict[str, float]:
    async with open_table_store(os.environ["NARTHEX_REDIS_URL"], timeout_s=10.0) as store:
        await store.ping()
        before, began, used = _resident(), time.monotonic(), time.process_time()
        table = await filled(Table(domain, bytes(32)), store.pages())
        seconds, cpu = time.monotonic() - began, time.process_time() - used
        after = _resident()
        return {
            "services": table.services(),
            "seconds": seconds,
            "cpu_seconds": cpu,
            "before_kib": before,
            "after_kib": after,
            "called_kib": _call_all(table, domain),
        }


def _call_all(table: Table, domain: str) -> int:
    """Have every service's route made, as the first request to it would."""
    for service_id in list(table._services):
        assert table.route(f"{service_id}.services.{domain}".encode()) is not None
    return _resident()


def _resident() -> int:
    return machine.resident_kib([os.getpid()])


if __name__ == "__main__":
    print(json.dumps(uvloop.run(_load(sys.argv[1]))))
