"""What wrong tokens cost, and whether their answers say anything; and how soon a token that is revoked is worthless."""

import asyncio
import random
import re
import socket
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from bench.api.tokens import SUSPICIOUS, madeup, nearly, t_of
from bench.bench import Bench
from bench.proxies import Proxy
from bench.report import Measure, Row, Verdict
from bench.router import PROJECT, Installation, installation
from narthex.testing.rest import rest

MILLION = 1_000_000
AT_ONCE = 100  # pipelined requests
TURN = 20_000  # requests of one kind before those of the other
WARM = MILLION // 2  # until buffers, and records that wait to be handed on, are as many as they get
EACH = 10_000
WORKERS = 4
REVOCATIONS = 20
LOOK_S = 0.005


def wrong_tokens(bench: Bench) -> Row:
    """A million wrong tokens beside right ones, each on header lines not seen before; then 20,000 one by one."""
    proxy, chance = bench.narthex, random.Random(81)
    token = proxy.headers[0].rpartition(" ")[2]
    cpu = Measure("CPU per request, pipelined", "us")
    with socket.create_connection(("127.0.0.1", proxy.plain_port)) as wire:
        resident, course = proxy.resident_kib(), list[int]()
        for turn in range(MILLION // TURN):
            for name, wrong in (("wrong token", True), ("right token", False)):
                if wrong or turn < bench.rounds * 3:
                    used = proxy.cpu_seconds()
                    _ask(wire, _requests(proxy, token, chance, wrong=wrong), b"401" if wrong else b"200")
                    cpu.add(name, (proxy.cpu_seconds() - used) / TURN * 1e6)
            if (turn + 1) * TURN == WARM:
                resident = proxy.resident_kib()
            if turn % 5 == 0:
                course.append(proxy.resident_kib())
        grown = proxy.resident_kib() - resident
        made_up, near = _one_by_one(wire, proxy, token, chance)
    memory = Measure("memory after a million wrong tokens, over that after half of them", "KiB")
    memory.add("narthex", grown)
    t = abs(t_of(made_up, near))
    verdicts = [
        Verdict("CPU, a wrong token to a right one", cpu.ratio("wrong token", "right token"), 1.0),
        Verdict("memory grown", float(grown), 1024.0, "KiB"),
        Verdict("Welch's |t| of answers to tokens made of nothing and nearly right ones", t, SUSPICIOUS, ""),
    ]
    return Row("Wrong tokens", [cpu, memory], verdicts, [f"resident, each 100,000 wrong tokens: {course} KiB"])


def _requests(proxy: Proxy, token: str, chance: random.Random, *, wrong: bool) -> Iterator[bytes]:
    """Requests in portions, no two with the same header lines."""
    for _ in range(TURN // AT_ONCE):
        texts = [madeup(token, chance) for _ in range(AT_ONCE)]
        yield b"".join(_request(proxy, text if wrong else token, token if wrong else text) for text in texts)


def _request(proxy: Proxy, token: str, other: str = "") -> bytes:
    return (
        f"GET / HTTP/1.1\r\nhost: {proxy.host}\r\nauthorization: Token {token}\r\nx-other: {other}\r\n\r\n"
    ).encode()


def _ask(wire: socket.socket, portions: Iterator[bytes], status: bytes) -> None:
    """Send a portion after the other; all are answered by this status."""
    for portion in portions:
        wire.sendall(portion)
        received, count = b"", 0
        while count < AT_ONCE:
            received += wire.recv(1 << 18)
            count = len(re.findall(rb"HTTP/1\.1 \d\d\d ", received))
        assert received.count(b"HTTP/1.1 " + status) == AT_ONCE, received[:500]
        _rest_of_last(wire, received)


def _rest_of_last(wire: socket.socket, received: bytes) -> None:
    head, _, body = received[received.rindex(b"HTTP/1.1 ") :].partition(b"\r\n\r\n")
    found = re.search(rb"(?i)content-length: (\d+)", head)
    while found is None or len(body) < int(found[1]):
        received += wire.recv(65536)
        head, _, body = received[received.rindex(b"HTTP/1.1 ") :].partition(b"\r\n\r\n")
        found = re.search(rb"(?i)content-length: (\d+)", head)


def _one_by_one(
    wire: socket.socket, proxy: Proxy, token: str, chance: random.Random
) -> tuple[list[float], list[float]]:
    """Microseconds of answers to tokens made of nothing, and to tokens that are right but for the end."""
    kinds = [number % 2 for number in range(2 * EACH)]
    chance.shuffle(kinds)
    found: tuple[list[float], list[float]] = ([], [])
    for kind in kinds:
        request = _request(proxy, (nearly if kind else madeup)(token, chance))
        began = time.perf_counter()
        wire.sendall(request)
        received = wire.recv(65536)
        found[kind].append((time.perf_counter() - began) * 1e6)
        _rest_of_last(wire, received)
    return found


# -- revocation -------------------------------------------------------------------------------------------------------


def revocation(bench: Bench) -> Row:
    """A token is revoked while kept-alive connections to four workers, and streams through them, were opened by it."""
    with installation(Path(tempfile.mkdtemp(dir=bench.directory)) / "four", workers=WORKERS) as running:
        refused, ended = asyncio.run(_revocations(running, bench.live_port))
    measure = Measure(f"after the API's answer, {REVOCATIONS} times, at {WORKERS} workers", "ms")
    for name, took in (("refused on kept-alive connections, longest", refused), ("streams ended, longest", ended)):
        measure.add(name, max(took) * 1e3)
    verdicts = [Verdict(name, measure.median(name), 1000.0, "ms") for name in measure.values]
    return Row("Revoked tokens", [measure], verdicts, ["the API, its bus and this driver share the cores"])


async def _revocations(running: Installation, port: int) -> tuple[list[float], list[float]]:
    running.deploy("live", [port])
    host = running.expose("bench-live", "live")
    running.wait_until_served(host, "/live/")
    refused: list[float] = []
    ended: list[float] = []
    async with rest(running.system.api_port, running.system.token) as api:
        for number in range(REVOCATIONS):
            user = await api.made(f"{PROJECT}/service-users", {"name": f"robot-{number}"})
            await api.made(f"{PROJECT}/role-assignments", {"role": "deployment-request-user", "assignee": user["id"]})
            kinds = [*[False] * 4 * WORKERS, *[True] * 4 * WORKERS]
            callers = [Kept(running.system.http_port, host, user["token"], stream=kind) for kind in kinds]
            await asyncio.gather(*(caller.begin() for caller in callers))
            looking = [asyncio.create_task(caller.until_over()) for caller in callers]
            status, _ = await api.delete(f"{PROJECT}/service-users/{user['id']}")
            assert status == 204
            at = time.monotonic()
            for stream, over in zip(kinds, await asyncio.gather(*looking), strict=True):
                (ended if stream else refused).append(max(0.0, over - at))
    return refused, ended


class Kept:
    """A connection that is kept, with a token: requests one after another, or a stream."""

    def __init__(self, port: int, host: str, token: str, *, stream: bool) -> None:
        self._port = port
        self._host = host
        self._token = token
        self._stream = stream
        self._reader: asyncio.StreamReader
        self._writer: asyncio.StreamWriter

    async def begin(self) -> None:
        """Return as soon as the token is good there."""
        while True:
            self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
            if await self._ask() == 200:
                return
            self._writer.close()
            await asyncio.sleep(LOOK_S)

    async def until_over(self) -> float:
        """When it was refused, or its stream ended."""
        if self._stream:
            while await self._reader.read(65536):
                pass
        else:
            while await self._ask() == 200:  # noqa: ASYNC110 - how soon is what is measured
                await asyncio.sleep(LOOK_S)
        self._writer.close()
        return time.monotonic()

    async def _ask(self) -> int:
        path = "/live/events" if self._stream else "/live/"
        self._writer.write(
            f"GET {path} HTTP/1.1\r\nhost: {self._host}\r\nauthorization: Token {self._token}\r\n\r\n".encode()
        )
        head = await self._reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"(?i)content-length: (\d+)", head)
        if length is not None:
            await self._reader.readexactly(int(length[1]))
        return int(head.split(b" ")[1])
