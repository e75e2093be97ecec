"""Calls to addresses that users name: never to the installation's own networks, unless it allows them.

The address is checked where the connection is made, after its name was resolved, so that a name that resolves to
something else the second time (DNS rebinding) does not help. Redirects are not followed, answers not read.
"""

import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from ipaddress import ip_address
from urllib.parse import urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from narthex.contracts.errors import Invalid
from narthex.contracts.reach import Network
from narthex.contracts.reach import inner as inner

MOST_CONNECTIONS = 50


def allowed(address: str, networks: Sequence[Network]) -> bool:
    """Whether an address may be called: it is on the public Internet, or in one of the networks."""
    try:
        ip = ip_address(address)
    except ValueError:
        return False
    ip = inner(ip)
    return (ip.is_global and not ip.is_multicast) or any(ip in network for network in networks)


def check_url(url: str, networks: Sequence[Network]) -> None:
    """Raise Invalid unless a URL is one that can be called; a name in it is checked when it is resolved."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise Invalid("url: must be an http or https URL") from None
    if parts.scheme not in ("http", "https") or not host or any(ord(each) <= 0x20 for each in url):
        raise Invalid("url: must be an http or https URL")
    if parts.username is not None or parts.password is not None:
        raise Invalid("url: must not carry a user or password; use a protected header")
    if port == 0:
        raise Invalid("url: the port must be between 1 and 65535")
    if _is_address(host) and not allowed(host, networks):
        raise Invalid(f"url: {host} is not on the public Internet, and this installation does not allow its network")
    if host == "localhost" or host.endswith((".localhost", ".local", ".internal")):
        raise Invalid(f"url: {host} is a name of an internal network, which this installation does not allow")


class CheckedResolver(AbstractResolver):
    """Resolves names and refuses those that lead to networks that may not be called."""

    def __init__(self, networks: Sequence[Network]) -> None:
        self._networks = networks
        self._resolver = aiohttp.ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        found = await self._resolver.resolve(host, port, family)
        if not all(allowed(each["host"], self._networks) for each in found):
            raise OSError(f"{host} is not on the public Internet, and this installation does not allow its network")
        return found

    async def close(self) -> None:
        await self._resolver.close()


@asynccontextmanager
async def open_outbound(networks: Sequence[Network]) -> AsyncIterator[aiohttp.ClientSession]:
    """A session whose connections go only where they may; ask `check_url` before each call as well."""
    connector = aiohttp.TCPConnector(
        resolver=CheckedResolver(networks), use_dns_cache=False, limit=MOST_CONNECTIONS, force_close=True
    )
    async with aiohttp.ClientSession(
        connector=connector, auto_decompress=False, cookie_jar=aiohttp.DummyCookieJar(), trust_env=False
    ) as session:
        yield session


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
