"""Every route of the API against every kind of caller.

The requests are real and go through the whole application but for the handlers: in their place one answers ADMITTED,
so that a deletion deletes nothing. A new route is part of it as soon as it is there.
"""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio
from aiohttp import web
from integration.registry_people import House, P, house

from narthex.testing.waiting import eventually
from narthex_registry import app
from narthex_registry.api import elsewhere
from narthex_registry.api.needs import Needs, Permission, Standing
from narthex_registry.api.server import ROUTES, application
from narthex_registry.api.state import State
from narthex_registry.permissions import DEFAULT_ROLES, PEOPLE_PERMISSIONS

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.sqlite_only]  # one house for all of them

ADMITTED = 299
THERE = {"project": "default", "organization": "default", "deployment": "hello", "version": "v1", "service": "web"}

Role = tuple[str, str, str]  # its name, and the kind and the name of what it is given on


def of_kind(kind: str) -> list[str]:
    return [f"{kind}-{level}" for level in ("viewer", "editor", "admin")]


# Who there is in the project, with which role on what.
MEMBERS: dict[str, Role | None] = {
    "without a role": None,
    **{role: (role, "project", "default") for role in DEFAULT_ROLES},
    **{f"{role} on hello": (role, "deployment", "hello") for role in of_kind("deployment")},
    **{f"{role} on web": (role, "service", "web") for role in of_kind("service")},
    "deployment-admin on other": ("deployment-admin", "deployment", "other"),
    "service-admin on second": ("service-admin", "service", "second"),
    "caller of web": ("service-request-user", "service", "web"),
}
SERVICE_USERS: dict[str, Role | None] = {
    "service user without a role": None,
    "service user with all": ("project-admin", "project", "default"),
    "service user on web": ("service-editor", "service", "web"),
}
STRANGERS = ("foreign admin", "foreign service user", "nobody of anywhere")
UNKNOWN = ("expired", "revoked", "signed out", "made up", "missing")
EVERYBODY = ("administrator", "organization admin", *MEMBERS, *SERVICE_USERS, *STRANGERS, *UNKNOWN)
A_FEW = ("administrator", "without a role", "nobody of anywhere", "missing")  # for what is not offered to anybody


@dataclass
class Switch:
    """While it is on, whoever is admitted gets ADMITTED instead of the handler's answer."""

    on: bool = False

    def application(self, state: State) -> web.Application:
        @web.middleware
        async def admitted(
            request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
        ) -> web.StreamResponse:
            return web.Response(status=ADMITTED) if self.on else await handler(request)

        made = application(state)
        made.middlewares.append(admitted)
        return made


