"""Passwords: kept as Argon2id, worked out in threads, a few at a time.

An account that is not there costs the same work as one that is, so its absence cannot be measured.
"""

import asyncio
import base64
import os
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from narthex.contracts.errors import TooManyRequests

T = TypeVar("T")

# OWASP's least for Argon2id: 19 MiB, two passes, one lane. Some 25 ms of one core.
MEMORY_KIB, PASSES, LANES = 19 * 1024, 2, 1
AT_ONCE = 2  # more would take the cores that answer everybody else
MOST_WAITING = 32


class Passwords:
    """Makes and checks hashes."""

    def __init__(self, threads: ThreadPoolExecutor) -> None:
        self._hasher = PasswordHasher(time_cost=PASSES, memory_cost=MEMORY_KIB, parallelism=LANES)
        self._threads = threads
        self._under_way = 0
        self._nobodys = nobodys_hash()

    async def hash(self, password: str) -> str:
        return await self._work(self._hasher.hash, password)

    async def verify(self, kept: str | None, password: str) -> bool:
        """Whether it is the password; with nothing kept it takes as long and is not."""
        return await self._work(self._matches, kept or self._nobodys, password) and kept is not None

    def _matches(self, kept: str, password: str) -> bool:
        try:
            return self._hasher.verify(kept, password)
        except (VerificationError, InvalidHashError):
            return False

    async def _work(self, work: Callable[..., T], *arguments: str) -> T:
        if self._under_way >= MOST_WAITING:
            raise TooManyRequests("many people sign in just now; try again in a moment", 1)
        self._under_way += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work, *arguments)
        finally:
            self._under_way -= 1


@asynccontextmanager
async def open_passwords() -> AsyncIterator[Passwords]:
    """Passwords, with threads for them until the block ends."""
    threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="password")
    try:
        yield Passwords(threads)
    finally:
        threads.shutdown(wait=False, cancel_futures=True)


def nobodys_hash() -> str:
    """A hash that nobody knows a password for, made without the work of making one."""

    def text(count: int) -> str:
        return base64.b64encode(os.urandom(count)).decode().rstrip("=")

    return f"$argon2id$v=19$m={MEMORY_KIB},t={PASSES},p={LANES}${text(16)}${text(32)}"
