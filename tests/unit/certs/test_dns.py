"""Ways to write TXT records: an HTTP API, a command."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from narthex.contracts.errors import Misconfigured
from narthex_certs.acme.problem import CaAway
from narthex_certs.config import DnsSettings
from narthex_certs.dns import open_zone
from narthex_certs.dns.hook import Hook


@asynccontextmanager
async def cloudflare(records: dict[str, dict]) -> AsyncIterator[str]:
    """The part of Cloudflare's API that is used, for a token `right` and a zone `example.com`."""

    @web.middleware
    async def authorized(request: web.Request, handler) -> web.StreamResponse:
        if request.headers.get("Authorization") != "Bearer right":
            errors = [{"code": 9109, "message": "Invalid access token"}]
            return web.json_response({"success": False, "errors": errors}, status=403)
        return web.json_response({"success": True, "result": await handler(request)})

    async def zones(request: web.Request):
        return [{"id": "z1"}] if request.query["name"] == "example.com" else []

    async def listed(request: web.Request):
        return [each for each in records.values() if each["name"] == request.query["name"]]

    async def made(request: web.Request):
        record = json.loads(await request.text()) | {"id": f"r{len(records)}"}
        records[record["id"]] = record
        return record

    async def removed(request: web.Request):
        return records.pop(request.match_info["id"])

    app = web.Application(middlewares=[authorized])
    app.add_routes(
        [
            web.get("/zones", zones),
            web.get("/zones/z1/dns_records", listed),
            web.post("/zones/z1/dns_records", made),
            web.delete("/zones/z1/dns_records/{id}", removed),
        ]
    )
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def settings(tmp_path, api: str, token: str = "right", zone: str = "example.com") -> DnsSettings:
    file = tmp_path / "token"
    file.write_text(token + "\n")
    return DnsSettings(provider="cloudflare", zone=zone, token_file=file, api=api)


async def test_cloudflare_keeps_values_beside_one_another_and_forgets_one_at_a_time(tmp_path):
    records: dict[str, dict] = {}
    async with cloudflare(records) as api, open_zone(settings(tmp_path, api)) as zone:
        for value in ("one", "two", "two"):
            await zone.add("_acme-challenge.example.com", value)
        assert sorted(each["content"] for each in records.values()) == ['"one"', '"two"']
        await zone.remove("_acme-challenge.example.com", "one")
        await zone.remove("_acme-challenge.example.com", "one")
        assert [each["content"] for each in records.values()] == ['"two"']


@pytest.mark.parametrize(
    ("token", "zone", "reason"),
    [("wrong", "example.com", "Invalid access token"), ("right", "example.org", "no zone example.org")],
)
async def test_cloudflares_refusal_is_a_reason_to_try_later(tmp_path, token, zone, reason):
    async with cloudflare({}) as api, open_zone(settings(tmp_path, api, token, zone)) as found:
        with pytest.raises(CaAway, match=reason):
            await found.add("_acme-challenge.example.com", "x")


async def test_a_command_that_fails_says_why_and_one_that_hangs_is_ended():
    with pytest.raises(CaAway, match=r"failed to add name \(exit 3\): no such zone"):
        await Hook("sh -c 'echo no such zone >&2; exit 3'", 5.0).add("name", "value")
    with pytest.raises(CaAway, match="longer than"):
        await Hook("sh -c 'exec sleep 60'", 0.1).add("name", "value")


async def test_a_way_that_is_not_set_up_says_which_setting_it_needs():
    with pytest.raises(Misconfigured, match="NARTHEX_CERTS_DNS_PROVIDER"):
        async with open_zone(DnsSettings()):
            pass
    with pytest.raises(Misconfigured, match="NARTHEX_CERTS_DNS_ZONE"):
        async with open_zone(DnsSettings(provider="rfc2136")):
            pass
