"""Where a request comes from, as far as that can be believed. Pure.

`X-Forwarded-For` counts only from proxies that the settings name; its last address that is none of them is where
the request entered what we trust.
"""

from collections.abc import Sequence
from ipaddress import IPv6Address, IPv6Network, ip_address, ip_network

from narthex.contracts.reach import Network


def parse_networks(text: str) -> tuple[Network, ...]:
    """`10.0.0.0/8, ::1` as networks."""
    return tuple(ip_network(part.strip()) for part in text.split(",") if part.strip())


def source(peer: str, forwarded: str, trusted: Sequence[Network]) -> str:
    """The client's network: an IPv4 address, or the /64 of an IPv6 one, which one household has to itself."""
    hops = [part.strip() for part in forwarded.split(",") if part.strip()] if trusted else []
    at = peer
    while hops and _is_in(at, trusted):
        at = hops.pop()
    return _network(at)


def _is_in(text: str, networks: Sequence[Network]) -> bool:
    try:
        return any(ip_address(text) in network for network in networks)
    except ValueError:
        return False


def _network(text: str) -> str:
    try:
        address = ip_address(text)
    except ValueError:
        return "unknown"
    if not isinstance(address, IPv6Address):
        return str(address)
    mapped = address.ipv4_mapped
    return str(mapped) if mapped is not None else str(IPv6Network((int(address) >> 64 << 64, 64)))
