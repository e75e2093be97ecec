"""An instance that breaks the rules in thousands of ways: the client gets a good answer, a 502, or a broken one.

A broken one is one that ends in the middle: never a clean end of something that the instance did not send so.
"""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import cast

import pytest
from attacks.mutations import CHUNK_ENDS, CHUNK_SIZES, CONTENT_LENGTHS, LAST_CHUNKS, LINE_ENDS, TRANSFER_ENCODINGS, WAYS
from attacks.opinions import H11_RESPONSES, excused
from attacks.readers import Response, h11_response
from attacks.test_mutations import CASES, PATIENCE_S, SEED
from integration.router_kit import Router, router, service_entries

from narthex.testing.waiting import until

BASES: dict[str, bytes] = {
    "length": b"HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nContent-Length: 5\r\nSet-Cookie: a=b\r\n\r\nhello",
    "chunked": (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6;a=b\r\n world\r\n0\r\nX-Sum: 1\r\n\r\n"
    ),
    "until close": b"HTTP/1.1 404 Not Found\r\nX: y\r\nConnection: close\r\n\r\nall of this",
    "http-1.0": b"HTTP/1.0 200 OK\r\nServer: old\r\n\r\nuntil the end",
    "nothing": b"HTTP/1.1 204 No Content\r\nX: y\r\n\r\n",
    "not modified": b"HTTP/1.1 304 Not Modified\r\nETag: a\r\nContent-Length: 5\r\n\r\n",
    "interim": b"HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi",
    "another inside": b"HTTP/1.1 200 OK\r\nContent-Length: 38\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
}
GET = b"GET /attack HTTP/1.1\r\nHost: svc.services.test\r\nConnection: close\r\n\r\n"
KEPT = GET.replace(b"Connection: close\r\n", b"")
CANARY = b"GET /canary-%06d HTTP/1.1\r\nHost: svc.services.test\r\nConnection: close\r\n\r\n"
GOOD = b"HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\n%b"
OWN = b"canary-%06d"
TURNS = 2  # of the loop, between two pieces of an answer
SHORT_S = 0.02  # that an instance waits for another request


Broken = tuple[str, tuple[bytes, ...]]  # what was done to a good answer, and that in the pieces it is sent in


@dataclass
class Scripted:
    """What the instance answers next, in which pieces, and for how long it keeps its connection open afterwards."""

    pieces: tuple[bytes, ...] = ()
    stays_s: float = 0.0
    instances: "set[Instance]" = field(default_factory=set)


class Instance(asyncio.Protocol):
    """Answers each request with the script's bytes; a canary always well, with its own number."""

    def __init__(self, script: Scripted) -> None:
        self._script = script
        self._end: asyncio.TimerHandle | None = None
        self.transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self._script.instances.add(self)

    def connection_lost(self, error: Exception | None) -> None:
        self._script.instances.discard(self)

    def data_received(self, data: bytes) -> None:
        if self._end is not None:
            self._end.cancel()
        if data.startswith(b"GET /canary"):
            self.transport.write(GOOD % data.split(b" ")[1][1:])
        else:
            self._send(self._script.pieces)

    def _send(self, pieces: tuple[bytes, ...], turns: int = 0) -> None:
        """A piece, and the next after some turns of the loop, so that the router reads each by itself."""
        loop = asyncio.get_running_loop()
        if turns:
            loop.call_soon(self._send, pieces, turns - 1)
        elif pieces:
            self.transport.write(pieces[0])
            self._send(pieces[1:], TURNS)
        else:
            self._end = loop.call_later(self._script.stays_s, self.transport.close)


async def exchange(under_test: Router, request: bytes) -> bytes:
    """All that a client is sent; its request asked the router to close afterwards."""
    reader, writer = await asyncio.open_connection("127.0.0.1", under_test.port)
    try:
        writer.write(request)
        async with asyncio.timeout(5):
            return await reader.read()
    except ConnectionResetError:
        return b""  # cut in the middle, before we read
    finally:
        writer.close()


