"""One module for each thing that is measured; `ALL` is what `make bench` runs, in order."""

from collections.abc import Callable

from bench.bench import Bench
from bench.report import Row
from bench.rows import keep_alive

ALL: dict[str, Callable[[Bench], Row]] = {
    "plain": keep_alive.plain,
    "tls": keep_alive.tls,
    "latency": keep_alive.latency,
}
