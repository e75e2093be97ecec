"""When an instance goes."""

from datetime import UTC, datetime, timedelta

from narthex_registry.leases import LOOK_EVERY_S, Due, due, next_look_s
from narthex_registry.tables import Instance

START = datetime(2026, 1, 1, tzinfo=UTC)


def after(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def test_an_instance_without_a_lease_stays() -> None:
    assert due(Instance(), START) is None


def test_a_lease_ends_when_it_was_not_renewed() -> None:
    instance = Instance(lease_seconds=10, lease_expires=after(25))
    assert due(instance, START) == Due(after(25), "lease expired")


def test_a_lease_has_one_full_period_after_the_registry_was_away() -> None:
    instance = Instance(lease_seconds=10, lease_expires=after(-100))
    assert due(instance, START) == Due(after(10), "lease expired")


def test_a_draining_instance_goes_at_its_time_whatever_its_lease() -> None:
    instance = Instance(lease_seconds=10, lease_expires=after(5), remove_at=after(3))
    assert due(instance, START) == Due(after(3), "drained")


def test_the_next_look_is_when_the_first_instance_is_due() -> None:
    assert next_look_s([Due(after(2), "drained"), None, Due(after(1), "drained")], START) == 1.0


def test_the_next_look_is_never_far_away_and_never_in_the_past() -> None:
    assert next_look_s([], START) == LOOK_EVERY_S
    assert next_look_s([Due(after(-1), "drained")], START) == 0.0
