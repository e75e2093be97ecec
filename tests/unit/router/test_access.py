"""Who gets in, by what their header lines say: values in, values out."""

from collections.abc import AsyncIterator

import pytest
from argon2 import PasswordHasher, extract_parameters
from argon2.exceptions import VerifyMismatchError
from integration.router_kit import TOKEN_KEY, entry, service_entries
from msgspec import structs

from narthex.contracts.digest import token_digest
from narthex.routing import Kind
from narthex.runtime.tasks import background
from narthex_registry.passwords import LANES, MEMORY_KIB, PASSES
from narthex_router.access import Knock, Refusal, admit, read_authorization
from narthex_router.doors import basic, proxies
from narthex_router.doors.policy import networks
from narthex_router.doors.porter import Porter
from narthex_router.doors.question import Unsettled, Way
from narthex_router.http1 import Fields
from narthex_router.table import Caller, Route, Table

HOST = b"svc.services.test"
ME = Knock("192.0.2.7", None)


@pytest.fixture
async def porter() -> AsyncIterator[Porter]:
    async with background() as tasks:
        yield Porter(tasks)


def table(**fields: object) -> Table:
    made = Table("test", TOKEN_KEY)
    made.apply(
        [
            *service_entries([1], public=False, **fields),  # type: ignore[arg-type]
            entry(Kind.TOKEN, "t", subject_id="s", digest=token_digest(TOKEN_KEY, b"good").hex()),
            entry(Kind.ACCESS, "s", name="ann@example.test", services=["svc"]),
        ]
    )
    return made


def route(made: Table) -> Route:
    found = made.route(HOST)
    assert found is not None
    return found


def comes(made: Table, porter: Porter, knock: Knock) -> Caller | None:
    return admit(route(made), knock, made, porter, 1000.0)


def code(made: Table, porter: Porter, knock: Knock) -> str:
    with pytest.raises(Refusal) as refused:
        comes(made, porter, knock)
    return refused.value.code


@pytest.mark.parametrize(
    ("header", "read"),
    [
        (b"Token abc", (b"token", b"abc")),
        (b"tOkEn   abc", (b"token", b"abc")),
        (b"Bearer abc ", (b"bearer", b"abc")),
        (b"Token", (b"token", b"")),
        (b"Token\tabc", (b"token\tabc", b"")),
        (b"", (b"", b"")),
    ],
)
def test_an_authorization_field_has_a_scheme_and_a_credential(header: bytes, read: tuple[bytes, bytes]) -> None:
    assert read_authorization(header) == read


async def test_a_token_is_taken_under_either_name_and_in_any_case(porter: Porter) -> None:
    for header in (b"Token good", b"Bearer good", b"bEARER  good"):
        caller = comes(table(), porter, Knock("192.0.2.7", header))
        assert caller is not None
        assert (caller.token_id, caller.subject_id) == ("t", "s")


@pytest.mark.parametrize(
    "header", [b"Token bad", b"Token", b"Basic good", b"good", b"Token good good", b"Token\tgood", b"Bearer Token good"]
)
async def test_what_is_no_token_of_ours_is_refused_in_one_way(porter: Porter, header: bytes) -> None:
    assert code(table(), porter, Knock("192.0.2.7", header)) == "token_invalid"


async def test_a_public_service_asks_for_nothing(porter: Porter) -> None:
    open_to_all = structs.replace(route(table()), authentication_required=False)
    assert admit(open_to_all, ME, table(), porter, 0.0) is None
    assert code(table(), porter, ME) == "token_missing"


async def test_wrong_tokens_by_the_thousand_leave_nothing_behind(porter: Porter) -> None:
    made = table()
    for number in range(5000):
        assert code(made, porter, Knock("192.0.2.7", b"Token wrong-%d" % number)) == "token_invalid"
    assert not made._callers


async def test_a_token_that_may_be_a_new_one_cannot_be_called_wrong(porter: Porter) -> None:
    made, held = table(), table().access
    made.say_in_step(False)
    assert made.access is not held  # connections look again
    assert code(made, porter, Knock("192.0.2.7", b"Token new")) == "access_unknown"
    assert comes(made, porter, Knock("192.0.2.7", b"Token good")) is not None
    made.say_in_step(True)
    assert code(made, porter, Knock("192.0.2.7", b"Token new")) == "token_invalid"


async def test_nobody_gets_into_a_suspended_project_until_it_is_taken_up_again(porter: Porter) -> None:
    made = table()
    knock = Knock("192.0.2.7", b"Token good")
    made.apply([entry(Kind.PROJECT, "p", 1, name="default", suspended=True)])
    assert code(made, porter, knock) == "project_suspended"
    made.apply([entry(Kind.PROJECT, "p", 2, name="default", suspended=False)])
    assert comes(made, porter, knock) is not None


