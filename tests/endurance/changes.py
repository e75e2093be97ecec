"""What is changed under the traffic, each change again and again, each checked for being in force at every router.

A change is a function of the stage; `again_and_again` makes it at its pace and says what went wrong with it.
"""

import asyncio
import itertools
import random
import ssl
import time
from collections.abc import Awaitable, Callable

import aiohttp

from endurance.stage import ASKED, WITHIN_S, Stage, statuses
from endurance.wire import Site
from narthex.testing.installation import P, Service
from narthex.testing.waiting import eventually, waited

FEWEST = 2  # instances that a deployment keeps through its churn
ROVING = "127.9.9.9"
LIMITS = (120, 180)  # requests a minute

Change = Callable[[Stage], Awaitable[None]]
NUMBERS = itertools.count()  # of names: none comes twice, also where a change broke off


async def guest(stage: Stage) -> None:
    """A service comes, is closed to those without a token, and goes."""
    name, there = f"guest-{next(NUMBERS)}", stage.services["hello"]
    wish = {"name": name, "deployment": "hello", "port": there.port, "authentication_required": False}
    began = time.monotonic()
    made = await stage.call("POST", f"{P}/services", wish, 201)
    host = f"{made['id']}.services.localhost"
    await in_force(stage, name, began)
    said = await stage.says(host)
    assert all(status == 200 and who.startswith("hello-") for status, who in said), said
    began = time.monotonic()
    await stage.call("PATCH", f"{P}/services/{name}", {"authentication_required": True})
    await in_force(stage, name, began)
    assert statuses(await stage.says(host)) == {401}
    await stage.call("DELETE", f"{P}/services/{name}", None, 204)
    await soon(stage, "service deleted", lambda: stage.says(host), {404})
    stage.made["guest"] = stage.made.get("guest", 0) + 1


async def in_force(stage: Stage, service: str, began: float) -> None:
    """Until the registry says that all routers go by the newest state of a service."""

    async def look() -> bool:
        return bool((await stage.call("GET", f"{P}/services/{service}/propagation"))["applied"])

    await eventually(look, WITHIN_S)
    stage.count("service in force", began)


async def soon(stage: Stage, kind: str, ask: Callable[[], Awaitable[set[tuple[int, str]]]], wanted: set[int]) -> None:
    """Until all answer like that, which they then go on doing."""
    began = time.monotonic()

    async def look() -> bool:
        return statuses(await ask()) == wanted

    await eventually(look, WITHIN_S)
    stage.count(kind, began)
    said = await ask()
    assert statuses(said) == wanted, f"{kind}: {said} after it was in force"


async def token(stage: Stage) -> None:
    """A new user's token opens; reset, only the newer one does; clients go over to it; the user before is deleted."""
    host = stage.sites["secure"].host
    name = f"robot-{next(NUMBERS)}"
    user = await stage.call("POST", f"{P}/service-users", {"name": name}, 201)
    first = user["token"]
    await stage.call("POST", f"{P}/role-assignments", {"role": "deployment-request-user", "assignee": user["id"]}, 201)
    await soon(stage, "token given", lambda: stage.says(host, first), {200})
    second = (await stage.call("PUT", f"{P}/service-users/{user['id']}/token"))["token"]
    await soon(stage, "token reset", lambda: stage.says(host, second), {200})
    await soon(stage, "token taken", lambda: stage.says(host, first), {401})
    before, stage.user, stage.sites["secure"].token = stage.user, {**user, "token": second}, second
    if before:
        await asyncio.sleep(3)  # what is under way with the old one ends
        await stage.call("DELETE", f"{P}/service-users/{before['id']}", None, 204)
        await soon(stage, "token taken", lambda: stage.says(host, before["token"]), {401})


async def version(stage: Stage) -> None:
    """The service goes over to its other version; from then on nobody of the one before answers."""
    to = "v2" if stage.made.get("version", 0) % 2 == 0 else "v1"
    began = time.monotonic()
    await stage.call("PATCH", f"{P}/services/switch", {"version": to})
    await in_force(stage, "switch", began)
    said = await stage.says(stage.services["switch"].host)
    assert all(status == 200 and ("-v2-" in who) is (to == "v2") for status, who in said), f"{to}: {said}"
    stage.count("version", began)


