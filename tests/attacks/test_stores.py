"""Whoever has the credentials of one part (THREATS T110-T114): what they can say and read is what the part does."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import nats
import pytest
import redis
import redis.asyncio
from attacks.rights import VALKEY_FORBIDDEN, connected, matches, nats_subjects
from sqlalchemy import make_url, text

from narthex.bus import EVENTS, open_bus
from narthex.bus.permissions import ROLES, may_publish, may_subscribe
from narthex.contracts.entities import Token
from narthex.contracts.errors import NarthexError
from narthex.contracts.events import REGISTRY_FACTS, RequestsServed, RouterDrained, RouterStarted, TokenIssued
from narthex.routing import Entry, Kind, LimitStore, open_limit_store, open_record_store, open_table_store
from narthex.routing.limits import CLOCK, FlightAsk, RateAsk, concurrency_key, rate_key
from narthex.routing.users import VALKEY_USERS
from narthex.runtime.embedded.parts import valkey_config
from narthex.runtime.tasks import background
from narthex.testing.postgres import postgres_server
from narthex.testing.servers import NatsServer, child, free_port, nats_server, valkey_binary
from narthex.testing.waiting import until
from narthex_registry.database import open_database
from narthex_registry.schema import migrate


@pytest.fixture(scope="module")
def bus(tmp_path_factory: pytest.TempPathFactory):  # type: ignore[no-untyped-def]
    with nats_server(tmp_path_factory.mktemp("bus")) as server:
        yield server


@pytest.mark.parametrize("name", ROLES)
async def test_a_parts_credentials_say_and_hear_on_nats_what_the_part_does_and_nothing_else(
    bus: NatsServer, name: str
) -> None:
    async with connected(bus.port, name, bus.passwords[name]) as line:
        assert line.refused == []
        for verb, command, may in (
            ("publish", "PUB {} 2\r\n{{}}\r\n", may_publish(name, ROLES[name])),
            ("subscription", "SUB {} 1\r\nUNSUB 1\r\n", may_subscribe(name, ROLES[name])),
        ):
            for subject in nats_subjects():
                refused = await line.say(command.format(subject))
                allowed = any(matches(pattern, subject) for pattern in may)
                assert [f"permissions violation for {verb}" in error for error in refused] == [True] * (not allowed), (
                    subject,
                    refused,
                )


@pytest.mark.parametrize(("user", "password"), [("", ""), ("registry", "x"), ("registry", ""), ("admin", "admin")])
async def test_nobody_gets_onto_the_bus_without_a_password(bus: NatsServer, user: str, password: str) -> None:
    async with connected(bus.port, user, password) as line:
        assert any("authorization violation" in error for error in line.refused)


def test_only_the_registry_says_what_the_registry_decides() -> None:
    facts = {kind.subject for kind in REGISTRY_FACTS}
    speakers = {name for name, role in ROLES.items() if facts & set(may_publish(name, role))}
    assert speakers == {"registry"}


def test_no_part_but_the_registry_says_what_others_found_out() -> None:
    # It publishes what was given up again (`narthex dead-letters retry`): that is more than it would say by itself.
    for name, role in ROLES.items():
        own = {kind.subject for kind in (*role.publishes, *role.tells)}
        stored = {subject for subject in may_publish(name, role) if subject.startswith("narthex.v1.")}
        assert name == "registry" or stored - set(role.asks) <= own, name


NONSENSE = [
    b"", b"\xff\xfe", b"null", b"[]", b"{}", b'"x"', b"0", b"{" * 5000, b"[" * 100_000, b'{"key": NaN}',
    b'{"key": {"key": 1}}', b'{"v": 99}', b"9" * 5000, json.dumps({"key": "k" * 1_000_000}).encode(),
    json.dumps({"key": "\x00\x1b[31m"}).encode(), b'{"router": 1, "router": 2}', b'{"id": "\\ud800"}',
]  # fmt: skip


async def test_events_that_make_no_sense_are_put_aside_and_the_next_is_heard(bus: NatsServer) -> None:
    heard: list[str] = []

    async def hear(event: RouterStarted | RouterDrained) -> None:
        heard.append(event.router)

    async with (
        open_bus(bus.settings("registry"), "registry") as registry,
        open_bus(bus.settings("router"), "router") as router,
        open_bus(bus.settings("audit"), "audit") as audit,
        background() as tasks,
    ):
        await registry.ensure_streams()
        await until(lambda: router.connected and audit.connected)
        for number, body in enumerate(NONSENSE):
            await router.publish_raw(RouterStarted.subject, body, f"nonsense-{number}")
        await router.publish(RouterDrained(key="sense", router="sense"))
        tasks.start(audit.consume(EVENTS, {RouterStarted: hear, RouterDrained: hear}), "hear")
        await until(lambda: "sense" in heard)
        assert heard == ["sense"]
        letters = await registry.inspection().dead_letters(0, 100)
        assert [letter.body for letter in letters if letter.consumer == "audit"] == NONSENSE


FORGED = TokenIssued(key="t", revision=10**9, sequence=10**9, entity=Token(id="t", subject_id="u", digest="0" * 64))


@pytest.mark.parametrize(
    ("part", "subject", "id"),
    [
        ("audit", TokenIssued.subject, "forged-1.NARTHEX_EVENTS.1"),  # there is another one at that place
        ("audit", TokenIssued.subject, "forged-2.NARTHEX_EVENTS.999"),
        ("audit", TokenIssued.subject, "audit.NARTHEX_REQUESTS.1"),
        ("audit", TokenIssued.subject, ""),
        ("audit", RouterDrained.subject, "forged-3.NARTHEX_EVENTS.1"),  # and the same, with other words in it
        ("certs", RequestsServed.subject, "certs.NARTHEX_REQUESTS.1"),  # who reads no requests
    ],
)
async def test_a_dead_letter_that_its_reader_has_made_up_is_not_published_again(
    bus: NatsServer, part: str, subject: str, id: str
) -> None:
    async with (
        open_bus(bus.settings("registry"), "registry") as registry,
        open_bus(bus.settings("router"), "router") as router,
    ):
        await registry.ensure_streams()
        await until(lambda: router.connected)
        await router.publish(RouterDrained(key=f"{part}-{id}", router="real"))
        thief = await nats.connect(bus.url, user=part, password=bus.passwords[part], inbox_prefix=f"_INBOX_{part}")
        headers = {"Narthex-Subject": subject, "Narthex-Reason": "retry me", **({"Nats-Msg-Id": id} if id else {})}
        placed = await thief.jetstream().publish(
            f"narthex.dead.{part}", FORGED.model_dump_json().encode(), headers=headers
        )
        await thief.close()
        assert not placed.duplicate
        with pytest.raises(NarthexError) as refused:
            await registry.inspection().retry(placed.seq)
        assert refused.value.status in (404, 409)
        assert (await registry.inspection().dead_letter(placed.seq)).subject == subject  # it is there to be looked at


REFUSED = r"(?i)no permissions|DEBUG command not allowed"
PASSWORDS = {name: f"password-of-{name}" for name in VALKEY_USERS}


@pytest.fixture(scope="module")
def valkey(tmp_path_factory: pytest.TempPathFactory):  # type: ignore[no-untyped-def]
    """A Valkey as an installation has it: its port."""
    home, port = tmp_path_factory.mktemp("valkey"), free_port()
    (home / "valkey.conf").write_text(valkey_config(port, PASSWORDS).replace("dir .", f'dir "{home}"'))
    with child([valkey_binary(), str(home / "valkey.conf")], port, home / "log"):
        yield port


def url(port: int, name: str) -> str:
    return f"redis://{name}:{PASSWORDS[name]}@127.0.0.1:{port}/0"


@pytest.fixture
async def limits(valkey: int) -> AsyncIterator[LimitStore]:
    async with open_limit_store(url(valkey, "router"), 5.0) as store:
        yield store


@pytest.mark.parametrize(("name", "kind"), [("router", Kind.SERVICE), ("certs", Kind.CERTIFICATE)])
async def test_a_parts_credentials_do_in_valkey_what_the_part_does(valkey: int, name: str, kind: Kind) -> None:
    async with open_table_store(url(valkey, name), 5.0) as store:
        await store.ping()
        start = await store.position()
        assert await store.apply([Entry(kind, f"of {name}", 1, 1, b"{}")]) == 1
        assert await store.changes(start, 0.01)
        assert await store.get(kind, f"of {name}") is not None
        assert [entry.key async for entry in store.load([kind])] == [f"of {name}"]
        await store.mark_filled()
        assert await store.epoch()
        lease = "projection" if name == "router" else "certs"
        assert await store.lease(lease, "me", 5.0)
    if name == "router":
        async with open_table_store(url(valkey, name), 5.0) as store:
            await store.apply([Entry(Kind.SERVICE, "of router", 2, 2, None)])
            _, held = await store.missing([Kind.SERVICE], set(), 10)
            assert not held
            assert await store.sweep(10, 0.0) >= 1
        return
    async with open_record_store(url(valkey, name), 5.0, "me") as records:
        await records.put("account", "k", "v")
        assert await records.kept()
        assert await records.all("account") == {"k": "v"}
        await records.put("account", "k", "")
        await records.let_go()


async def test_limits_are_granted_settled_and_seen_by_the_routers_credentials(limits: LimitStore) -> None:
    rate = RateAsk(rate_key("s", "t"), 10, 1, 1)
    flight = FlightAsk(concurrency_key("s"), 10, 0, 0, 1, 1, 1)
    for turn in range(3):
        now, answers = await limits.ask(f"worker-{turn}", 0, [rate, flight])
        assert len(answers) == 2
    assert now > 0
    assert len(await limits.use([(rate_key("s", "t"), 10), (concurrency_key("s"), 10)])) == 2


@pytest.mark.parametrize("name", VALKEY_USERS)
async def test_a_parts_credentials_do_nothing_else_in_valkey(valkey: int, name: str) -> None:
    client = redis.asyncio.Redis.from_url(url(valkey, name), protocol=2)
    try:
        for command in VALKEY_FORBIDDEN:
            with pytest.raises(redis.exceptions.ResponseError, match=REFUSED):
                await client.execute_command(*command)
        for key in ("other", "nx:", "nx:certs:account" if name == "router" else CLOCK):
            with pytest.raises(redis.exceptions.ResponseError, match=REFUSED):
                await client.get(key)
        if name == "certs":
            with pytest.raises(redis.exceptions.ResponseError, match=REFUSED):
                await client.hset("nx:table:service", "s", "1 1 {}")
    finally:
        await client.aclose()


async def test_nobody_gets_into_valkey_without_a_password(valkey: int) -> None:
    for address in (f"redis://127.0.0.1:{valkey}/0", f"redis://router:x@127.0.0.1:{valkey}/0"):
        client = redis.asyncio.Redis.from_url(address, protocol=2)
        with pytest.raises(redis.exceptions.AuthenticationError):
            await client.ping()
        await client.aclose()


async def test_the_registrys_role_in_postgresql_needs_no_right_but_to_its_own_database(tmp_path: Path) -> None:
    with postgres_server() as postgres:
        postgres.sql("CREATE ROLE narthex LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS")
        postgres.sql("CREATE DATABASE narthex OWNER narthex TEMPLATE template0")
        address = make_url(postgres.url("narthex")).set(username="narthex")
        async with open_database(address) as engine:
            await migrate(engine)
            async with engine.connect() as connection:
                found = await connection.execute(
                    text(
                        "SELECT rolsuper, rolcreatedb, rolcreaterole, rolbypassrls FROM pg_roles "
                        "WHERE rolname = 'narthex'"
                    )
                )
                assert list(found.one()) == [False] * 4
                assert (await connection.execute(text("SELECT count(*) FROM services"))).scalar_one() == 0
