"""Entries in, routes out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from integration.router_kit import TOKEN_KEY, entry, service_entries
from msgspec.structs import replace

from narthex.contracts.digest import token_digest
from narthex.routing import Entry, Kind
from narthex_router import facts
from narthex_router.swap import Size
from narthex_router.table import Route, Table

HOST = b"svc.services.test"


def table(*entries: Entry) -> Table:
    made = Table("test", TOKEN_KEY)
    made.apply(entries)
    return made


def ports(made: Table) -> list[int]:
    return [target.port for target in route(made).targets]


def route(made: Table, host: bytes = HOST) -> Route:
    found = made.route(host)
    assert found is not None
    return found


def test_only_healthy_instances_of_the_services_version_that_do_not_stop_are_targets() -> None:
    def instance(key: str, **more: object) -> Entry:
        fields = {"deployment_id": "dep-svc", "version_id": "v1", "address": "127.0.0.1", "port": 1000, **more}
        return entry(Kind.INSTANCE, key, **fields)

    made = table(
        *service_entries([]),
        instance("healthy", port=1),
        entry(Kind.HEALTH, "healthy", health="healthy"),
        instance("busy", port=2),
        entry(Kind.HEALTH, "busy", health="busy"),
        instance("sick", port=3),
        entry(Kind.HEALTH, "sick", health="unhealthy"),
        instance("unknown", port=4),
        instance("stopping", port=5, stopping=True),
        entry(Kind.HEALTH, "stopping", health="healthy"),
        instance("other version", port=6, version_id="v2"),
        entry(Kind.HEALTH, "other version", health="healthy"),
    )
    assert sorted(ports(made)) == [1, 2]
    assert route(made).registered == 5


def test_an_instance_without_a_port_is_reached_at_the_services() -> None:
    made = table(
        *service_entries([]), entry(Kind.INSTANCE, "i", deployment_id="dep-svc", version_id="v1", address="::1")
    )
    made.apply([entry(Kind.HEALTH, "i", health="healthy")])
    assert ports(made) == [9000]


def test_a_service_without_a_version_follows_the_deployments_default() -> None:
    made = table(*service_entries([1]))
    made.apply([entry(Kind.DEPLOYMENT, "dep-svc", 2, default_version_id="v2")])
    assert ports(made) == []
    made.apply([entry(Kind.DEPLOYMENT, "dep-svc", 3, default_version_id="v1")])
    assert ports(made) == [1]


def test_an_older_revision_changes_nothing_even_after_a_deletion() -> None:
    made = table(*service_entries([1]))
    made.apply([Entry(Kind.SERVICE, "svc", 5, 5, None)])
    assert made.route(HOST) is None
    made.apply([entry(Kind.SERVICE, "svc", 4, project_id="p", deployment_id="dep-svc", port=9000)])
    assert made.route(HOST) is None


def test_a_damaged_entry_leaves_what_was_held_and_is_counted() -> None:
    made = table(*service_entries([1]))
    made.apply([Entry(Kind.SERVICE, "svc", 9, 9, b'{"port": "x"}'), Entry(Kind.SERVICE, "new", 1, 1, b"{nonsense")])
    assert ports(made) == [1]
    assert made.unreadable == 2
    assert made.applied_sequence == 1  # of those that could be read
    made.apply([Entry(Kind.SERVICE, "deep", 1, 10, b'{"authentication_required":' + b"[" * 100_000)])
    assert made.unreadable == 3


def test_a_service_whose_policy_is_damaged_stays_protected() -> None:
    made = table(entry(Kind.SERVICE, "svc", project_id="p", deployment_id="d", port=9000, authentication_required=0))
    assert route(made).authentication_required


@pytest.mark.parametrize("damaged", [0, 0.0, 1, "false", None, [], {}])
def test_a_damaged_flag_is_not_taken_for_another_services_equal_one(damaged: object) -> None:
    """Services with the same settings share them, and in Python 0 equals False."""

    def service(key: str, required: object) -> Entry:
        fields = {"project_id": "p", "deployment_id": "d", "port": 9000, "authentication_required": required}
        return entry(Kind.SERVICE, key, **fields)

    entries = (service("open", False), service("svc", damaged), service("closed", True))
    for made in (table(*entries), table(*reversed(entries))):
        assert not route(made, b"open.services.test").authentication_required
        assert route(made).authentication_required
        assert route(made, b"closed.services.test").authentication_required


def test_services_with_the_same_settings_share_them_and_with_others_do_not() -> None:
    def settings(key: str, **more: object) -> facts.Settings:
        fields = {"project_id": "p", "deployment_id": "d", "port": 9000, **more}
        found: facts.Settings = facts.READ[Kind.SERVICE](entry(Kind.SERVICE, key, **fields).payload or b"").settings
        return found

    assert settings("a", rate_limit=5) is settings("b", rate_limit=5)
    assert settings("a", rate_limit=5) != settings("b", rate_limit=6)
    assert settings("a", user_rate_limits={"s": 1}) != settings("b", user_rate_limits={"s": 2})
    assert settings("a", user_rate_limits={}) is settings("b")


def test_a_revoked_token_is_no_caller_any_more() -> None:
    digest = token_digest(TOKEN_KEY, b"secret").hex()
    made = table(entry(Kind.TOKEN, "t", subject_id="s", digest=digest), entry(Kind.ACCESS, "s", everything=True))
    assert (caller := made.caller(b"secret")) is not None
    assert caller.everything
    made.apply([entry(Kind.TOKEN, "t", 2, subject_id="s", digest=digest, revoked=True)])
    assert made.caller(b"secret") is None


def test_a_token_is_known_by_its_digest_under_any_of_the_keys_and_no_longer_when_that_is_retired() -> None:
    older = bytes(range(32))
    digest = token_digest(older, b"secret").hex()
    made = table(entry(Kind.TOKEN, "t", subject_id="s", digest=digest), entry(Kind.ACCESS, "s", everything=True))
    assert made.caller(b"secret") is None
    made.token_keys = (TOKEN_KEY, older)
    assert made.caller(b"secret") is not None
    made.token_keys = (TOKEN_KEY,)
    assert made.caller(b"secret") is None


def test_a_role_on_one_service_lets_its_holder_call_only_that_one() -> None:
    made = table(
        *service_entries([1]),
        *service_entries([2], service="other"),
        entry(Kind.TOKEN, "t", subject_id="s", digest=token_digest(TOKEN_KEY, b"secret").hex()),
        entry(Kind.ACCESS, "s", services=["svc"]),
    )
    caller = made.caller(b"secret")
    assert caller is not None
    assert caller.may_call(route(made))
    assert not caller.may_call(route(made, b"other.services.test"))


def test_a_name_cannot_end_a_header_line() -> None:
    made = table(
        entry(Kind.TOKEN, "t", subject_id="s", digest=token_digest(TOKEN_KEY, b"secret").hex()),
        entry(Kind.ACCESS, "s", name="a\r\nX: b\x00\u2028"),
    )
    assert (caller := made.caller(b"secret")) is not None
    assert caller.header == b"aX:b"


def test_a_host_that_only_looks_like_a_service_has_no_route() -> None:
    made = table(*service_entries([1]))
    for host in (b"", b"svc", b"svc.services.other", b"services.test", b".services.test", b"\xff.services.test"):
        assert made.route(host) is None
    assert list(made.routes) == []


def test_of_an_instance_that_is_gone_nothing_stays_but_its_revision() -> None:
    made = table(*service_entries([1]))
    made.apply([Entry(Kind.INSTANCE, "svc-i0", 5, 5, None), entry(Kind.HEALTH, "svc-i0", 9, health="healthy")])
    assert made.size() == Size(entries=2, services=1)
    made.apply([entry(Kind.INSTANCE, "svc-i0", 4, deployment_id="dep-svc", version_id="v1", address="::1")])
    assert made.size() == Size(entries=2, services=1)


def test_only_so_many_deletions_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(facts, "GONE_KEPT", 2)
    made = table(*(Entry(Kind.SERVICE, f"s{number}", 5, 5, None) for number in range(4)))
    assert list(made._facts.gone[Kind.SERVICE]) == ["s2", "s3"]


def test_a_table_knows_its_size() -> None:
    made = table(*service_entries([1, 2]), *service_entries([3], service="lost"))
    assert made.size() == Size(entries=7, services=2, routable=3)
    made.apply(
        [
            entry(Kind.HEALTH, "svc-i0", 2, health="unhealthy"),
            entry(Kind.INSTANCE, "svc-i1", 2, deployment_id="dep-svc", version_id="v1", address="::1", stopping=True),
            Entry(Kind.DEPLOYMENT, "dep-lost", 2, 2, None),
            Entry(Kind.SERVICE, "broken", 1, 1, b"{"),
        ]
    )
    assert made.size() == Size(entries=6, services=2, routable=1, unreadable=1, dangling=2)


def test_a_table_that_is_not_used_any_more_is_let_go_piece_by_piece() -> None:
    made = table(*service_entries([1, 2]))
    pieces = 0
    while made.shed(3):
        pieces += 1
    assert pieces == 2  # of 4 entries and 2 indexes, 3 at a time
    assert made.size() == Size(routable=2)


def test_only_the_routes_a_change_touches_are_made_again() -> None:
    made = table(*service_entries([1]), *service_entries([2], service="other"))
    touched, untouched = route(made), route(made, b"other.services.test")
    made.apply([entry(Kind.HEALTH, "svc-i0", 2, health="unhealthy")])
    assert made.routes.get(b"other.services.test") is untouched
    assert made.routes.get(HOST) is not touched
    assert ports(made) == []


HISTORY = [
    *service_entries([1, 2]),
    entry(Kind.HEALTH, "svc-i0", 2, health="unhealthy"),
    entry(Kind.HEALTH, "svc-i0", 3, health="healthy"),
    entry(Kind.INSTANCE, "svc-i1", 2, deployment_id="dep-svc", version_id="v2", address="127.0.0.1", port=3),
    entry(Kind.DEPLOYMENT, "dep-svc", 2, default_version_id="v2"),
    entry(Kind.TOKEN, "t", 1, subject_id="s", digest=token_digest(TOKEN_KEY, b"first").hex()),
    entry(Kind.ACCESS, "s", 1, projects=["p"]),
    entry(Kind.TOKEN, "t", 2, subject_id="s", digest=token_digest(TOKEN_KEY, b"second").hex()),
    Entry(Kind.INSTANCE, "svc-i0", 9, 9, None),
]


@given(st.permutations(HISTORY), st.lists(st.sampled_from(HISTORY), max_size=5))
def test_the_table_is_the_same_in_whatever_order_and_however_often_changes_come(
    order: list[Entry], repeated: list[Entry]
) -> None:
    straight, shuffled = table(*HISTORY), Table("test", TOKEN_KEY)
    for each in [*order, *repeated]:
        shuffled.apply([each])
        shuffled.route(HOST)  # made of what is known so far, and made again when that changes
        shuffled.caller(b"second")
    assert shuffled.size() == straight.size()
    # All but when it was made: of which changes nothing followed depends on their order.
    assert replace(route(shuffled), made_at=0) == replace(route(straight), made_at=0)
    for token in (b"first", b"second"):
        assert shuffled.caller(token) == straight.caller(token)


def test_what_a_version_keeps_of_requests_is_part_of_its_services_routes() -> None:
    made = table(*service_entries([1]))
    assert route(made).recording.usual

    kept = {"request_retention_mode": "full", "request_retention_time": 60}
    made.apply([entry(Kind.VERSION, "v1", 7, deployment_id="dep-svc", **kept)])

    assert (route(made).recording.mode, route(made).recording.keep_s) == ("full", 60)
    assert route(made).made_at == made.applied_sequence == 7


def test_services_with_the_same_settings_share_what_is_made_of_them() -> None:
    same = {"request_logging_excluded_paths": "^/health"}
    made = table(*service_entries([1], service="a", **same), *service_entries([2], service="b", **same))

    assert route(made, b"a.services.test").recording is route(made, b"b.services.test").recording


def test_a_route_with_a_slow_start_says_since_when_each_instance_is_fit() -> None:
    table = Table("test", bytes(32))
    table.apply(service_entries([1, 2], slow_start=30.0))
    table.apply([entry(Kind.HEALTH, "svc-i0", 1_700_000_000_000, health="unhealthy")])
    table.apply([entry(Kind.HEALTH, "svc-i0", 1_700_000_060_000, health="healthy")])
    table.apply([entry(Kind.HEALTH, "svc-i0", 1_700_000_070_000, health="busy")])  # no new beginning
    route = table.route(b"svc.services.test")
    assert route is not None
    assert route.policy.slow_start_s == 30.0
    assert route.since[b"svc-i0"] == 1_700_000_060.0
