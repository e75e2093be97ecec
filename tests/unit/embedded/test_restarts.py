"""When a part that ended is started again, and when not."""

from narthex.runtime.supervisor.restarts import PATIENCE, STEADY_S, History, describe_exit
from narthex.runtime.tasks import backoff


def test_ends_soon_after_one_another_count_in_a_row() -> None:
    history = History()
    for _ in range(4):
        history = history.after(1, lived_s=1.0, starting=False)

    assert (history.restarts, history.in_a_row) == (4, 4)


def test_a_steady_life_starts_the_row_anew_but_is_not_forgotten() -> None:
    history = History(restarts=7, in_a_row=7).after(-9, lived_s=STEADY_S, starting=False)

    assert (history.restarts, history.in_a_row) == (8, 1)


def test_a_part_that_is_set_up_wrongly_is_given_up_during_the_start() -> None:
    history = History()
    for _ in range(PATIENCE):
        assert not history.hopeless
        history = history.after(2, lived_s=0.5, starting=True)

    assert history.hopeless


def test_other_exits_in_between_count_as_hope() -> None:
    history = History()
    for code in (2, 2, 1, 2, 2):
        history = history.after(code, lived_s=0.5, starting=True)

    assert not history.hopeless


def test_an_installation_that_was_ready_once_never_gives_up() -> None:
    history = History()
    for _ in range(10):
        history = history.after(2, lived_s=0.5, starting=False)

    assert not history.hopeless


def test_waits_grow_from_a_moment_to_ten_seconds() -> None:
    waits = [backoff(attempt, 0.2, 10.0) for attempt in range(12)]

    assert 0.1 <= waits[0] <= 0.2
    assert all(wait <= 10.0 for wait in waits)
    assert waits[-1] >= 5.0


def test_an_exit_is_described_in_words() -> None:
    assert describe_exit(2) == "exit code 2"
    assert describe_exit(-9) == "killed by signal 9"
