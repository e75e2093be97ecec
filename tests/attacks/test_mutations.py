"""Good requests, spoiled in thousands of ways: whatever the router makes of them, the origin sees only good ones.

NARTHEX_ATTACK_CASES throws so many instead of a few thousand, NARTHEX_ATTACK_SEED others: see `make mutations`.
"""

import os
from collections.abc import Iterable
from itertools import islice

import pytest
from attacks.bases import BASES
from attacks.harness import Range, firing_range
from attacks.mutations import Mutation, listed, thrown
from attacks.opinions import disagreements
from attacks.tally import Tally
from attacks.vectors import FOLDER, load

CASES = int(os.environ.get("NARTHEX_ATTACK_CASES", "4000"))
SEED = int(os.environ.get("NARTHEX_ATTACK_SEED", "1"))
PATIENCE_S = 60 + CASES / 20  # many times what a quiet machine takes


async def breaches_of(mutations: Iterable[Mutation], range_: Range) -> list[str]:
    found, tally = [], Tally()
    for what, pieces in mutations:
        outcome = await range_.shoot(*pieces)
        message = b"".join(pieces)
        breaches = tally.add(outcome, disagreements(message, outcome.requests))
        found += [f"{what}: {breach}; sent {message[:500]!r}" for breach in breaches]
    print(f"\nrequests: {tally.said()}")
    return found


@pytest.mark.parametrize("name", BASES)
async def test_the_good_requests_are_served(name: str) -> None:
    async with firing_range() as range_:
        outcome = await range_.shoot(BASES[name])

    assert outcome.breaches == []
    assert [answer.status for answer in outcome.answers] == [200] * len(outcome.requests)
    assert outcome.served


@pytest.mark.timeout(PATIENCE_S)
async def test_every_listed_trick_leaves_the_origin_with_good_requests_only() -> None:
    async with firing_range() as range_:
        found = await breaches_of(listed(), range_)

    assert found[:10] == []


@pytest.mark.timeout(PATIENCE_S)
async def test_what_is_thrown_at_random_leaves_the_origin_with_good_requests_only() -> None:
    bases = dict(BASES)
    async with firing_range() as range_:
        if FOLDER.is_dir():
            for vector in load("gunicorn") + load("http11probe"):
                message = b"".join(vector.messages)
                if len(message) < 2000 and (await range_.shoot(message, canary=False)).served:
                    bases[vector.name] = message
        found = await breaches_of(islice(thrown(bases, SEED), CASES), range_)

    assert found[:10] == []


async def test_a_message_means_the_same_wherever_it_is_cut_in_two() -> None:
    async with firing_range() as range_:
        for name in ("get", "post", "chunked", "expect", "upgrade", "length-carrier"):
            message = BASES[name]
            whole = (await range_.shoot(message)).meaning
            for at in range(1, len(message)):
                outcome = await range_.shoot(message[:at], message[at:], canary=False)
                assert (outcome.breaches, outcome.meaning) == ([], whole), (name, at)


@pytest.mark.parametrize("name", BASES)
async def test_a_message_means_the_same_byte_by_byte(name: str) -> None:
    message = BASES[name]
    async with firing_range() as range_:
        whole = await range_.shoot(message)
        dripped = await range_.shoot(*(message[at : at + 1] for at in range(len(message))))

    assert (dripped.breaches, dripped.meaning) == ([], whole.meaning)


BROKEN_LATE = [
    b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhelloXX0\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0x0\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nHost: b\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhelloGET / HTTP/1.1\nHost: a\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\nX: y\r\nContent-Length: 1\x0b\r\n\r\nx",
    b"GET / HTTP/1.1\r\nHost: a\r\n X: y\r\n\r\n",
]


@pytest.mark.parametrize("message", BROKEN_LATE)
async def test_a_broken_message_is_refused_wherever_it_is_cut_in_two(message: bytes) -> None:
    async with firing_range() as range_:
        for at in range(1, len(message)):
            outcome = await range_.shoot(message[:at], message[at:], canary=False)
            assert outcome.breaches == [], at
            assert outcome.answers[-1].status == 400, at
            assert outcome.closed, at
