"""How somebody shows that a name is theirs: a TXT record, or a file on the server that the name leads to now.

The text is secret to the project that claims the name, so whoever can publish it controls the name and is in the
project. We never publish it ourselves: that a name leads to our routers says nothing about whose it is.
"""

import asyncio

import aiohttp

from narthex.contracts.errors import NarthexError
from narthex.contracts.reach import Network
from narthex_registry.config import DomainSettings
from narthex_registry.outbound import check_url, open_outbound

MOST_BYTES = 4096


def record_name(host: str) -> str:
    return f"_narthex.{host}"


def secret_text(token: str) -> str:
    """What is to be published, in either place."""
    return f"narthex-domain={token}"


def file_url(host: str, token: str) -> str:
    return f"http://{host}/.well-known/narthex-domain/{token[:16]}"


class Proof:
    """Looks for the proof where it may be."""

    def __init__(self, settings: DomainSettings, networks: tuple[Network, ...]) -> None:
        self._settings = settings
        self._networks = networks

    async def find(self, host: str, token: str) -> str:
        """Why there is no proof, in a sentence; empty when there is one."""
        in_dns, in_file = await asyncio.gather(self._in_dns(host, token), self._in_file(host, token))
        if not in_dns or not in_file:
            return ""
        return f"{in_dns}; {in_file}"

    async def _in_dns(self, host: str, token: str) -> str:
        import dns.asyncresolver
        import dns.exception

        name = record_name(host)
        resolver = dns.asyncresolver.Resolver(configure=not self._settings.dns_server)
        if self._settings.dns_server:
            resolver.nameservers = [self._settings.dns_server]
            resolver.port = self._settings.dns_port
        try:
            answer = await resolver.resolve(f"{name}.", "TXT", lifetime=self._settings.timeout_s)
        except (dns.exception.DNSException, OSError) as error:
            return f"{name} has no TXT record that can be read ({type(error).__name__})"
        texts = [b"".join(record.strings).decode("ascii", "replace") for record in answer]
        return "" if secret_text(token) in texts else f"{name} has TXT records, but not the one asked for"

    async def _in_file(self, host: str, token: str) -> str:
        url = file_url(host, token)
        try:
            check_url(url, self._networks)
            async with (
                asyncio.timeout(self._settings.timeout_s),
                open_outbound(self._networks) as session,
                session.get(self._ported(url, host), allow_redirects=False) as answer,
            ):
                body = await answer.content.read(MOST_BYTES)
        except NarthexError as error:
            return error.message
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError):
            return f"{url} cannot be read"
        if answer.status == 200 and body.strip() == secret_text(token).encode():
            return ""
        return f"{url} answered HTTP {answer.status} without the text asked for"

    def _ported(self, url: str, host: str) -> str:
        port = self._settings.http_port
        return url if port == 80 else url.replace(host, f"{host}:{port}", 1)
