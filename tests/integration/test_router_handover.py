"""What routers of other releases, other users' processes and broken ones get to hear when they ask for the ports."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, cast

import pytest

from narthex.contracts.errors import Misconfigured
from narthex.runtime.tasks import background
from narthex.testing.waiting import until
from narthex_router.app import take_over
from narthex_router.descriptors import close_all, receive_soon, send
from narthex_router.handover import offer, refusal
from narthex_router.ports import Ports, open_ports
from narthex_router.predecessor import Predecessor, starting
from narthex_router.successor import Door
from narthex_router.workers import Workers


@pytest.fixture
def ports() -> Iterator[Ports]:
    made = open_ports("127.0.0.1", 0, 0, 3)
    yield made
    made.close()


@asynccontextmanager
async def running(directory: Path, ports: Ports) -> AsyncIterator[Door]:
    """A router of this release, as far as its successors see it."""
    door = Door(directory, "r", ports)
    door.open()
    async with background() as tasks:
        tasks.start(door.run(), "door")
        yield door
    door.close()


@contextmanager
def asking(directory: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as client:
        client.connect(str(directory / "handover.sock"))
        client.setblocking(False)
        yield client


async def test_nobody_runs_on_an_empty_directory(tmp_path: Path) -> None:
    assert await Predecessor.find(tmp_path, "r") is None


async def test_a_socket_that_a_dead_router_has_left_is_nobody(tmp_path: Path, ports: Ports) -> None:
    async with running(tmp_path, ports):
        pass
    assert (tmp_path / "handover.sock").exists()
    assert await Predecessor.find(tmp_path, "r") is None


async def test_ports_and_ticket_key_are_handed_over_and_the_word_that_ends_it_is_heard(
    tmp_path: Path, ports: Ports
) -> None:
    async with running(tmp_path, ports) as door:
        found = await Predecessor.find(tmp_path, "r")
        assert found is not None
        assert [each.getsockname() for each in found.ports.secure.sockets] == [
            each.getsockname() for each in ports.secure.sockets
        ]
        assert len(found.ports.plain.sockets) == 3
        assert found.ports.ticket_key == ports.ticket_key
        assert not door.over
        retiring = asyncio.ensure_future(found.retire())
        await door.replaced()
        assert door.shared
        door.let_go()
        await retiring
        found.ports.close()
        gone = asyncio.ensure_future(found.gone())
        await asyncio.sleep(0.05)
        assert not gone.done()  # what it had taken in goes on there
        door.close()
        await gone


async def test_while_one_that_did_not_come_to_serve_ends_what_it_took_in_the_ports_are_shared(
    tmp_path: Path, ports: Ports
) -> None:
    class HalfServing:
        async def serving(self) -> None:
            await asyncio.Event().wait()

        def waiting_for(self) -> str:
            return "its second worker"

        async def drain(self) -> None:
            drained.set()

    drained, ended = asyncio.Event(), asyncio.Event()
    async with running(tmp_path, ports) as door, background() as tasks:
        found = await Predecessor.find(tmp_path, "r")
        assert found is not None
        under_way = tasks.start(ended.wait(), "requests that its first worker took in")
        taking_over = asyncio.ensure_future(take_over(found, cast(Workers, HalfServing()), under_way, 0.01))
        await drained.wait()
        await asyncio.sleep(0.05)
        assert door.shared
        ended.set()
        with pytest.raises(Misconfigured, match="waiting for its second worker"):
            await taking_over
        await until(lambda: not door.shared)
        assert not door.over
        found.ports.close()


async def test_many_sockets_come_in_several_packets(tmp_path: Path) -> None:
    many = open_ports("127.0.0.1", 0, 0, 160)
    async with running(tmp_path, many):
        found = await Predecessor.find(tmp_path, "r")
        assert found is not None
        assert len(found.ports.descriptors()) == 320
        found.close()
        found.ports.close()
    many.close()


async def test_a_successor_that_goes_away_leaves_the_router_as_it_was(tmp_path: Path, ports: Ports) -> None:
    async with running(tmp_path, ports) as door:
        for _ in range(3):
            found = await Predecessor.find(tmp_path, "r")
            assert found is not None
            found.ports.close()
            found.close()
        assert not door.over
        assert all(each.fileno() >= 0 for each in ports.secure.sockets)


async def test_a_successor_of_another_name_is_told_which_one_runs_here(tmp_path: Path, ports: Ports) -> None:
    async with running(tmp_path, ports):
        with pytest.raises(Misconfigured, match="the router 'r' runs on this data directory"):
            await Predecessor.find(tmp_path, "other")


def test_a_later_release_that_still_speaks_this_version_is_given_the_ports() -> None:
    assert refusal({"versions": [2, 1], "release": "9", "name": "r", "later": True}, "r") == ""


def test_a_release_that_speaks_no_common_version_is_refused_with_a_sentence() -> None:
    assert "release 9 asks for a hand-over that release" in refusal({"versions": [2], "release": "9", "name": "r"}, "r")


@pytest.mark.parametrize("said", [b"\xff not JSON", b"[]", b"{}"])
async def test_one_that_asks_for_nothing_sensible_gets_nothing_and_the_next_is_served(
    said: bytes, tmp_path: Path, ports: Ports
) -> None:
    async with running(tmp_path, ports):
        with asking(tmp_path) as client:
            client.send(said)
            received = await receive_soon(client)
            assert received is None or "refused" in received[0]
            assert received is None or received[1] == []
        found = await Predecessor.find(tmp_path, "r")
        assert found is not None
        found.ports.close()
        found.close()


@asynccontextmanager
async def earlier(directory: Path, ports: Ports, change: dict[str, Any]) -> AsyncIterator[None]:
    """A router of some other release: its offer is ours with changes."""
    said = {key: value for key, value in {**offer(ports), **change}.items() if value is not None}
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
        listener.bind(str(directory / "handover.sock"))
        listener.listen()
        listener.setblocking(False)

        async def serve() -> None:
            peer, _ = await asyncio.get_running_loop().sock_accept(listener)
            with peer:
                received = await receive_soon(peer)
                assert received is not None
                close_all(received[1])
                send(peer, said, ports.descriptors())
                await receive_soon(peer)

        async with background() as tasks:
            tasks.start(serve(), "serve")
            yield


async def test_a_release_without_ticket_keys_and_with_words_of_its_own_can_be_replaced(
    tmp_path: Path, ports: Ports
) -> None:
    async with earlier(tmp_path, ports, {"release": "0.0.1", "ticket_key": None, "gone": {"since": 1}}):
        found = await Predecessor.find(tmp_path, "r")
        assert found is not None
        assert found.release == "0.0.1"
        assert found.ports.ticket_key != ports.ticket_key
        assert len(found.ports.descriptors()) == 6
        await found.retire()  # it goes away without a word: taken for dead
        await found.gone()
        found.ports.close()


async def test_an_offer_that_cannot_be_read_is_a_sentence(tmp_path: Path, ports: Ports) -> None:
    async with earlier(tmp_path, ports, {"secure": None}):
        with pytest.raises(Misconfigured, match="cannot be read"):
            await Predecessor.find(tmp_path, "r")


async def test_a_refusal_is_passed_on(tmp_path: Path, ports: Ports) -> None:
    async with earlier(tmp_path, ports, {"refused": "not now"}):
        with pytest.raises(Misconfigured, match="does not let itself be replaced: not now"):
            await Predecessor.find(tmp_path, "r")


async def test_processes_of_other_users_are_not_answered(
    tmp_path: Path, ports: Ports, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(tmp_path, ports):
        monkeypatch.setattr("narthex_router.successor.trusted", lambda peer: False)
        with asking(tmp_path) as client:
            assert await receive_soon(client) is None


async def test_only_one_router_starts_on_a_directory_at_a_time(tmp_path: Path) -> None:
    with starting(tmp_path / "made"):  # noqa: SIM117 - the second one while the first is held
        with pytest.raises(Misconfigured, match="another router is being started"), starting(tmp_path / "made"):
            pass
    with starting(tmp_path / "made"):
        pass


async def test_a_path_may_be_longer_than_the_address_of_a_socket(tmp_path: Path, ports: Ports) -> None:
    deep = tmp_path / ("d" * 120)
    deep.mkdir()
    async with running(deep, ports) as door:
        found = await Predecessor.find(deep, "r")
        assert found is not None
        found.ports.close()
        found.close()
        await until(lambda: not door.over)
