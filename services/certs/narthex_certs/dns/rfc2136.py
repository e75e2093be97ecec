"""Dynamic updates (RFC 2136), signed with a shared key (TSIG, RFC 8945)."""

import ipaddress
import socket
from typing import Any

import dns.asyncquery
import dns.exception
import dns.name
import dns.rcode
import dns.tsig
import dns.update

from narthex.contracts.errors import Misconfigured
from narthex_certs.acme.problem import CaAway
from narthex_certs.config import DnsSettings, read_secret

TTL_S = 60
ALGORITHMS = {
    "hmac-sha256": dns.tsig.HMAC_SHA256,
    "hmac-sha384": dns.tsig.HMAC_SHA384,
    "hmac-sha512": dns.tsig.HMAC_SHA512,
}


class Rfc2136:
    """A zone at the server that takes updates for it."""

    def __init__(self, server: str, port: int, zone: str, key: dns.tsig.Key | None, timeout_s: float) -> None:
        self._server = server
        self._port = port
        self._zone = dns.name.from_text(zone)
        self._key = key
        self._timeout_s = timeout_s

    @classmethod
    def from_settings(cls, settings: DnsSettings) -> "Rfc2136":
        if not settings.server or not settings.zone:
            raise Misconfigured("NARTHEX_CERTS_DNS_SERVER and NARTHEX_CERTS_DNS_ZONE are needed for rfc2136")
        if settings.tsig_algorithm not in ALGORITHMS:
            raise Misconfigured(f"NARTHEX_CERTS_DNS_TSIG_ALGORITHM must be one of {', '.join(ALGORITHMS)}")
        key = None
        if settings.tsig_name:
            secret = read_secret(settings.tsig_secret_file, "NARTHEX_CERTS_DNS_TSIG_SECRET_FILE")
            key = dns.tsig.Key(settings.tsig_name, secret, ALGORITHMS[settings.tsig_algorithm])
        return cls(settings.server, settings.port, settings.zone, key, settings.timeout_s)

    async def add(self, name: str, value: str) -> None:
        await self._update("add", name, TTL_S, "TXT", f'"{value}"')

    async def remove(self, name: str, value: str) -> None:
        await self._update("delete", name, "TXT", f'"{value}"')

    async def _update(self, verb: str, name: str, *what: Any) -> None:
        update = dns.update.UpdateMessage(self._zone, keyring=self._key)
        getattr(update, verb)(dns.name.from_text(name), *what)
        try:
            answer = await dns.asyncquery.tcp(update, _address(self._server), port=self._port, timeout=self._timeout_s)
        except (dns.exception.DNSException, OSError, EOFError) as error:
            raise CaAway(
                f"the DNS server {self._server} took no update: {str(error) or type(error).__name__}"
            ) from error
        if answer.rcode() != dns.rcode.NOERROR:
            raise CaAway(
                f"the DNS server {self._server} refused an update of {name}: {dns.rcode.to_text(answer.rcode())}"
            )


def _address(server: str) -> str:
    try:
        return str(ipaddress.ip_address(server))
    except ValueError:
        return str(socket.getaddrinfo(server, None)[0][4][0])
