"""DNS-01: a TXT record of the host says that it is ours (RFC 8555 section 8.4). A file for each way to write one.

    rfc2136.py      dynamic updates, which BIND, Knot, PowerDNS and others take
    hook.py         a command of the operator's
    cloudflare.py   an HTTP API

Another one is a class with `add` and `remove`, and a line in `open_zone`.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Protocol

from narthex.contracts.errors import Misconfigured
from narthex_certs.acme.signing import dns_value
from narthex_certs.config import DnsSettings


class Zone(Protocol):
    """Writes TXT records. A value that is added beside others leaves them; one that is not there is removed already."""

    async def add(self, name: str, value: str) -> None: ...

    async def remove(self, name: str, value: str) -> None: ...


class DnsAnswers:
    """Publishes by a TXT record `_acme-challenge.<host>`."""

    def __init__(self, zone: Zone, settle_s: float) -> None:
        self._zone = zone
        self._one_at_a_time = asyncio.Lock()  # two names of one order are the same record set
        self.settle_s = settle_s

    async def publish(self, host: str, token: str, key_authorization: str) -> None:
        async with self._one_at_a_time:
            await self._zone.add(f"_acme-challenge.{host}", dns_value(key_authorization))

    async def withdraw(self, host: str, token: str, key_authorization: str) -> None:
        async with self._one_at_a_time:
            await self._zone.remove(f"_acme-challenge.{host}", dns_value(key_authorization))


@asynccontextmanager
async def open_zone(settings: DnsSettings) -> AsyncIterator[Zone]:
    """The way that the settings choose."""
    match settings.provider:
        case "rfc2136":
            from narthex_certs.dns.rfc2136 import Rfc2136

            yield Rfc2136.from_settings(settings)
        case "hook":
            from narthex_certs.dns.hook import Hook

            yield Hook(settings.hook, settings.timeout_s)
        case "cloudflare":
            from narthex_certs.dns.cloudflare import open_cloudflare

            async with open_cloudflare(settings) as zone:
                yield zone
        case _:
            raise Misconfigured(
                "NARTHEX_CERTS_DNS_PROVIDER is needed for the dns-01 challenge: rfc2136, hook or cloudflare"
            )
