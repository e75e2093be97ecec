"""Valkey that is away, in every way that its client and the event loops have of saying so."""

import asyncio

import pytest
import redis.exceptions
import uvloop

from narthex.contracts.errors import Unavailable
from narthex.routing.store import unavailable


async def _write_to_a_connection_that_is_gone() -> None:
    """As the client does when its connection is reset in the moment it is made."""
    async with await asyncio.start_server(lambda _, writer: writer.transport.abort(), "127.0.0.1", 0) as server:
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        assert not await reader.read()
        writer.transport.abort()
        await asyncio.sleep(0)
        with unavailable():
            writer.writelines([b"AUTH", b"secret"])


def test_a_connection_that_uvloop_has_closed_is_valkey_being_away() -> None:
    with pytest.raises(Unavailable, match="is away: unable to perform operation"):
        uvloop.run(_write_to_a_connection_that_is_gone())


@pytest.mark.parametrize(
    "error", [ConnectionResetError("reset"), TimeoutError(), redis.exceptions.ConnectionError("closed by server")]
)
def test_what_the_client_and_the_system_say_is_valkey_being_away(error: Exception) -> None:
    with pytest.raises(Unavailable, match=f"is away: {str(error) or 'TimeoutError'}"), unavailable():
        raise error


def test_a_fault_of_our_own_is_not_called_valkey_being_away() -> None:
    with pytest.raises(RuntimeError, match="changed size"), unavailable():
        raise RuntimeError("dictionary changed size during iteration")
