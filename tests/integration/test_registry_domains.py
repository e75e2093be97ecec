"""Domains of services: nothing is served or ordered before it was shown to be somebody's."""

import json
import socket
from datetime import timedelta

import pytest
from integration.databases import database_url
from integration.dns_server import dns_server
from integration.registry_kit import SERVICE, P, running
from sqlalchemy import make_url, select

from narthex_registry import domains, outbound
from narthex_registry.database import Database, open_database
from narthex_registry.tables import Outbox

HOST = "shop.example.com"
DOMAINS = f"{P}/services/web/domains"


@pytest.fixture
async def dns(tmp_path, monkeypatch):
    async with dns_server("example.com", tmp_path) as server:
        monkeypatch.setenv("NARTHEX_REGISTRY_DOMAINS_DNS_SERVER", "127.0.0.1")
        monkeypatch.setenv("NARTHEX_REGISTRY_DOMAINS_DNS_PORT", str(server.port))
        monkeypatch.setenv("NARTHEX_REGISTRY_DOMAINS_TIMEOUT_S", "1")
        yield server


async def ask(api, verb, path, *rest):
    """What the API answers, with the status that is the last argument; 200 when it is left out."""
    body, expected = (rest[0], rest[-1]) if len(rest) > 1 else (None, *(rest or (200,)))
    status, answer = await api.call(verb.upper(), path, body)
    assert status == expected, answer
    return answer


async def a_service(api, project="default"):
    base = f"/v2.1/projects/{project}"
    if project != "default":
        await ask(api, "post", "/v2.1/projects", {"name": project, "organization_name": "default"}, 201)
    await ask(api, "post", f"{base}/deployments", {"name": "hello"}, 201)
    await ask(api, "post", f"{base}/services", SERVICE, 201)
    return f"{base}/services/web/domains"


async def test_a_domain_is_verified_by_the_text_in_dns(tmp_path, dns):
    async with running(tmp_path) as api:
        await a_service(api)
        made = await ask(api, "post", DOMAINS, {"host": "Shop.Example.com."}, 201)
        assert (made["host"], made["verified"]) == (HOST, False)
        seen = await ask(api, "post", f"{DOMAINS}/{HOST}/verify", None, 200)
        assert not seen["verified"]
        assert made["txt_name"] in seen["problem"]
        dns.records[made["txt_name"]] = {"something else", made["text"]}
        assert (await ask(api, "post", f"{DOMAINS}/{HOST}/verify", None, 200))["verified"]
        dns.records.clear()  # who has shown it once need not keep the proof
        assert (await ask(api, "post", f"{DOMAINS}/{HOST}/verify", None, 200))["verified"]
        assert [each["host"] for each in await ask(api, "get", DOMAINS)] == [HOST]


async def test_facts_tell_of_it_and_the_snapshot_does(tmp_path, dns):
    async with running(tmp_path) as api:
        await a_service(api)
        made = await ask(api, "post", DOMAINS, {"host": HOST}, 201)
        dns.records[made["txt_name"]] = {made["text"]}
        await ask(api, "post", f"{DOMAINS}/{HOST}/verify", None, 200)
        await ask(api, "delete", f"{DOMAINS}/{HOST}", 204)
    facts = await told(tmp_path)
    assert [subject for subject, _ in facts] == [
        f"narthex.v1.domain.{verb}" for verb in ("added", "verified", "removed")
    ]
    assert facts[1][1]["entity"]["verified"] is True
    assert made["text"].removeprefix("narthex-domain=") not in json.dumps(facts)


async def told(directory) -> list[tuple[str, dict]]:
    url = make_url(database_url(directory) or f"sqlite:///{directory}/registry/registry.db")
    async with open_database(url) as engine, Database(engine).read() as session:
        rows = (await session.execute(select(Outbox.subject, Outbox.body).order_by(Outbox.sequence))).all()
    return [(subject, json.loads(body)) for subject, body in rows if ".domain." in subject]


