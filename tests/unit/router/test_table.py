"""Entries in, routes out."""

from hypothesis import given
from hypothesis import strategies as st
from integration.router_kit import entry, service_entries

from narthex.routing import Entry, Kind
from narthex_router.table import Table

HOST = b"svc.services.test"


def table(*entries: Entry) -> Table:
    made = Table("test")
    made.apply(entries)
    return made


def ports(made: Table) -> list[int]:
    return [target.port for target in made.routes[HOST].targets]


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
    assert made.routes[HOST].registered == 5


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
    assert HOST not in made.routes
    made.apply([entry(Kind.SERVICE, "svc", 4, project_id="p", deployment_id="dep-svc", port=9000)])
    assert HOST not in made.routes


def test_a_damaged_entry_leaves_what_was_held_and_is_counted() -> None:
    made = table(*service_entries([1]))
    made.apply([Entry(Kind.SERVICE, "svc", 9, 9, b'{"port": "x"}'), Entry(Kind.SERVICE, "new", 1, 1, b"{nonsense")])
    assert ports(made) == [1]
    assert made.unreadable == 2


def test_a_service_whose_policy_is_damaged_stays_protected() -> None:
    made = table(entry(Kind.SERVICE, "svc", project_id="p", deployment_id="d", port=9000, authentication_required=0))
    assert made.routes[HOST].authentication_required


def test_a_revoked_token_is_no_caller_any_more() -> None:
    digest = "ab" * 32
    made = table(entry(Kind.TOKEN, "t", subject_id="s", digest=digest), entry(Kind.ACCESS, "s", everything=True))
    assert made.callers[bytes.fromhex(digest)].everything
    made.apply([entry(Kind.TOKEN, "t", 2, subject_id="s", digest=digest, revoked=True)])
    assert made.callers == {}


def test_a_name_cannot_end_a_header_line() -> None:
    made = table(
        entry(Kind.TOKEN, "t", subject_id="s", digest="00"), entry(Kind.ACCESS, "s", name="a\r\nX: b\x00\u2028")
    )
    assert made.callers[b"\x00"].header == b"aX:b"


def test_only_the_routes_a_change_touches_are_made_again() -> None:
    made = table(*service_entries([1]), *service_entries([2], service="other"))
    untouched = made.routes[b"other.services.test"]
    made.apply([entry(Kind.HEALTH, "svc-i0", 2, health="unhealthy")])
    assert made.routes[b"other.services.test"] is untouched
    assert ports(made) == []


HISTORY = [
    *service_entries([1, 2]),
    entry(Kind.HEALTH, "svc-i0", 2, health="unhealthy"),
    entry(Kind.HEALTH, "svc-i0", 3, health="healthy"),
    entry(Kind.INSTANCE, "svc-i1", 2, deployment_id="dep-svc", version_id="v2", address="127.0.0.1", port=3),
    entry(Kind.DEPLOYMENT, "dep-svc", 2, default_version_id="v2"),
    entry(Kind.TOKEN, "t", 1, subject_id="s", digest="00"),
    entry(Kind.ACCESS, "s", 1, projects=["p"]),
    entry(Kind.TOKEN, "t", 2, subject_id="s", digest="01"),
    Entry(Kind.INSTANCE, "svc-i0", 9, 9, None),
]


@given(st.permutations(HISTORY), st.lists(st.sampled_from(HISTORY), max_size=5))
def test_the_table_is_the_same_in_whatever_order_and_however_often_changes_come(
    order: list[Entry], repeated: list[Entry]
) -> None:
    straight, shuffled = table(*HISTORY), Table("test")
    for each in [*order, *repeated]:
        shuffled.apply([each])
    assert shuffled.routes == straight.routes
    assert shuffled.callers == straight.callers