SWITCH = Switch()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def full(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    """A house with everybody in it, made once: nothing here changes it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(app, "application", SWITCH.application)
        async with house(tmp_path_factory.mktemp("matrix"), requests_per_minute=1_000_000) as made:
            await made.stock()
            await made.person("organization-admin", admin=True)
            made.bearers["organization admin"] = made.bearers["organization-admin"]
            for name, role in MEMBERS.items():
                slug = name.replace(" ", ".")
                await made.member(slug, *as_arguments(role)[:1], **as_resource(role))
                made.bearers[name] = made.bearers[slug]
            for name, role in SERVICE_USERS.items():
                await made.service_user(name, *as_arguments(role)[:1], **as_resource(role))
            await strangers(made)
            await worthless(made)
            yield made


def as_arguments(role: Role | None) -> tuple[str, ...]:
    return role or ()


def as_resource(role: Role | None) -> dict[str, str]:
    return {"resource_type": role[1], "resource": role[2]} if role else {}


async def strangers(made: House) -> None:
    """Those who have everything elsewhere."""
    await made.api.made("/v2.1/organizations", {"name": "foreign"})
    await made.person("foreigner", "foreign", admin=True)
    made.bearers["foreign admin"] = made.bearers["foreigner"]
    await made.ask("foreigner", "POST", "/v2.1/projects", {"name": "abroad", "organization_name": "foreign"})
    _, user = await made.ask("foreigner", "POST", "/v2.1/projects/abroad/service-users", {"name": "far"})
    made.bearers["foreign service user"] = user["token"]
    given = {"role": "project-admin", "assignee": user["id"]}
    assert (await made.ask("foreigner", "POST", "/v2.1/projects/abroad/role-assignments", given))[0] == 201
    await made.api.made("/v2.1/user", {"email": "nobody@people.test", "password": "correct horse"})
    made.bearers["nobody of anywhere"] = await made.sign_in("nobody")


async def worthless(made: House) -> None:
    """Credentials that were good once, and some that never were."""
    await made.member("gone", "project-admin")
    _, token = await made.ask("gone", "POST", "/v2.1/user/tokens", {"expiry_date": "2099-01-01T00:00:00Z"})
    made.bearers["revoked"] = token["token"]
    assert (await made.ask("gone", "DELETE", f"/v2.1/user/tokens/{token['id']}"))[0] == 204
    made.bearers["signed out"] = made.bearers["gone"]
    assert (await made.ask("signed out", "POST", "/v2.1/oauth/sign-out"))[0] == 204
    expiring = await made.service_user("expired", "project-admin")
    made.bearers["made up"] = "NX_" + "a" * 40
    made.bearers["missing"] = ""
    await expire(made, expiring["id"])


async def expire(made: House, user_id: str) -> None:
    """The soonest end that can be asked for is a moment away; whoever asks later than that is too late."""
    soon = (datetime.now(UTC) + timedelta(milliseconds=300)).isoformat()
    status, body = await made.api.patch(f"{P}/service-users/{user_id}", {"expiry_date": soon})
    assert status == 200, body

    async def refused() -> bool:
        return (await made.ask("expired", "GET", "/v2.1/user"))[0] == 401

    await eventually(refused)


def filled(path: str) -> str:
    """A route's pattern with names in it: of things that are there, or of none."""
    return "/v2.1" + re.sub(r"\{(\w+)(:[^{}]*)?\}", lambda found: _value(found[1], found[2]), path)


def _value(name: str, pattern: str | None) -> str:
    return "" if pattern == ":(/.*)?" else THERE.get(name, "nothing-here")


def expected(who: str, needs: Needs, path: str) -> int:
    """What a caller must be answered. Written here once more, in other words than in the registry."""
    if needs is Standing.ANYBODY:
        return ADMITTED
    if who in UNKNOWN:
        return 401
    if who == "administrator":
        return ADMITTED
    if isinstance(needs, Standing):
        return by_standing(who, needs)
    if who in STRANGERS:
        return 404
    return ADMITTED if who == "organization admin" else by_role(who, needs, path)


def by_standing(who: str, needs: Standing) -> int:
    service_user = who in SERVICE_USERS or who == "foreign service user"
    outside = who in STRANGERS
    match needs:
        case Standing.SIGNED_IN:
            return ADMITTED
        case Standing.PERSON:
            return 403 if service_user else ADMITTED
        case Standing.ADMINISTRATOR:
            return 403
        case Standing.ORGANIZATION_MEMBER:
            return 403 if service_user else 404 if outside else ADMITTED
        case Standing.ORGANIZATION_ADMIN:
            return 403 if service_user else 404 if outside else ADMITTED if who == "organization admin" else 403
    raise AssertionError(f"say what {needs} means")


def by_role(who: str, needs: Permission, path: str) -> int:
    role = MEMBERS.get(who) or SERVICE_USERS.get(who)
    held = set(DEFAULT_ROLES[role[0]].permissions) if role else set()
    if who in SERVICE_USERS:
        held -= PEOPLE_PERMISSIONS
    kind, name = (role[1], role[2]) if role else ("", "")
    if kind == "project" and needs.name in held:
        return ADMITTED
    named = next((each for each in ("deployment", "service") if "{" + each + "}" in path), "")
    if not named:
        return ADMITTED if needs.somewhere and needs.name in held else 403
    here = kind == "project" or (kind, name) == (named, THERE[named])
    if here and needs.name in held:
        return ADMITTED
    return 403 if here and f"{named}s.get" in held else 404


@pytest.mark.timeout(240)
async def test_every_caller_is_answered_on_every_route_as_the_table_of_permissions_says(full: House) -> None:
    wrong = []
    SWITCH.on = True
    for route in ROUTES:
        needs: Needs = route.handler.needs
        method = "GET" if route.method == "*" else route.method
        for who in A_FEW if route.handler.__module__ == elsewhere.__name__ else EVERYBODY:
            headers = {"Authorization": f"Token {full.bearers[who]}" if full.bearers[who] else ""}
            async with full.api.session.request(method, filled(route.path), headers=headers) as response:
                await response.read()
            if response.status != (right := expected(who, needs, route.path)):
                wrong.append(f"{who}: {method} {route.path} ({needs}): {response.status} instead of {right}")
    SWITCH.on = False
    assert not wrong, "\n".join(wrong[:40])


@pytest.mark.parametrize(
    ("hidden", "absent"),
    [
        ("/v2.1/projects/default", "/v2.1/projects/nothing"),
        (f"{P}/services", "/v2.1/projects/nothing/services"),
        (f"{P}/service-users/x", "/v2.1/projects/nothing/service-users/x"),
        ("/v2.1/organizations/default", "/v2.1/organizations/nothing"),
    ],
)
async def test_what_a_stranger_may_not_see_is_answered_as_what_is_not_there(
    full: House, hidden: str, absent: str
) -> None:
    for who in ("foreign admin", "nobody of anywhere"):
        one, other = await full.ask(who, "GET", hidden), await full.ask(who, "GET", absent)
        assert one[0] == other[0] == 404
        assert one[1]["error"].replace("default", "nothing") == other[1]["error"]
        assert one[1]["code"] == other[1]["code"]


@pytest.mark.parametrize(
    ("who", "hidden", "absent"),
    [
        ("service-admin on web", f"{P}/services/second", f"{P}/services/nothing"),
        ("deployment-admin on hello", f"{P}/deployments/other/versions", f"{P}/deployments/nothing/versions"),
        ("without a role", f"{P}/services/web", f"{P}/services/nothing"),
        ("project-viewer", f"{P}/services/nothing", f"{P}/services/nothing"),
    ],
)
async def test_within_a_project_too(full: House, who: str, hidden: str, absent: str) -> None:
    one, other = await full.ask(who, "GET", hidden), await full.ask(who, "GET", absent)
    name = hidden.split("/")[5]
    assert (one[0], one[1]["error"].replace(name, "nothing")) == (404, other[1]["error"])
    assert other[0] == 404


async def test_lists_show_what_may_be_seen(full: House) -> None:

    async def names(who: str, path: str) -> list[str]:
        status, found = await full.ask(who, "GET", path)
        assert status == 200, found
        return sorted(each["name"] for each in found)

    assert await names("service-viewer on web", f"{P}/services") == ["web"]
    assert await names("project-viewer", f"{P}/services") == ["second", "web"]
    assert await names("deployment-viewer on hello", f"{P}/deployments") == ["hello"]
    assert await names("without a role", "/v2.1/projects") == ["default"]
    assert await names("service user on web", "/v2.1/projects") == ["default"]
    assert await names("foreign admin", "/v2.1/projects") == ["abroad"]
    assert await names("administrator", "/v2.1/projects") == ["abroad", "default"]
    assert await names("foreign admin", "/v2.1/organizations") == ["foreign"]
    assert await names("service user with all", "/v2.1/organizations") == []
    assert await names("nobody of anywhere", "/v2.1/projects") == []


async def test_the_instances_of_a_project_are_those_of_deployments_that_may_be_seen(full: House) -> None:
    for number, deployment in enumerate(("hello", "other")):
        path = f"{P}/deployments/{deployment}/versions/v1/instances"
        await full.api.made(path, {"address": f"10.0.0.{number}"})
    for who, seen in {"deployment-viewer on hello": ["10.0.0.0"], "project-viewer": ["10.0.0.0", "10.0.0.1"]}.items():
        _, page = await full.ask(who, "GET", f"{P}/instances")
        assert sorted(each["address"] for each in page["results"]) == seen
