"""What issuers sign with: their key sets, fetched when first needed, kept, and fetched again before they get old.

The URL is a tenant's word, so it leads to public addresses only, or to networks that the installation's settings
name; the address is checked where the connection is made. No redirects, no plain HTTP outside of those networks.
"""

import asyncio
import json
import logging
import re
import ssl
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from narthex.runtime.tasks import Background
from narthex_router.bodies import response_body
from narthex_router.doors.bearer import ALGORITHMS, Key
from narthex_router.doors.policy import Issuer, Network, address_of
from narthex_router.http1 import read_response_head

log = logging.getLogger(__name__)

OLD_S = 600.0  # then it is fetched again; what is held is good until that has succeeded
RARELY_S = 60.0  # between two fetches for a key that is not in the set, or after one that failed
AGAIN_S = 2.0  # the same while there is no set yet: nobody gets in meanwhile
WITHIN_S = 3.0
MOST_BYTES = 256 * 1024
MOST_ISSUERS = 1000
_URL = re.compile(r"(https?)://([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::([0-9]{1,5}))?(/[!-~]*)?")


class Away(Exception):
    """An issuer's keys cannot be had now; says why."""


@dataclass
class KeySet:
    """One issuer's keys by id."""

    keys: dict[str, Key] | None = None  # None: never fetched
    fetched: float = -1e9  # monotonic seconds
    tried: float = -1e9
    reason: str = ""
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class KeySets:
    """The key sets of all issuers that this worker has met; the one unused for longest goes."""

    def __init__(self, tasks: Background, networks: Sequence[Network] = ()) -> None:
        self._tasks = tasks
        self._networks = networks
        self._sets: dict[tuple[str, str | None], KeySet] = {}

    async def of(self, issuer: Issuer) -> dict[str, Key]:
        """The keys of an issuer. Raises Away when there are none and none can be had."""
        held = self._held(issuer)
        age = time.monotonic() - held.fetched
        if held.keys is None:
            await self._fetch(issuer, held)
        elif age > OLD_S and time.monotonic() - held.tried > RARELY_S:
            held.tried = time.monotonic()
            self._tasks.start(self._fetch(issuer, held, at_once=True), "fetch keys")
        if held.keys is None:
            raise Away(held.reason)
        return held.keys

    async def fresh(self, issuer: Issuer) -> dict[str, Key]:
        """The keys, fetched once more for one that is not among them: once a minute at most."""
        held = self._held(issuer)
        await self._fetch(issuer, held)
        return held.keys or {}

    def _held(self, issuer: Issuer) -> KeySet:
        key = (issuer.issuer, issuer.keys_url)
        held = self._sets.pop(key, None) or KeySet()
        self._sets[key] = held
        if len(self._sets) > MOST_ISSUERS:
            del self._sets[next(iter(self._sets))]
        return held

    async def _fetch(self, issuer: Issuer, held: KeySet, *, at_once: bool = False) -> None:
        """Fetch a set unless that was tried a moment ago; who comes meanwhile waits for the same answer."""
        asked = time.monotonic()
        async with held.lock:
            pause = RARELY_S if held.keys is not None else AGAIN_S
            if not at_once and (held.tried > asked or asked - held.tried < pause):
                return
            try:
                async with asyncio.timeout(WITHIN_S):
                    held.keys = read_key_set(await self._key_set(issuer))
                held.fetched = time.monotonic()
            except Exception as error:  # whatever an issuer answers: it must not end the worker
                held.reason = str(error) or f"no answer within {WITHIN_S:g} s"
                log.warning(
                    "an issuer's keys cannot be fetched",
                    extra={"fields": {"issuer": issuer.issuer, "reason": held.reason}},
                )
            held.tried = time.monotonic()

    async def _key_set(self, issuer: Issuer) -> Any:
        if issuer.keys_url:
            return await self._get(issuer.keys_url)
        found = await self._get(issuer.issuer.rstrip("/") + "/.well-known/openid-configuration")
        if not isinstance(found, dict) or found.get("issuer") != issuer.issuer:
            raise ValueError("the issuer's discovery document names another issuer")
        return await self._get(str(found.get("jwks_uri")))

    async def _get(self, url: str) -> Any:
        """The JSON at a URL."""
        parts = _URL.fullmatch(url)
        if parts is None:
            raise ValueError(f"{url[:200]!r} is no http or https URL")
        scheme, host, port_text, path = parts.groups()
        port = int(port_text or (443 if scheme == "https" else 80))
        address = await self._address(host, port, secure=scheme == "https")
        context, name = (self._trust, host.strip("[]")) if scheme == "https" else (None, None)
        reader, writer = await asyncio.open_connection(address, port, ssl=context, server_hostname=name)
        try:
            authority = f"{host}:{port_text}" if port_text else host
            writer.write(
                f"GET {path or '/'} HTTP/1.1\r\nhost: {authority}\r\naccept: application/json\r\n"
                "user-agent: narthex\r\nconnection: close\r\n\r\n".encode("ascii")
            )
            return json.loads(await _body(reader))
        finally:
            writer.close()

    async def _address(self, host: str, port: int, *, secure: bool) -> str:
        """Where a host is; OSError where it may not be asked."""
        found = await asyncio.get_running_loop().getaddrinfo(host.strip("[]"), port)
        addresses = [str(each[4][0]) for each in found]
        if not addresses or not all(self._may_ask(address, secure=secure) for address in addresses):
            raise OSError(f"{host} is not on the public Internet, or not asked by HTTPS; see the router's settings")
        return addresses[0]

    def _may_ask(self, text: str, *, secure: bool) -> bool:
        address = address_of(text)
        if address is None:
            return False
        return any(address in network for network in self._networks) or (
            secure and address.is_global and not address.is_multicast
        )

    @cached_property
    def _trust(self) -> ssl.SSLContext:
        return ssl.create_default_context()


async def _body(reader: asyncio.StreamReader) -> bytes:
    """The body of an answer with the status 200."""
    head = read_response_head((await reader.readuntil(b"\r\n\r\n"))[:-2])
    if head.status != 200:
        raise ValueError(f"answered {head.status}")
    body, content = response_body(b"GET", head.status, head.fields), b""
    while not body.done and (data := await reader.read(65536)):
        content += body.feed(data)[0]
        if len(content) > MOST_BYTES:
            raise ValueError(f"answered more than {MOST_BYTES} bytes")
    return content


def read_key_set(document: Any) -> dict[str, Key]:
    """The usable keys of a JSON Web Key Set (RFC 7517) by id: public ones, for signatures. ValueError when it is none.

    A key without an id has the id "": it serves tokens that name none.
    """
    keys = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(keys, list):
        raise ValueError("answered no JSON Web Key Set")
    return {
        str(key.get("kid", "")): key
        for key in keys
        if isinstance(key, dict) and key.get("kty") in ALGORITHMS and key.get("use", "sig") == "sig"
    }
