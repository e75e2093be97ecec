"""Which addresses instances may be reached at. Pure.

Who registers an instance chooses an address that routers and the health service then connect to, from inside the
installation. So the addresses that only insiders reach are refused: link-local ones, the metadata services of clouds,
and what the installation names as its own. Names are checked by what they resolve to, where the connection is made.
"""

from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Network = IPv4Network | IPv6Network

_REFUSED: tuple[tuple[Network, str], ...] = tuple(
    (ip_network(network), why)
    for network, why in (
        ("169.254.0.0/16", "a link-local address"),
        ("fe80::/10", "a link-local address"),
        ("fd00:ec2::254/128", "a metadata service of a cloud"),
        ("100.100.100.200/32", "a metadata service of a cloud"),
        ("168.63.129.16/32", "a metadata service of a cloud"),
        ("192.0.0.192/32", "a metadata service of a cloud"),
        ("0.0.0.0/8", "an address of no machine"),
        ("::/128", "an address of no machine"),
        ("224.0.0.0/4", "a multicast address"),
        ("ff00::/8", "a multicast address"),
        ("255.255.255.255/32", "a broadcast address"),
    )
)


@dataclass(frozen=True, slots=True)
class Reach:
    """What an installation allows beyond the rule, and what it refuses beyond it."""

    allowed: tuple[Network, ...] = ()
    denied: tuple[tuple[Network, int | None], ...] = ()  # network and port; no port: all of them

    def refusal(self, address: str, port: int) -> str:
        """Why there may be no connection there; empty when there may. A name is refused nothing before it resolves."""
        return _refusal(self, address, port)

    def allows(self, address: str) -> bool:
        """Whether the installation allows the address in so many words."""
        try:
            ip = inner(ip_address(address))
        except ValueError:
            return False
        return any(ip in network for network in self.allowed)


ANYWHERE = Reach()  # but where no instance may be


def parse_reach(allow: str, deny: str) -> Reach:
    """From settings: `10.0.0.0/8, ::1` and `10.9.0.0/16, 127.0.0.1:4222, [::1]:4222`; ValueError when unreadable."""
    return Reach(tuple(ip_network(part) for part in _parts(allow)), tuple(_place(part) for part in _parts(deny)))


_NAT64 = IPv6Network("64:ff9b::/96")  # RFC 6052: where such a gateway is, its last 32 bits are whom it calls


def inner(ip: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """The IPv4 address that an IPv6 one stands for: mapped, NAT64, 6to4, or Teredo's server would reach it."""
    if isinstance(ip, IPv6Address):
        if ip in _NAT64:
            return IPv4Address(int(ip) & 0xFFFFFFFF)
        return ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else ip)
    return ip


@lru_cache(4096)
def _refusal(reach: Reach, address: str, port: int) -> str:
    try:
        ip = inner(ip_address(address.partition("%")[0]))
    except ValueError:
        return ""
    for network, denied_port in reach.denied:
        if denied_port in (None, port) and _covers(network, ip):
            return f"{address} port {port} belongs to this installation, whose instances may not be there"
    if any(ip in network for network in reach.allowed):
        return ""
    why = next((why for network, why in _REFUSED if ip in network), "")
    return f"{address} is {why}, which this installation does not allow for instances" if why else ""


def _covers(network: Network, ip: IPv4Address | IPv6Address) -> bool:
    """Whether an address leads to a network; a server on all addresses of a machine is behind each loopback one."""
    everywhere = network.prefixlen == network.max_prefixlen and network.network_address.is_unspecified
    return ip.is_loopback if everywhere else ip in network


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _place(text: str) -> tuple[Network, int | None]:
    """`10.0.0.0/8`, `10.0.0.1`, `10.0.0.1:80`, `::1` or `[::1]:80`."""
    host, bracket, port = text.rpartition("]:") if text.startswith("[") else text.rpartition(":")
    if bracket and port.isascii() and port.isdecimal() and (text.startswith("[") or ":" not in host):
        return ip_network(host.removeprefix("[")), int(port)
    return ip_network(text), None