@pytest.mark.parametrize("other", [HOST, "a.shop.example.com", "example.com"])
async def test_what_is_another_projects_or_above_or_below_it_is_refused(tmp_path, dns, other):
    async with running(tmp_path) as api:
        await a_service(api)
        theirs = await a_service(api, "others")
        made = await ask(api, "post", DOMAINS, {"host": HOST}, 201)
        # A claim alone keeps nobody out, or anybody could keep everybody out.
        early = await ask(api, "post", theirs, {"host": other}, 201)
        dns.records[made["txt_name"]] = {made["text"]}
        await ask(api, "post", f"{DOMAINS}/{HOST}/verify", None, 200)
        dns.records[early["txt_name"]] = dns.records.get(early["txt_name"], set()) | {early["text"]}
        refused = await ask(api, "post", f"{theirs}/{other}/verify", None, 409)
        assert "another project's" in refused["error"]


async def test_what_was_let_go_of_is_kept_for_its_owner_for_30_days(tmp_path, dns, monkeypatch):
    async with running(tmp_path) as api:
        await a_service(api)
        theirs = await a_service(api, "others")
        made = await ask(api, "post", DOMAINS, {"host": HOST}, 201)
        dns.records[made["txt_name"]] = {made["text"]}
        await ask(api, "post", f"{DOMAINS}/{HOST}/verify", None, 200)
        await ask(api, "delete", f"{P}/services/web", 204)  # it goes with its service
        await ask(api, "post", theirs, {"host": HOST}, 409)
        await ask(api, "post", f"{P}/services", SERVICE, 201)
        again = await ask(api, "post", DOMAINS, {"host": HOST}, 201)
        assert not again["verified"]
        assert again["text"] != made["text"]
        await ask(api, "delete", f"{DOMAINS}/{HOST}", 204)
        monkeypatch.setattr(domains, "KEPT_FOR_ITS_OWNER", timedelta(0))
        await ask(api, "post", theirs, {"host": HOST}, 201)


async def test_a_file_on_the_server_that_the_name_leads_to_is_a_proof_too(tmp_path, dns, monkeypatch):
    from aiohttp import web

    served: dict[str, str] = {}

    async def file(request: web.Request) -> web.Response:
        return web.Response(text=served.get(f"http://{HOST}{request.path}", "nothing") + "\n")

    app = web.Application()
    app.router.add_get("/{rest:.*}", file)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    monkeypatch.setenv("NARTHEX_REGISTRY_DOMAINS_HTTP_PORT", str(runner.addresses[0][1]))
    monkeypatch.setenv("NARTHEX_WEBHOOKS_ALLOW_NETWORKS", "127.0.0.0/8")

    class Here:
        async def resolve(self, host, port=0, family=socket.AF_INET):
            return [{"hostname": host, "host": "127.0.0.1", "port": port, "family": family, "proto": 0, "flags": 0}]

        async def close(self) -> None: ...

    monkeypatch.setattr(outbound.aiohttp, "ThreadedResolver", Here)
    async with running(tmp_path) as api:
        await a_service(api)
        made = await ask(api, "post", DOMAINS, {"host": HOST}, 201)
        assert not (await ask(api, "post", f"{DOMAINS}/{HOST}/verify", None, 200))["verified"]
        served[made["file_url"]] = made["text"]
        assert (await ask(api, "post", f"{DOMAINS}/{HOST}/verify", None, 200))["verified"]
    await runner.cleanup()


@pytest.mark.parametrize(
    ("host", "reason"),
    [
        ("*.example.com", "DNS name"),
        ("example.test", "belongs to this installation"),
        ("x.services.example.test", "belongs to this installation"),
        ("192.0.2.1", "IP address"),
        ("shop.localhost", "not a name on the Internet"),
        ("co.uk", "others register"),
        ("_acme-challenge.example.com", "DNS name"),
        ("wpad.example.com", "programs take their settings"),
        ("xn--pple-43d.com", "several scripts"),
    ],
)
async def test_names_that_nobody_gets_are_refused(tmp_path, dns, host, reason):
    async with running(tmp_path) as api:
        await a_service(api)
        refused = await ask(api, "post", DOMAINS, {"host": host}, 400)
        assert reason in refused["error"]
