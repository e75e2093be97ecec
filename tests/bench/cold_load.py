"""A worker's first load of the shared table, in a process of its own: `python -m bench.cold_load DOMAIN`.

The store's URL is in NARTHEX_REDIS_URL. Prints JSON: how many services, how long (and reading alone), and the
resident memory before and after.
"""

import gc
import json
import os
import sys
import time

import uvloop

from bench import machine
from narthex.routing import open_table_store
from narthex_router.table import Table


async def _load(domain: str) -> dict[str, float]:
    async with open_table_store(os.environ["NARTHEX_REDIS_URL"], timeout_s=10.0) as store:
        await store.ping()
        before, began = machine.resident_kib([os.getpid()]), time.monotonic()
        entries = [entry async for entry in store.load()]
        read = time.monotonic() - began
        table = Table(domain)
        table.apply(entries)
        seconds = time.monotonic() - began
        del entries
        gc.collect()
        after = machine.resident_kib([os.getpid()])
        return {
            "services": len(table.routes),
            "seconds": seconds,
            "reading": read,
            "before_kib": before,
            "after_kib": after,
        }


if __name__ == "__main__":
    print(json.dumps(uvloop.run(_load(sys.argv[1]))))
