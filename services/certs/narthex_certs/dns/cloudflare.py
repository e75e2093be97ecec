"""Cloudflare's DNS API (v4): a token with the permission to edit the zone's records."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from narthex_certs.acme.problem import CaAway
from narthex_certs.config import DnsSettings, read_secret

TTL_S = 60


class Cloudflare:
    """A zone, found by its name."""

    def __init__(self, session: aiohttp.ClientSession, api: str, zone: str, timeout_s: float) -> None:
        self._session = session
        self._api = api.rstrip("/")
        self._zone = zone
        self._zone_id = ""
        self._timeout_s = timeout_s

    async def add(self, name: str, value: str) -> None:
        if await self._ids(name, value):
            return
        record = {"type": "TXT", "name": name, "content": f'"{value}"', "ttl": TTL_S}
        await self._call("POST", f"/zones/{await self._id()}/dns_records", json=record)

    async def remove(self, name: str, value: str) -> None:
        for id in await self._ids(name, value):
            await self._call("DELETE", f"/zones/{await self._id()}/dns_records/{id}")

    async def _ids(self, name: str, value: str) -> list[str]:
        found = await self._call("GET", f"/zones/{await self._id()}/dns_records", params={"type": "TXT", "name": name})
        return [record["id"] for record in found if record.get("content", "").strip('"') == value]

    async def _id(self) -> str:
        if not self._zone_id:
            zones = await self._call("GET", "/zones", params={"name": self._zone})
            if not zones:
                raise CaAway(f"Cloudflare has no zone {self._zone} that this token may edit")
            self._zone_id = zones[0]["id"]
        return self._zone_id

    async def _call(self, method: str, path: str, **more: Any) -> Any:
        try:
            async with (
                asyncio.timeout(self._timeout_s),
                self._session.request(method, self._api + path, allow_redirects=False, **more) as response,
            ):
                answer = await response.json(content_type=None)
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise CaAway(f"Cloudflare's API is away: {str(error) or type(error).__name__}") from error
        if not isinstance(answer, dict) or not answer.get("success"):
            errors = answer.get("errors") if isinstance(answer, dict) else None
            words = "; ".join(str(each.get("message", each)) for each in errors or ()) or f"HTTP {response.status}"
            raise CaAway(f"Cloudflare's API refused: {words}")
        return answer.get("result")


@asynccontextmanager
async def open_cloudflare(settings: DnsSettings) -> AsyncIterator[Cloudflare]:
    token = read_secret(settings.token_file, "NARTHEX_CERTS_DNS_TOKEN_FILE")
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {token}"}, trust_env=True) as session:
        yield Cloudflare(session, settings.api, settings.zone, settings.timeout_s)
