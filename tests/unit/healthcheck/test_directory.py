"""The directory: facts that come twice, late, in any order, and the snapshot among them."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from narthex.contracts.entities import HealthCheck, Instance, Service, Token, Version
from narthex.contracts.events import (
    Event,
    InstanceDraining,
    InstanceRegistered,
    InstanceRemoved,
    ServiceCreated,
    ServiceDeleted,
    ServiceUpdated,
    TokenIssued,
    VersionUpdated,
)
from narthex_healthcheck.directory import Directory


def registered(id: str = "i", revision: int = 1, sequence: int = 1, **more: object) -> InstanceRegistered:
    entity = Instance.model_validate(
        {"id": id, "project_id": "p", "deployment_id": "d", "version_id": "v", "address": "10.0.0.1"} | more
    )
    return InstanceRegistered(key=id, revision=revision, sequence=sequence, entity=entity)


def removed(id: str = "i", revision: int = 2, sequence: int = 2) -> InstanceRemoved:
    return InstanceRemoved(key=id, revision=revision, sequence=sequence, entity=registered(id).entity)


def created(
    id: str = "s", port: int = 7001, revision: int = 1, sequence: int = 1, deployment: str = "d"
) -> ServiceCreated:
    entity = Service(id=id, project_id="p", name=id, deployment_id=deployment, port=port)
    return ServiceCreated(key=id, revision=revision, sequence=sequence, entity=entity)


def checked(path: str, revision: int = 1, sequence: int = 1) -> VersionUpdated:
    entity = Version(id="v", project_id="p", deployment_id="d", name="v1", health_check=HealthCheck(path=path))
    return VersionUpdated(key="v", revision=revision, sequence=sequence, entity=entity)


def target_of(directory: Directory, id: str = "i") -> str:
    instance = directory.probed(id)
    return str(directory.target(instance)) if instance is not None else "not probed"


def test_an_instance_is_probed_once_it_is_registered():
    directory = Directory()
    assert directory.take(registered(port=9000)) == {"i"}
    assert target_of(directory) == "connect 10.0.0.1:9000"


def test_a_fact_that_comes_twice_does_nothing():
    directory = Directory()
    directory.take(registered())
    assert directory.take(registered()) == set()


def test_an_older_fact_does_nothing():
    directory = Directory()
    directory.take(registered(revision=5, sequence=5, port=9000))
    assert directory.take(registered(revision=4, sequence=4, port=1111)) == set()
    assert target_of(directory) == "connect 10.0.0.1:9000"


def test_a_stopping_instance_is_not_probed():
    directory = Directory()
    directory.take(registered(port=9000))
    entity = registered(port=9000).entity
    assert directory.take(InstanceDraining(key="i", revision=2, sequence=2, entity=entity)) == {"i"}
    assert directory.probed("i") is None


def test_a_removed_instance_does_not_come_back_by_a_late_fact():
    directory = Directory()
    directory.take(removed(revision=2, sequence=2))
    assert directory.take(registered(revision=1, sequence=1)) == set()
    assert directory.probed("i") is None


def test_a_health_check_concerns_the_instances_of_its_version():
    directory = Directory()
    directory.take(registered("i", port=9000))
    directory.take(registered("other", version_id="w", port=9000))
    assert directory.take(checked("/healthz")) == {"i"}
    assert target_of(directory) == "GET http://10.0.0.1:9000/healthz"
    assert target_of(directory, "other") == "connect 10.0.0.1:9000"


def test_a_service_brings_moves_and_takes_away_a_port():
    directory = Directory()
    directory.take(registered())
    assert target_of(directory) == "None"
    assert directory.take(created(port=7001)) == {"i"}
    assert target_of(directory) == "connect 10.0.0.1:7001"
    moved = created(port=7002).entity
    assert directory.take(ServiceUpdated(key="s", revision=2, sequence=3, entity=moved)) == {"i"}
    assert target_of(directory) == "connect 10.0.0.1:7002"
    assert directory.take(ServiceDeleted(key="s", revision=3, sequence=4, entity=moved)) == {"i"}
    assert target_of(directory) == "None"


def test_a_service_that_changes_its_deployment_concerns_both():
    directory = Directory()
    directory.take(registered("i"))
    directory.take(registered("j", deployment_id="e"))
    directory.take(created(deployment="d"))
    moved = created(deployment="e", revision=2).entity
    assert directory.take(ServiceUpdated(key="s", revision=2, sequence=3, entity=moved)) == {"i", "j"}
    assert target_of(directory, "j") == "connect 10.0.0.1:7001"


def test_what_a_snapshot_does_not_name_is_gone():
    directory = Directory()
    directory.take(registered("old", sequence=1))
    assert directory.replace([registered("new", sequence=0)], sequence=4) == {"old", "new"}
    assert directory.filled
    assert directory.probed("old") is None
    assert directory.probed("new") is not None


def test_what_came_after_a_snapshot_was_made_stays():
    directory = Directory()
    directory.take(registered("late", sequence=9))
    directory.replace([], sequence=8)
    assert directory.probed("late") is not None


def test_a_snapshot_does_not_bring_back_what_was_removed_after_it_was_made():
    directory = Directory()
    directory.take(removed("i", revision=2, sequence=9))
    directory.replace([registered("i", revision=1)], sequence=8)
    assert directory.probed("i") is None


def test_old_events_replayed_after_a_snapshot_do_not_bring_back_the_dead():
    directory = Directory()
    directory.replace([], sequence=2)
    assert directory.take(registered("i", revision=1, sequence=1)) == set()
    assert directory.probed("i") is None


@pytest.mark.parametrize(("sequence", "hole"), [(3, False), (4, False), (5, False), (6, True)])
def test_a_jump_in_the_sequence_is_a_hole(sequence, hole):
    directory = Directory()
    directory.replace([], sequence=4)
    directory.take(registered(sequence=sequence))
    assert directory.has_hole() is hole


def test_facts_about_other_things_count_in_the_sequence():
    directory = Directory()
    directory.replace([], sequence=4)
    directory.take(TokenIssued(key="t", sequence=5, entity=Token(id="t", subject_id="u", digest="0")))
    directory.take(registered(sequence=6))
    assert not directory.has_hole()


def test_a_hole_is_closed_by_a_fact_that_was_overtaken_or_by_a_snapshot():
    directory = Directory()
    directory.replace([], sequence=4)
    directory.take(registered(sequence=6))
    directory.take(registered("j", sequence=8))
    assert directory.has_hole()
    directory.take(registered("k", sequence=5))
    assert directory.has_hole()
    directory.replace([], sequence=7)
    assert not directory.has_hole()


LIFE: list[Event] = [
    created(sequence=1),
    registered("i", revision=1, sequence=2),
    checked("/a", revision=1, sequence=3),
    registered("j", revision=1, sequence=4, port=9000),
    registered("i", revision=2, sequence=5, address="10.0.0.2"),
    removed("j", revision=2, sequence=6),
    checked("/b", revision=2, sequence=7),
]


@given(st.permutations(range(len(LIFE))), st.integers(0, 2**32))
def test_any_order_with_repetitions_ends_the_same(order, seed):
    facts = [LIFE[index] for index in order]
    facts += random.Random(seed).choices(LIFE, k=5)
    directory = Directory()
    for fact in facts:
        directory.take(fact)
    assert target_of(directory, "i") == "GET http://10.0.0.2:7001/b"
    assert target_of(directory, "j") == "not probed"