@asynccontextmanager
async def behind_a_bad_instance() -> AsyncIterator[tuple[Router, Scripted]]:
    script = Scripted()
    server = await asyncio.get_running_loop().create_server(lambda: Instance(script), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        async with router(service_entries([port]), first_byte_s=2.0, idle_s=2.0) as under_test:
            yield under_test, script
    finally:
        server.close()
        for instance in list(script.instances):
            instance.transport.abort()


def breach(message: bytes, got: bytes) -> str | None:
    """What is wrong with what the client got, given what the instance sent."""
    at_client = h11_response(b"GET", got)
    if at_client.refused:
        # The end came too soon: that is how a client sees that the instance's message was broken.
        cut = "peer unexpectedly closed" in at_client.refused or "without sending complete" in at_client.refused
        return None if cut or not got else f"the client got {got[:300]!r}: {at_client.refused}"
    if not at_client.responses:
        return None if got == b"" else f"the client got no answer in {got[:300]!r}"
    answer = at_client.responses[0]
    if dict(answer.headers).get(b"x-narthex-error"):
        return None if answer.status == 502 else f"the router answered {answer.status}"
    return _differs(message, answer)


def _differs(message: bytes, answer: Response) -> str | None:
    """Whether a clean answer is what h11 reads in the instance's bytes."""
    theirs = h11_response(b"GET", message)
    if theirs.refused or not theirs.responses:
        return None if excused(theirs, message, H11_RESPONSES) else f"passed on what h11 refuses: {theirs.refused}"
    wanted = theirs.responses[0]
    if (wanted.status, wanted.body) == (answer.status, answer.body):
        return None
    return f"h11 reads {wanted}, the client got {answer}"


def listed() -> list[tuple[str, bytes]]:
    found = []
    for line in TRANSFER_ENCODINGS:
        found.append((f"{line!r}", BASES["chunked"].replace(b"Transfer-Encoding: chunked", line)))
        found.append((f"+ {line!r}", BASES["length"].replace(b"Content-Length", line + b"\r\nContent-Length")))
    for shape in CONTENT_LENGTHS:
        line = shape.replace(b"%d", b"5")
        found.append((f"{line!r}", BASES["length"].replace(b"Content-Length: 5", line)))
        found.append((f"+ {line!r}", BASES["chunked"].replace(b"\r\n\r\n", b"\r\n" + line + b"\r\n\r\n", 1)))
    found += [(f"size {size!r}", BASES["chunked"].replace(b"\n5\r", b"\n" + size + b"\r")) for size in CHUNK_SIZES]
    found += [(f"end {end!r}", BASES["chunked"].replace(b"hello\r\n", b"hello" + end)) for end in CHUNK_ENDS]
    found += [(f"last {last[:30]!r}", BASES["chunked"].split(b"0\r\nX-Sum")[0] + last) for last in LAST_CHUNKS]
    for end in LINE_ENDS:
        found.append((f"status line end {end!r}", BASES["length"].replace(b"OK\r\n", b"OK" + end)))
        found.append((f"line end {end!r}", BASES["length"].replace(b"a/b\r\n", b"a/b" + end)))
    for status in (
        b"099",
        b"1000",
        b"20",
        b"2 0",
        b"+20",
        b"0x1",
        b"\xef\xbc\x92",
        b"",
        b"-1",
        b"200\x00",
        b"101",
        b"199",
    ):
        found.append((f"status {status!r}", BASES["length"].replace(b"200", status)))
    return found


def is_own(got: bytes, number: int) -> bool:
    """Whether it is a canary's answer and nothing else."""
    reading = h11_response(b"GET", got)
    return [(each.status, each.body) for each in reading.responses] == [(200, OWN % number)] and not reading.rest


async def breaches_of(messages: Iterable[Broken]) -> list[str]:
    found, ends, canaries = [], Counter[str](), 0
    async with behind_a_bad_instance() as (under_test, script):
        for number, (what, pieces) in enumerate(messages):
            message, script.pieces = b"".join(pieces), pieces
            got = await exchange(under_test, GET)
            ends[end_of(got)] += 1
            if wrong := breach(message, got):
                found.append(f"{what}: {wrong}; the instance sent {message[:300]!r}")
            await until(lambda: not script.instances)  # what it sends late is no longer on its way
            if not is_own(canary := await exchange(under_test, CANARY % number), number):
                canaries += 1
                found.append(f"{what}: the canary got {canary[:200]!r}; the instance sent {message[:300]!r}")
    print(f"\nanswers: {ends.total():,} of instances: {dict(ends)}; breaches {len(found)}, failed canaries {canaries}")
    return found


def end_of(got: bytes) -> str:
    """How it ended for the client."""
    at_client = h11_response(b"GET", got)
    if not at_client.responses:
        return "broken off"
    return "502" if dict(at_client.responses[0].headers).get(b"x-narthex-error") else "passed on"


@pytest.mark.parametrize("name", BASES)
async def test_the_good_responses_arrive(name: str) -> None:
    async with behind_a_bad_instance() as (under_test, script):
        script.pieces = (BASES[name],)
        got = h11_response(b"GET", await exchange(under_test, GET))

    [wanted], [answer] = h11_response(b"GET", BASES[name]).responses, got.responses
    assert (answer.status, answer.body) == (wanted.status, wanted.body)


@pytest.mark.timeout(PATIENCE_S)
async def test_every_listed_fault_of_an_instance_is_a_502_or_a_broken_answer() -> None:
    assert (await breaches_of((what, (message,)) for what, message in listed()))[:10] == []


def at_random(number: int) -> Iterator[Broken]:
    """Good answers with one or two changes at random places, most of them in pieces."""
    dice = random.Random(SEED)
    for _ in range(number):
        name, ways = dice.choice(sorted(BASES)), [dice.choice(WAYS) for _ in range(dice.choice((1, 1, 2)))]
        message = BASES[name]
        for way in ways:
            message = way(message, dice) or b"\x00"
        cuts = sorted(dice.randrange(len(message) + 1) for _ in range(dice.choice((0, 1, 1, 4))))
        pieces = [message[start:end] for start, end in zip([0, *cuts], [*cuts, len(message)], strict=True)]
        yield f"{name}: {[way.__name__ for way in ways]}", tuple(piece for piece in pieces if piece)


@pytest.mark.timeout(PATIENCE_S)
async def test_what_an_instance_sends_at_random_never_becomes_another_answer() -> None:
    assert (await breaches_of(at_random(CASES // 4)))[:10] == []


@pytest.mark.timeout(PATIENCE_S)
async def test_the_next_request_of_a_connection_gets_its_own_answer_whatever_the_one_before_got() -> None:
    found, next_ones = [], Counter[str]()
    async with behind_a_bad_instance() as (under_test, script):
        script.stays_s = SHORT_S
        for number, (what, pieces) in enumerate(at_random(CASES // 16)):
            script.pieces = (b"".join(pieces),)  # at once: what comes after the next request was sent is its answer
            got = await exchange(under_test, KEPT + CANARY % number)
            reading = h11_response(b"GET", got)
            next_ones["own" if is_own(reading.rest, number) else "none" if not reading.rest else "another"] += 1
            if reading.responses and not is_own(reading.rest, number):
                found.append(f"{what}: {reading.rest[:300]!r} after {got[:300]!r}; the instance sent {pieces}")
    print(f"\nanswers in a row: {dict(next_ones)}")
    assert found[:10] == []


@pytest.mark.parametrize("name", BASES)
async def test_an_answer_means_the_same_wherever_it_is_cut_in_two(name: str) -> None:
    message, wanted = BASES[name], None
    async with behind_a_bad_instance() as (under_test, script):
        for at in range(len(message)):
            script.pieces = tuple(piece for piece in (message[:at], message[at:]) if piece)
            [answer] = h11_response(b"GET", await exchange(under_test, GET)).responses
            wanted = wanted or (answer.status, answer.body)
            assert (answer.status, answer.body) == wanted, at


@pytest.mark.parametrize(
    ("method", "message"),
    [
        (b"GET", BASES["length"] + b"surplus"),
        (b"GET", BASES["length"] + BASES["length"]),
        (b"GET", BASES["chunked"] + b"\r\n"),
        (b"GET", BASES["nothing"] + b"hello"),
        (b"GET", BASES["not modified"] + b"hello"),
        (b"HEAD", BASES["length"]),
        (b"HEAD", BASES["chunked"]),
        (b"GET", b"HTTP/1.1 100 Continue\r\n\r\n" + BASES["length"] + b"HTTP/1.1 100 Continue\r\n\r\n"),
    ],
)
async def test_what_an_instance_sends_beyond_its_answer_is_nobodys_answer(method: bytes, message: bytes) -> None:
    async with behind_a_bad_instance() as (under_test, script):
        script.pieces, script.stays_s = (message,), 60.0
        for number in range(3):
            await exchange(under_test, GET.replace(b"GET", method))
            assert is_own(await exchange(under_test, CANARY % number), number)
