"""Word to the service manager, as systemd hears it."""

import asyncio
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from narthex.runtime.notify import tell_manager, tell_ready
from narthex.testing.waiting import until


@pytest.fixture
def manager(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(tmp_path / "notify"))
        listener.setblocking(False)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        yield listener


async def test_a_part_is_ready_when_no_check_has_a_reason_left(manager: socket.socket) -> None:
    reasons, looked = ["the bus"], []

    def check() -> str:
        looked.append(1)
        return "".join(reasons)

    telling = asyncio.ensure_future(tell_ready({"bus": check}))
    await until(lambda: looked)
    with pytest.raises(BlockingIOError):
        manager.recv(100)
    reasons.clear()
    await telling
    assert manager.recv(100) == b"READY=1"


def test_a_manager_that_is_gone_stops_nothing(manager: socket.socket) -> None:
    manager.close()
    tell_manager("STOPPING=1")


def test_without_a_manager_nothing_is_said(manager: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET")
    tell_manager("READY=1")
    with pytest.raises(BlockingIOError):
        manager.recv(100)
