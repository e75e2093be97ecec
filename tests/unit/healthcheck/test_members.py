"""Who of several health workers probes which instances."""

from narthex_healthcheck.members import LEASE_S, SHARDS, Members, shares

NAMES = [f"host-{number}/77" for number in range(5)]


def beginning() -> Members:
    members = Members("a")
    members.begin()
    return members


def test_every_shard_is_one_workers_and_no_others() -> None:
    given = [shares(name, NAMES) for name in NAMES]
    assert sum(map(len, given)) == SHARDS
    assert frozenset().union(*given) == frozenset(range(SHARDS))
    assert all(SHARDS / 5 * 0.7 < len(each) < SHARDS / 5 * 1.3 for each in given)


def test_a_worker_that_goes_moves_its_own_shards_only() -> None:
    left = NAMES[1:]
    assert all(shares(name, NAMES) <= shares(name, left) for name in left)


def test_a_worker_alone_has_everything() -> None:
    assert beginning().is_mine("whatever")


def test_silence_ends_a_share_and_a_word_begins_one() -> None:
    members = beginning()
    assert members.heard("b", 10.0)
    assert not members.heard("b", 11.0)
    assert not all(members.is_mine(str(number)) for number in range(100))
    assert not members.expire(11.0 + LEASE_S)
    assert members.expire(11.1 + LEASE_S)
    assert all(members.is_mine(str(number)) for number in range(100))


def test_a_worker_that_leaves_is_gone_at_once() -> None:
    members = beginning()
    members.heard("b", 10.0)
    assert members.heard("b", 10.1, leaving=True)
    assert members.others == ()
    assert not members.heard("b", 10.2, leaving=True)


def test_ones_own_word_means_nothing() -> None:
    members = beginning()
    assert not members.heard("a", 10.0)
    assert members.others == ()


def test_a_worker_that_has_just_started_listens_first() -> None:
    assert not Members("a").is_mine("whatever")
