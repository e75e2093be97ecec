"""Wrong tokens: each costs less than a right one, and leaves nothing. Counted, not timed."""

import gc
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise
from types import FrameType
from typing import Any

from integration.doors_kit import HOST, protected
from integration.router_kit import Client, Router

ROUTER = "narthex_router"
BY_TIME = frozenset(("sweep", "check_time", "taken_back"))  # what runs however many requests there are


class Lines:
    """How many lines of the router are run."""

    def __init__(self) -> None:
        self.count = 0

    def _begin(self, frame: FrameType, event: str, argument: Any) -> Any:
        code = frame.f_code
        return self._line if ROUTER in code.co_filename and code.co_name not in BY_TIME else None

    def _line(self, frame: FrameType, event: str, argument: Any) -> Any:
        self.count += event == "line"
        return self._line

    def __enter__(self) -> "Lines":
        self._before = sys.gettrace()
        sys.settrace(self._begin)
        return self

    def __exit__(self, *error: object) -> None:
        sys.settrace(self._before)


@asynccontextmanager
async def calling() -> AsyncIterator[tuple[Router, Client]]:
    async with protected() as (under_test, _):
        yield under_test, await under_test.connect()


async def ask(client: Client, token: str, number: int, status: int) -> None:
    """A request whose header lines were not seen before."""
    fields = f"Host: {HOST}\r\nAuthorization: Token {token}\r\nX-Number: {number:08d}\r\n"
    await client.send(f"GET / HTTP/1.1\r\n{fields}\r\n".encode())
    assert (await client.answer())[0] == status


async def test_a_wrong_token_is_less_work_than_a_right_one() -> None:
    async with calling() as (_, client):
        found = {}
        for token, status in (("good", 200), ("none", 401)):
            await ask(client, token, 0, status)  # the route is made, the instance connected
            with Lines() as lines:
                for number in range(1, 51):
                    await ask(client, token, number, status)
            found[token] = lines.count / 50
        assert 0 < found["none"] < found["good"], found  # where also an instance has to be sent to and heard


async def test_wrong_tokens_leave_nothing_in_memory() -> None:
    async with calling() as (under_test, client):
        plane = under_test.plane

        async def batch(first: int) -> int:
            """Objects after 2,000 more wrong tokens, a hundred at a time; what is written down of them is handed on."""
            for start in range(first, first + 2000, 100):
                head = f"GET / HTTP/1.1\r\nHost: {HOST}\r\nAuthorization: Token "
                await client.send("".join(f"{head}wrong-{start + n:08d}\r\n\r\n" for n in range(100)).encode())
                for _ in range(100):
                    assert (await client.answer())[0] == 401
                while plane.journal.take():
                    pass
            gc.collect()
            return sys.getallocatedblocks()

        await batch(0)
        objects = [await batch(each) for each in range(2000, 10_000, 2000)]
        # Of 2,000 tokens not one object each, after each of them: what else the process does comes and goes.
        assert min(after - before for before, after in pairwise(objects)) < 200
        assert not plane.table._callers
        assert not plane.porter._wrong
