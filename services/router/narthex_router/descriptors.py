"""JSON messages that carry open descriptors, over a SEQPACKET socket (SCM_RIGHTS, see unix(7)).

A descriptor that was passed stands for the same open file: a listening socket keeps its queue of connections
whoever holds it.
"""

import asyncio
import json
import os
import socket
from collections.abc import Sequence
from typing import Any

MESSAGE = 65536
AT_ONCE = 200  # descriptors in one packet; the kernel takes at most 253 (SCM_MAX_FD)

Received = tuple[dict[str, Any], list[int]]


def send(to: socket.socket, message: dict[str, Any], descriptors: Sequence[int] = ()) -> None:
    """Send a message, in several packets where it carries many descriptors."""
    for at in range(0, max(1, len(descriptors)), AT_ONCE):
        more = at + AT_ONCE < len(descriptors)
        packet = json.dumps({**message, "more": True} if more else message).encode()
        socket.send_fds(to, [packet], list(descriptors[at : at + AT_ONCE]))


def receive(peer: socket.socket) -> Received | None:
    """The next message from a blocking socket; None when the other side is gone."""
    descriptors: list[int] = []
    while (packet := _packet(peer)) is not None:
        descriptors += packet[1]
        if not packet[0].get("more"):
            return packet[0], descriptors
    close_all(descriptors)
    return None


async def receive_soon(peer: socket.socket) -> Received | None:
    """The next message from a non-blocking socket; None when the other side is gone."""
    descriptors: list[int] = []
    try:
        while True:
            await _readable(peer)
            packet = _packet(peer)
            if packet is None:
                break
            descriptors += packet[1]
            if not packet[0].get("more"):
                received, descriptors = descriptors, []
                return packet[0], received
    finally:
        close_all(descriptors)
    return None


def close_all(descriptors: Sequence[int]) -> None:
    for descriptor in descriptors:
        os.close(descriptor)


def _packet(peer: socket.socket) -> Received | None:
    try:
        data, descriptors, _, _ = socket.recv_fds(peer, MESSAGE, AT_ONCE)
    except ConnectionError:
        return None
    for descriptor in descriptors:
        os.set_inheritable(descriptor, False)
    return (_message(data, descriptors), descriptors) if data else None


def _message(data: bytes, descriptors: list[int]) -> dict[str, Any]:
    """What a packet says; ValueError when it is no JSON object."""
    try:
        message = json.loads(data)
        if not isinstance(message, dict):
            raise ValueError("a message must be a JSON object")
        return message
    except ValueError:
        close_all(descriptors)
        raise


async def _readable(peer: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    ready = asyncio.Event()
    loop.add_reader(peer, ready.set)
    try:
        await ready.wait()
    finally:
        loop.remove_reader(peer)
