"""Ports: whether the ones a user chose can be had, and free ones for what only this machine talks to."""

import errno
import random
import socket
import time
from collections.abc import Collection, Iterator

from narthex.contracts.errors import Misconfigured
from narthex.contracts.names import MAX_PORT

# Below the range that the kernel gives to outgoing connections (from 32768 on Linux): a client that tries to
# reach a restarting server could otherwise be given the server's own port, connect to itself, and keep it.
FREE_PORTS = range(20_000, 32_768)

# A supervisor that was killed takes its children with it, but their sockets may be there a moment longer.
TAKEN_FOR_GOOD_S = 0.5


def check_port_numbers(ports: dict[str, int]) -> None:
    """Raise Misconfigured unless each flag's port is one, and they differ."""
    seen: dict[int, str] = {}
    for flag, port in ports.items():
        if not 1 <= port <= MAX_PORT:
            raise Misconfigured(f"{flag} must be between 1 and {MAX_PORT}, not {port}")
        if port in seen:
            raise Misconfigured(f"{seen[port]} and {flag} are both {port}: give them different ports")
        seen[port] = flag


def check_port_free(bind: str, flag: str, port: int) -> None:
    """Raise Misconfigured, saying what to do, unless a server can listen here."""
    deadline = time.monotonic() + TAKEN_FOR_GOOD_S
    while (error := try_to_bind(bind, port)) == errno.EADDRINUSE and time.monotonic() < deadline:
        time.sleep(0.05)
    if error:
        raise Misconfigured(_sentence(error, bind, flag, port))


def try_to_bind(bind: str, port: int) -> int:
    """0 when a server can listen here, else the error number."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(bind, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as servers do: TIME_WAIT does not count
            probe.bind(address)
    except socket.gaierror:
        return errno.EADDRNOTAVAIL
    except OSError as error:
        return error.errno or errno.EIO
    return 0


def free_ports(taken: Collection[int]) -> Iterator[int]:
    """Different loopback ports that are free now and not among `taken`, for ever."""
    given = set(taken)
    while True:
        port = random.choice(FREE_PORTS)  # noqa: S311 - spread, not secrecy
        if port not in given and try_to_bind("127.0.0.1", port) == 0:
            given.add(port)
            yield port


def _sentence(error: int, bind: str, flag: str, port: int) -> str:
    if error == errno.EADDRINUSE:
        return f"port {port} is taken on {bind}: stop what uses it, or choose another with {flag}"
    if error == errno.EACCES:
        return f"port {port} needs privileges that this process does not have: choose one above 1023 with {flag}"
    if error == errno.EADDRNOTAVAIL:
        return f"{bind} is not an address of this machine: choose another with --bind"
    return f"cannot listen on {bind} port {port} ({errno.errorcode.get(error, error)}): choose another with {flag}"
