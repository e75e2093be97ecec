"""One module for each thing that is measured; `ALL` is what `make bench` runs, in order."""

from collections.abc import Callable

from bench import micro
from bench.bench import Bench
from bench.report import Row
from bench.rows import access, bulk, idle, keep_alive, limits, propagation, scale, streams

ALL: dict[str, Callable[[Bench], Row]] = {
    "plain": keep_alive.plain,
    "tls": keep_alive.tls,
    "latency": keep_alive.latency,
    "streams": streams.streams,
    "bulk": bulk.bulk,
    "websockets": idle.websockets,
    "tls-idle": idle.tls_idle,
    "handshakes": idle.handshakes,
    "scale": scale.scale,
    "propagation": propagation.propagation,
    "limits": limits.limits,
    "limits-cost": limits.limits_cost,
    "limits-faults": limits.limits_faults,
    "wrong-tokens": access.wrong_tokens,
    "revocation": access.revocation,
    "micro": micro.micro,
}