async def churn(stage: Stage, name: str, *, kills: bool) -> None:
    """An instance comes, and the oldest goes: drained, or killed and then removed."""
    service = stage.services[name]
    await stage.here.instance(service)
    await running(stage, service, FEWEST + 1)
    oldest = service.instances[0]
    if kills and random.random() < 0.5:
        oldest.process.kill()
        stage.made["instance killed"] = stage.made.get("instance killed", 0) + 1
        await asyncio.sleep(random.uniform(0, 3))
    began = time.monotonic()
    await stage.here.drain(service, oldest)
    stage.count("instance drained", began)
    oldest.heard.unlink(missing_ok=True)


async def running(stage: Stage, service: Service, number: int, version: str = "v1") -> None:
    async def look() -> bool:
        found = await stage.call("GET", f"{P}/deployments/{service.name}/versions/{version}/instances")
        return [each["status"] for each in found["results"]].count("running") >= number

    await eventually(look, WITHIN_S)


async def churn_hello(stage: Stage) -> None:
    await churn(stage, "hello", kills=True)


async def churn_flow(stage: Stage) -> None:
    await churn(stage, "flow", kills=False)


async def reuse(stage: Stage) -> None:
    """An address and port change hands between two tenants: whoever is there gets no request of the one before."""
    red, blue = stage.services["red"], stage.services["blue"]
    for tenant in (red, blue):
        guest = await stage.here.instance(tenant, address=ROVING)
        try:
            await running(stage, tenant, 2)
            await asyncio.sleep(random.uniform(1, 4))
        finally:
            await stage.here.drain(tenant, guest)
        stage.made["address reused"] = stage.made.get("address reused", 0) + 1


async def certificate(stage: Stage) -> None:
    """The certificate is renewed: new handshakes at all routers see the new one."""
    site = stage.sites["secure"]
    before = {await serial(port, site) for port in site.ports}
    began = time.monotonic()
    found = await stage.call("GET", "/v2.1/certificates/states")
    await stage.call("POST", f"/v2.1/certificates/{found[0]['id']}/renew")

    async def look() -> bool:
        return all([await serial(port, site) not in before for port in site.ports for _ in range(ASKED)])

    await eventually(look, WITHIN_S)
    stage.count("certificate", began)


async def serial(port: int, site: Site) -> str:
    """Of the certificate that a router shows in a handshake, which is verified."""
    trust = site.trust
    assert trust is not None
    _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=trust, server_hostname=site.host)
    shown: ssl.SSLObject = writer.get_extra_info("ssl_object")
    found = shown.getpeercert() or {}
    writer.transport.abort()
    return str(found["serialNumber"])


async def limit(stage: Stage) -> None:
    """A service's rate goes up or down; `over_limit` says later whether more than that passed."""
    to = LIMITS[(stage.made.get("limit", 0) + 1) % 2]
    began = time.monotonic()
    stage.limits.append((time.time(), to))
    await stage.call("PATCH", f"{P}/services/limited", {"rate_limit": to})
    await in_force(stage, "limited", began)
    stage.count("limit", began)


async def replacement(stage: Stage) -> None:
    """Another router takes the place of the second one; the first one stays, so that its memory can be looked at."""
    began = time.monotonic()
    await stage.here["router-2"].replace()
    stage.count("router replaced", began)


async def again_and_again(stage: Stage, change: Change, every_s: float, over: asyncio.Event) -> None:
    while not await waited(over, every_s * random.uniform(0.7, 1.3)):
        try:
            await change(stage)
        except (AssertionError, TimeoutError, OSError, aiohttp.ClientError) as error:
            stage.accounts.violated(f"change {change.__name__}", repr(error))


# Seconds between changes of a kind.
CHANGES: dict[Change, float] = {
    guest: 20.0,
    token: 45.0,
    version: 25.0,
    churn_hello: 30.0,
    churn_flow: 60.0,
    reuse: 60.0,
    certificate: 60.0,
    limit: 120.0,
    replacement: 600.0,
}