async def test_a_project_whose_state_is_damaged_counts_as_suspended(porter: Porter) -> None:
    made = table()
    made.apply([entry(Kind.PROJECT, "p", 1, suspended="no")])
    assert code(made, porter, Knock("192.0.2.7", b"Token good")) == "project_suspended"


@pytest.mark.parametrize(
    ("allow", "deny", "peer", "passes"),
    [
        ([], [], "192.0.2.7", True),
        (["192.0.2.0/24"], [], "192.0.2.7", True),
        (["192.0.2.0/24"], [], "::ffff:192.0.2.7", True),
        (["192.0.2.0/24"], [], "198.51.100.1", False),
        (["192.0.2.0/24"], [], "2001:db8::1", False),
        (["192.0.2.0/24"], ["192.0.2.7/32"], "192.0.2.7", False),
        ([], ["192.0.2.0/24"], "198.51.100.1", True),
        (["2001:db8::/32"], [], "2001:db8::1%eth0", True),
        (["0.0.0.0/0"], [], "", False),
    ],
)
async def test_networks_say_from_where_a_service_is_reached(
    porter: Porter, allow: list[str], deny: list[str], peer: str, passes: bool
) -> None:
    made = table(doors={"ip_allow": allow, "ip_deny": deny})
    if passes:
        assert comes(made, porter, Knock(peer, b"Token good")) is not None
    else:
        assert code(made, porter, Knock(peer, b"Token good")) == "address_denied"


def test_a_list_of_networks_that_is_damaged_opens_nothing() -> None:
    made = table(doors={"ip_allow": ["192.0.2.0/24"]})
    held = route(made)
    for damaged in ({"ip_allow": ["nonsense"]}, {"ip_allow": 5}, 7, {"jwt": {"issuer": 1}}):
        made.apply([entry(Kind.SERVICE, "svc", 2, project_id="p", deployment_id="dep-svc", port=1, doors=damaged)])
        assert route(made) is held
    assert made.unreadable == 4


async def test_a_service_may_take_no_tokens_but_those_of_an_issuer(porter: Porter) -> None:
    issuer = {"issuer": "https://id.example.test", "audience": "svc"}
    made = table(doors={"jwt": issuer}, authentication_method_token_enabled=False)
    assert code(made, porter, Knock("192.0.2.7", b"Bearer good")) == "token_invalid"
    with pytest.raises(Unsettled) as asked:
        comes(made, porter, Knock("192.0.2.7", b"Bearer a.b.c"))
    assert asked.value.question.way is Way.JWT


async def test_what_was_found_out_of_a_credential_holds_while_the_policy_is_the_same(porter: Porter) -> None:
    def asked(made: Table) -> bytes:
        with pytest.raises(Unsettled) as unsettled:
            comes(made, porter, Knock("192.0.2.7", b"Basic YTpi"))
        return unsettled.value.question.key

    one = asked(table(doors={"basic_users": {"a": "$argon2id$1"}}))
    assert asked(table(doors={"basic_users": {"a": "$argon2id$1"}})) == one
    assert asked(table(doors={"basic_users": {"a": "$argon2id$2"}})) != one


@pytest.mark.parametrize(
    ("peer", "said", "client"),
    [
        ("192.0.2.1", b"198.51.100.7", "192.0.2.1"),  # no proxy of ours
        ("10.0.0.1", b"198.51.100.7", "198.51.100.7"),
        ("10.0.0.1", b"6.6.6.6, 198.51.100.7", "198.51.100.7"),
        ("10.0.0.1", b"198.51.100.7,10.0.0.2", "198.51.100.7"),
        ("10.0.0.1", b"10.0.0.3, 10.0.0.2", "10.0.0.3"),
        ("10.0.0.1", b"198.51.100.7, nonsense", "10.0.0.1"),
        ("10.0.0.1", b"", "10.0.0.1"),
        ("::ffff:10.0.0.1", b"2001:db8::7", "2001:db8::7"),
    ],
)
def test_a_client_is_where_the_request_entered_the_trusted_proxies(peer: str, said: bytes, client: str) -> None:
    assert proxies.client(peer, Fields(forwarded_for=said), networks(("10.0.0.0/8",))) == client


def test_the_hash_that_nobody_knows_a_password_for_costs_what_real_ones_cost() -> None:
    found = extract_parameters(basic.NOBODYS)
    assert (found.memory_cost, found.time_cost, found.parallelism) == (MEMORY_KIB, PASSES, LANES)
    with pytest.raises(VerifyMismatchError):
        PasswordHasher().verify(basic.NOBODYS, "")
