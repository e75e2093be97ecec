"""1 GiB down and up: how fast, at what cost, and whether memory stays where it is."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from bench import client
from bench.bench import BULK_BYTES, Bench
from bench.proxies import Proxy
from bench.report import Measure, Row, Verdict

MIB = 1 << 20
BLOCK = MIB
SAMPLE_S = 0.02
STALLED_S = 30.0


def bulk(bench: Bench) -> Row:
    """One body of 1 GiB in each direction, one connection."""
    speed = {way: Measure(f"{way}, throughput", "MiB/s") for way in ("down", "up")}
    cpu = {way: Measure(f"{way}, CPU per GiB", "ms") for way in ("down", "up")}
    growth = {way: Measure(f"{way}, resident memory at its most", "MiB over before") for way in ("down", "up")}
    _down(bench.backend)  # the file is in memory from here on
    with bench.fresh("narthex") as narthex:
        assert narthex is not None
        for _ in range(bench.rounds):
            speed["down"].add("direct", BULK_BYTES / _measured(bench.backend, _down)[0] / MIB)
            for proxy in [narthex, *bench.peers("nginx")]:
                for way, transfer in (("down", _down), ("up", _up)):
                    seconds, used, grown = _measured(proxy, transfer)
                    speed[way].add(proxy.name, BULK_BYTES / seconds / MIB)
                    cpu[way].add(proxy.name, used * 1e3)
                    growth[way].add(proxy.name, grown / 1024)
    verdicts = []
    for way in ("down", "up"):
        ratio = speed[way].ratio("narthex", "nginx")
        verdicts.append(Verdict(f"{way}, throughput, narthex to nginx", ratio, 0.6, at_least=True))
        verdicts.append(Verdict(f"{way}, memory", max(growth[way].values["narthex"]), 10.0, "MiB"))
    measures = [each[way] for each in (speed, cpu, growth) for way in ("down", "up")]
    return Row("1 GiB in one body", measures, verdicts)


def _measured(proxy: Proxy, transfer: Callable[[Proxy], None]) -> tuple[float, float, int]:
    """Seconds, CPU seconds and KiB of growth."""
    used, began = proxy.cpu_seconds(), time.monotonic()
    with _most_resident(proxy) as grown:
        transfer(proxy)
    return time.monotonic() - began, proxy.cpu_seconds() - used, grown[0]


@contextmanager
def _most_resident(proxy: Proxy) -> Iterator[list[int]]:
    """How far the resident memory rises above where it was, looked at many times a second."""
    before, grown, over = proxy.resident_kib(), [0], threading.Event()

    def look() -> None:
        while not over.wait(SAMPLE_S):
            grown[0] = max(grown[0], proxy.resident_kib() - before)

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield grown
    finally:
        over.set()
        thread.join()


def _down(proxy: Proxy) -> None:
    with _connected(proxy) as connection:
        connection.sendall(client.request(proxy, "/bulk", live=False))
        block = bytearray(BLOCK)
        head = b""
        while b"\r\n\r\n" not in head:
            head += _some(connection)
        assert head.startswith(b"HTTP/1.1 200"), head[:200]
        left = BULK_BYTES - len(head.partition(b"\r\n\r\n")[2])
        while left:
            size = connection.recv_into(block)
            assert size, f"{left} bytes are missing"
            left -= size


def _up(proxy: Proxy) -> None:
    block = bytes(BLOCK)
    with _connected(proxy) as connection:
        length = f"content-length: {BULK_BYTES}"
        connection.sendall(client.request(proxy, "/live/sink", live=True, more=(length,), method="POST"))
        for _ in range(BULK_BYTES // BLOCK):
            connection.sendall(block)
        answer = b""
        while b'{"bytes": %d}' % BULK_BYTES not in answer:
            answer += _some(connection)


def _connected(proxy: Proxy) -> socket.socket:
    return socket.create_connection(("127.0.0.1", proxy.plain_port), timeout=STALLED_S)


def _some(connection: socket.socket) -> bytes:
    data = connection.recv(65536)
    assert data, "closed too early"
    return data
