"""What a running router and the one that is to replace it say to each other.

Over `<data-dir>/router/handover.sock` (SEQPACKET), a JSON object a message:

    successor:    {"versions": [1], "release": …, "name": …}
    predecessor:  {"version": 1, "release": …, "secure": {"bind", "port", "sockets": n}, "plain": {…},
                   "ticket_key": {"secret": hex, "made": Unix seconds}} with the listening sockets, or {"refused": …}
    successor:    {"serving": true}     all its workers accept connections
    predecessor:  {"yours": true}       it does nothing any more that only one router may do, and drains
    predecessor:  closes                nothing is under way there any more

The two may be of different releases: what a side does not know it passes over, what is missing has a default, and a
change that the other side must understand is a new version, spoken beside the old one for one release. Until
`serving` the predecessor does as if nothing had happened; whoever goes away without a word is taken for dead.
"""

import os
import socket
import struct
from collections.abc import Sequence
from typing import Any

from narthex.contracts.errors import Misconfigured
from narthex.runtime.release import VERSION as RELEASE
from narthex_router.ports import Port, Ports
from narthex_router.tickets import TicketKey

VERSION = 1
SOCKET = "handover.sock"

_CREDENTIALS = struct.Struct("iII")  # process, user, group: SO_PEERCRED, unix(7)


def question(name: str) -> dict[str, Any]:
    """What a successor says first."""
    return {"versions": [VERSION], "release": RELEASE, "name": name}


def refusal(asked: dict[str, Any], name: str) -> str:
    """Why a question is not answered with the ports; empty when it is."""
    release = asked.get("release", "unknown")
    versions = asked.get("versions")
    if not isinstance(versions, list) or VERSION not in versions:
        return f"release {release} asks for a hand-over that release {RELEASE} does not know: stop this one first"
    if asked.get("name") != name:
        return (
            f"the router {name!r} runs on this data directory: "
            "set NARTHEX_ROUTER_NAME to it to replace it, or choose another NARTHEX_DATA_DIR"
        )
    return ""


def offer(ports: Ports) -> dict[str, Any]:
    """What a predecessor sends along with its listening sockets."""
    key = ports.ticket_key
    return {
        "version": VERSION,
        "release": RELEASE,
        "secure": _describe(ports.secure),
        "plain": _describe(ports.plain),
        "ticket_key": {"secret": key.secret.hex(), "made": key.made},
    }


def accept(offered: dict[str, Any], descriptors: Sequence[int]) -> Ports:
    """The ports in an offer; raises Misconfigured where it is a refusal, or cannot be read."""
    if reason := offered.get("refused"):
        raise Misconfigured(f"the router that runs does not let itself be replaced: {reason}")
    sockets = [socket.socket(fileno=descriptor) for descriptor in descriptors]
    try:
        return _ports(offered, sockets)
    except (KeyError, TypeError, ValueError) as error:
        for each in sockets:
            each.close()
        raise Misconfigured(f"the offer of the router that runs cannot be read ({error!r}); stop it first") from None


def _ports(offered: dict[str, Any], sockets: Sequence[socket.socket]) -> Ports:
    first = offered["secure"]["sockets"]
    key = offered.get("ticket_key")
    return Ports(
        _port(offered["secure"], sockets[:first]),
        _port(offered["plain"], sockets[first : first + offered["plain"]["sockets"]]),
        TicketKey(bytes.fromhex(key["secret"]), key["made"]) if key else TicketKey.new(),
    )


def trusted(peer: socket.socket) -> bool:
    """Whether the other side is our own user, or root."""
    _, user, _ = _CREDENTIALS.unpack(peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size))
    return user in (os.geteuid(), 0)


def address_of(directory: int, name: str = SOCKET) -> str:
    """The socket's path by way of an open directory: the whole path may be longer than the 107 bytes it may have."""
    return f"/proc/self/fd/{directory}/{name}"


def _describe(port: Port) -> dict[str, Any]:
    return {"bind": port.bind, "port": port.number, "sockets": len(port.sockets)}


def _port(described: dict[str, Any], sockets: Sequence[socket.socket]) -> Port:
    return Port(described["bind"], described["port"], tuple(sockets))
