"""Two versions that share a service's requests."""

from collections import Counter
from contextlib import AsyncExitStack
from typing import Any

from integration.router_kit import Client, Router, entry, router

from narthex.routing import Entry, Kind
from narthex.testing.backend import Script, answer, backend
from narthex.testing.servers import free_port
from narthex_router.arms import Arm, Arms

OLD = answer(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nold")
NEW = answer(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nnew")
BROKEN = answer(b"HTTP/1.1 500 Oh\r\nContent-Length: 3\r\n\r\nbad")
GET = b"GET / HTTP/1.1\r\nHost: svc.services.test\r\n%b\r\n"
SPLIT = {"rollout_id": "r1", "version_id": "v2", "weight": 25.0}


def service(revision: int = 1, **fields: Any) -> Entry:
    base = {"project_id": "p", "deployment_id": "d", "port": 9000, "authentication_required": False}
    return entry(Kind.SERVICE, "svc", revision, **base | fields)


def instance(key: str, version: str, port: int) -> list[Entry]:
    fields = {"deployment_id": "d", "version_id": version, "address": "127.0.0.1", "port": port}
    return [entry(Kind.INSTANCE, key, **fields), entry(Kind.HEALTH, key, health="healthy")]


def table(old: int, new: int, **split: Any) -> list[Entry]:
    shared = service(split=SPLIT | split)
    return [
        entry(Kind.DEPLOYMENT, "d", default_version_id="v1"),
        shared,
        *instance("i1", "v1", old),
        *instance("i2", "v2", new),
    ]


async def ask(client: Client, fields: bytes = b"") -> str:
    await client.send(GET % fields)
    status, _, body = await client.answer()
    return body.decode() if status == 200 else str(status)


async def stage(stack: AsyncExitStack, new: Script = NEW, **split: Any) -> tuple[Router, Client]:
    one, two = await stack.enter_async_context(backend(OLD)), await stack.enter_async_context(backend(new))
    under_test = await stack.enter_async_context(router(table(one.port, two.port, **split)))
    return under_test, await under_test.connect()


def told(under_test: Router) -> dict[str, tuple[int, int]]:
    """Requests and errors by version, as the main process would hear of them."""
    under_test.journal()
    heard = Arms()
    if said := under_test.plane.journal.evidence.arms.take():
        heard.add(said)
    return {arm.version_id: (count.requests, count.errors) for arm, count in heard.empty()}


async def test_each_version_gets_its_part_and_its_requests_are_recorded_and_counted_as_its_own() -> None:
    async with AsyncExitStack() as stack:
        under_test, client = await stage(stack)
        answers = Counter([await ask(client) for _ in range(400)])
        assert 50 <= answers["new"] <= 150
        assert answers["old"] + answers["new"] == 400
        recorded = Counter(record["version_id"] for record in under_test.journal())
        assert recorded == {"v1": answers["old"], "v2": answers["new"]}
        assert {record["instance_id"] for record in under_test.journal() if record["version_id"] == "v2"} == {"i2"}
        assert told(under_test) == {"v1": (answers["old"], 0), "v2": (answers["new"], 0)}


async def test_the_same_value_gets_the_same_version_and_none_goes_back_as_the_part_grows() -> None:
    async with AsyncExitStack() as stack:
        under_test, client = await stage(stack, sticky="cookie:session")

        async def who() -> dict[int, str]:
            return {user: await ask(client, b"Cookie: a=b; session=user-%d\r\n" % user) for user in range(100)}

        first = await who()
        assert await who() == first
        assert 5 <= Counter(first.values())["new"] <= 50
        under_test.plane.table.apply([service(2, split=SPLIT | {"sticky": "cookie:session", "weight": 60.0})])
        more = await who()
        assert {user for user, name in first.items() if name == "new"} < {
            user for user, name in more.items() if name == "new"
        }


async def test_without_the_value_any_version_may_answer() -> None:
    async with AsyncExitStack() as stack:
        _, client = await stage(stack, sticky="header:X-Session", weight=50.0)
        assert {await ask(client) for _ in range(60)} == {"old", "new"}


async def test_a_version_without_instances_gets_nothing_and_one_that_refuses_fails_no_request() -> None:
    async with backend(OLD) as one, router(table(one.port, free_port(), weight=100.0)) as under_test:
        client = await under_test.connect()
        assert {await ask(client) for _ in range(10)} == {"old"}
        assert told(under_test) == {"v1": (10, 0), "v2": (10, 10)}
        assert {record["version_id"] for record in under_test.journal()} == {"v1"}
        under_test.plane.table.apply([entry(Kind.HEALTH, "i2", 2, health="unhealthy")])
        assert {await ask(client) for _ in range(10)} == {"old"}
        assert told(under_test) == {"v1": (10, 0)}


async def test_the_new_version_gets_everything_when_the_old_one_has_no_instance() -> None:
    async with AsyncExitStack() as stack:
        under_test, client = await stage(stack, weight=1.0)
        under_test.plane.table.apply([entry(Kind.HEALTH, "i1", 2, health="unhealthy")])
        assert {await ask(client) for _ in range(20)} == {"new"}


async def test_answers_of_500_count_as_errors_of_the_version_that_gave_them() -> None:
    async with AsyncExitStack() as stack:
        under_test, client = await stage(stack, BROKEN, weight=50.0)
        answers = Counter([await ask(client) for _ in range(60)])
        assert told(under_test) == {"v1": (answers["old"], 0), "v2": (answers["500"], answers["500"])}


async def test_a_service_without_a_split_is_not_compared_and_needs_no_look_at_its_entrance() -> None:
    async with backend(OLD) as one:
        entries = [entry(Kind.DEPLOYMENT, "d", default_version_id="v1"), service(), *instance("i1", "v1", one.port)]
        async with router(entries) as under_test:
            client = await under_test.connect()
            assert await ask(client) == "old"
            assert told(under_test) == {}
            [record] = under_test.journal()
            assert record["version_id"] == "v1"


async def test_an_end_of_the_split_holds_for_connections_that_are_open() -> None:
    async with AsyncExitStack() as stack:
        under_test, client = await stage(stack, weight=100.0)
        assert await ask(client) == "new"
        under_test.plane.table.apply([service(2)])
        assert await ask(client) == "old"


def test_an_arm_is_told_by_service_rollout_and_version() -> None:
    arms = Arms()
    arms.add(b'[[["s", "r", "v"], 3, 1, [[40, 2]]]]')
    arms.add(b'[[["s", "r", "v"], 1, 0, [[40, 1], [41, 1]]]]')
    [(arm, count)] = arms.empty()
    assert (arm, count.requests, count.errors, count.latencies) == (Arm("s", "r", "v"), 4, 1, {40: 3, 41: 1})
    assert arms.take() == b""
