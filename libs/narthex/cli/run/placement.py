"""Where replicas listen: each on a loopback address of its own, or each on a port of its own."""

import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice

from narthex.contracts.errors import Misconfigured
from narthex.contracts.names import MAX_PORT

LOOPBACK = "127.0.0.1"
EVERYWHERE = "0.0.0.0"

IsFree = Callable[[str, int], bool]


@dataclass(frozen=True)
class Place:
    """Where a replica listens. `own_port`: it is not the port that was asked for, so it must be registered."""

    host: str
    port: int
    own_port: bool = False

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


def choose_places(replicas: int, port: int, addresses_differ: bool, is_free: IsFree) -> list[Place]:
    """A free place for each replica; Misconfigured when there are not enough."""
    if addresses_differ:
        own_addresses = (Place(host, port) for host in loopback_addresses() if is_free(host, port))
        if len(places := list(islice(own_addresses, replicas))) == replicas:
            return places
    # The command listens on its own idea of an address, or this system has but one loopback address: then
    # ports tell replicas apart. One is free only if nobody holds it on any address.
    own_ports = (Place(LOOPBACK, p, p != port) for p in range(port, MAX_PORT + 1) if is_free(EVERYWHERE, p))
    if len(places := list(islice(own_ports, replicas))) == replicas:
        return places
    raise Misconfigured(f"there are not {replicas} free ports from {port} on: choose another --port")


def loopback_addresses() -> Iterator[str]:
    """127.0.1.1 to 127.0.8.254: on Linux all of 127/8 is this machine. 127.0.0.* is left to other programs."""
    for third in range(1, 9):
        for fourth in range(1, 255):
            yield f"127.0.{third}.{fourth}"


def is_free(host: str, port: int) -> bool:
    """Whether a server could listen there now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As servers do: connections of a server that just ended are no obstacle.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True
