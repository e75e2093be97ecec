"""Who a client is that comes through proxies which the settings name; nobody else's word counts. Pure.

A proxy appends the address it was called from to `X-Forwarded-For`. So the last address that is none of the trusted
proxies' is where the request entered what we trust; whatever stands before it, the client may have written itself.
"""

from collections.abc import Sequence

from narthex_router.doors.policy import Network, address_of
from narthex_router.http1 import Fields


def client(peer: str, fields: Fields, trusted: Sequence[Network]) -> str:
    """The client's address."""
    hops = fields.forwarded_for.decode("latin-1").split(",") if fields.forwarded_for else []
    at = peer
    while hops and is_trusted(at, trusted):
        hop = hops.pop().strip(" \t")
        if address_of(hop) is None:
            return at  # not an address: as far as it can be believed
        at = hop
    return at


def scheme(peer: str, fields: Fields, trusted: Sequence[Network], own: bytes) -> bytes:
    """How the client was connected to the first proxy, if that one says so."""
    said = fields.forwarded_proto.lower()
    return said if said in (b"http", b"https") and is_trusted(peer, trusted) else own


def is_trusted(peer: str, trusted: Sequence[Network]) -> bool:
    address = address_of(peer)
    return address is not None and any(address in network for network in trusted)


def forwarded_lines(peer: str, scheme: bytes, port: int) -> bytes:
    """What the instance is told about the client."""
    return b"x-forwarded-for: %b\r\nx-forwarded-proto: %b\r\nx-forwarded-port: %d\r\n" % (
        peer.encode("ascii"),
        scheme,
        port,
    )
