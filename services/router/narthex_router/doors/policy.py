"""What a service says of its doors, as `entities.Doors` has it, read strictly: what is damaged opens nothing. Pure."""

from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any

from msgspec import Struct, field

Network = IPv4Network | IPv6Network
Address = IPv4Address | IPv6Address


class Cors(Struct, frozen=True, gc=False):
    origins: tuple[str, ...]
    methods: tuple[str, ...] = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
    headers: tuple[str, ...] = ("*",)
    exposed: tuple[str, ...] = ()
    credentials: bool = False
    max_age: int = 600


class RoleClaim(Struct, frozen=True, gc=False):
    role: str
    claim: str
    values: tuple[str, ...]


class Issuer(Struct, frozen=True, gc=False):
    issuer: str
    audience: str
    keys_url: str | None = None
    user_claim: str = "sub"
    required_claims: dict[str, tuple[str, ...]] = {}
    roles: tuple[RoleClaim, ...] = ()


class ClientCertificates(Struct, frozen=True, gc=False):
    authorities: str  # PEM
    user: str = "common_name"
    names: tuple[str, ...] = ()


class Doors(Struct, gc=False):
    """Never changed once it is read."""

    ip_allow: tuple[str, ...] = ()
    ip_deny: tuple[str, ...] = ()
    basic_users: dict[str, str] = {}
    jwt: Issuer | None = None
    calling_roles: tuple[str, ...] = ()  # of the issuer's, those that permit to call
    client_certificates: ClientCertificates | None = None
    cors: Cors | None = None
    browser_sign_in: bool = False
    share_generation: int = 0
    # Networks, made of the lists; no fields of the entity, and msgspec reads no such types.
    allowed: Any = field(default=(), name="-allowed")
    denied: Any = field(default=(), name="-denied")

    def __post_init__(self) -> None:
        self.allowed = networks(self.ip_allow)
        self.denied = networks(self.ip_deny)

    def let_in(self, peer: str) -> bool:
        """Whether anybody at this address may come in. Denied wins; an address that is none never does."""
        if not self.allowed and not self.denied:
            return True
        address = address_of(peer)
        if address is None or any(address in network for network in self.denied):
            return False
        return not self.allowed or any(address in network for network in self.allowed)


def networks(texts: tuple[str, ...]) -> tuple[Network, ...]:
    """`10.0.0.0/8` and the like; ValueError when one is none."""
    return tuple(ip_network(text) for text in texts)


@lru_cache(1024)  # a client's connections come from one address
def address_of(text: str) -> Address | None:
    """An address; one of IPv4 that was written in IPv6 is the IPv4 one."""
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
