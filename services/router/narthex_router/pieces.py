"""Reads an instance's answer in small pieces while memory is short.

uvloop reads up to 250 KB at a time of a connection, and of all that are ready before anything else is done: with a
hundred answers under way that is 25 MB in one turn of the loop, more than a level of `pressure` has room for.
"""

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from narthex_router.upstream import Upstream

PIECE = 32 * 1024  # bytes read at a time
_BYTES = bytearray(PIECE)  # one for all: what was read is copied before anything else is
_VIEW = memoryview(_BYTES)


class Pieces(asyncio.BufferedProtocol):
    """In an upstream's place at its transport; all else is the upstream's."""

    def __init__(self, upstream: "Upstream") -> None:
        self._upstream = upstream

    def get_buffer(self, sizehint: int) -> bytearray:
        return _BYTES

    def buffer_updated(self, nbytes: int) -> None:
        self._upstream.data_received(bytes(_VIEW[:nbytes]))

    def connection_lost(self, error: Exception | None) -> None:
        self._upstream.connection_lost(error)

    def pause_writing(self) -> None:
        self._upstream.pause_writing()

    def resume_writing(self) -> None:
        self._upstream.resume_writing()
