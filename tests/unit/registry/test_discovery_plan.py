"""What discovery takes of what a source names, and what it does then."""

from dataclasses import replace

import pytest

from narthex.contracts.reach import parse_reach
from narthex_registry.discovery.admission import Admission, told
from narthex_registry.discovery.found import Found, Refused, Snapshot, Target
from narthex_registry.discovery.plan import Held, metadata, plan

V1 = Target("default", "hello", "v1")
ONE = Found(V1, "one", "10.0.0.1", 9000)


def held(found: Found, id: str = "i1") -> Held:
    return Held(id, found.key, found.address, found.port, found.weight, metadata(found, "file"), found.identity)


def test_what_is_as_it_should_be_is_left_alone() -> None:
    assert not plan([held(ONE)], Snapshot((ONE,)), "file")


def test_new_ones_are_added_and_missing_ones_drained() -> None:
    two = replace(ONE, id="two", address="10.0.0.2")
    made = plan([held(ONE)], Snapshot((two,)), "file")
    assert (made.add, made.drain, made.change) == ([two], [held(ONE)], [])


@pytest.mark.parametrize("other", [{"address": "10.0.0.9"}, {"port": 9001}, {"port": None}, {"identity": "a" * 16}])
def test_at_another_place_the_old_one_is_drained_and_a_new_one_added(other: dict[str, object]) -> None:
    moved = replace(ONE, **other)  # type: ignore[arg-type]  # each is a field of its own type
    made = plan([held(ONE)], Snapshot((moved,)), "file")
    assert (made.add, made.drain) == ([moved], [held(ONE)])


@pytest.mark.parametrize("other", [{"weight": 3}, {"metadata": {"rack": "a"}}])
def test_weight_and_metadata_change_in_place(other: dict[str, object]) -> None:
    changed = replace(ONE, **other)  # type: ignore[arg-type]  # each is a field of its own type
    made = plan([held(ONE)], Snapshot((changed,)), "file")
    assert (made.change, made.add, made.drain) == ([(held(ONE), changed)], [], [])


def test_what_is_going_away_is_drained_once_and_never_added() -> None:
    going = replace(ONE, draining=True)
    assert plan([held(ONE)], Snapshot((going,)), "file").drain == [held(ONE)]
    assert not plan([], Snapshot((going,)), "file")


def test_where_the_source_does_not_know_nothing_is_drained_and_what_it_does_know_is_added() -> None:
    known, two = replace(ONE, part="a"), replace(ONE, id="two", address="10.0.0.2", part="a")
    elsewhere = replace(ONE, id="three", part="b")
    snapshot = Snapshot((two,), unknown=frozenset({known.scope}))
    made = plan([held(known), held(elsewhere, "i3")], snapshot, "dns")
    assert (made.add, made.drain) == ([two], [held(elsewhere, "i3")])


def test_a_bar_in_an_id_is_no_end_of_its_scope() -> None:
    odd = replace(ONE, id="a|b")
    assert not plan([held(odd)], Snapshot(unknown=frozenset({odd.scope})), "file")


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        ({"port": 0}, "the port must be between 1 and 65535"),
        ({"port": 70_000}, "the port must be between 1 and 65535"),
        ({"weight": 0}, "the weight must be between 1 and 1000"),
        ({"address": "http://x"}, "the address must be an IP address or a DNS name, without scheme, port or path"),
        ({"address": "169.254.169.254"}, "a link-local address"),
        ({"address": "::ffff:169.254.169.254"}, "a link-local address"),
        ({"address": "fd00:ec2::254"}, "a metadata service of a cloud"),
        ({"address": "127.0.0.1"}, "this machine's own loopback"),
        ({"address": "::1"}, "this machine's own loopback"),
        ({"address": "x.localhost"}, "this machine's own loopback"),
        ({"address": "10.9.0.1", "port": 4222}, "belongs to this installation"),
        ({"id": "x" * 401}, "the id must have 400 characters at most"),
        ({"metadata": {"x": "y" * 256}}, "the metadata must be"),
    ],
)
def test_each_rule_refuses_only_the_entry_that_breaks_it(bad: dict[str, object], why: str) -> None:
    admission = Admission(parse_reach("", "10.9.0.1:4222"), most=10)
    wrong = replace(ONE, **{"id": "wrong", **bad})  # type: ignore[arg-type]  # each is a field of its own type
    seen = admission.admit(Snapshot((wrong, ONE)), set())
    assert seen.found == (ONE,)
    [refused] = seen.refused
    assert why in refused.why


def test_an_installation_can_allow_its_loopback() -> None:
    admission = Admission(parse_reach("127.0.0.0/8", ""), most=10)
    assert admission.admit(Snapshot((replace(ONE, address="127.0.0.1"),)), set()).found


def test_many_refusals_of_one_cause_are_one_sentence() -> None:
    refused = [Refused(f"10.0.0.{number}", "too many") for number in range(5)] + [Refused("x", "odd")]
    assert told(refused) == ["10.0.0.0, 10.0.0.1, 10.0.0.2 and 2 more: too many", "x: odd"]
