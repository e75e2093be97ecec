"""What is found about the log and about changes where parts die."""

from endurance.books import Books
from endurance.report import about_changes, about_unrecorded
from faults.ledger import Change, Changer


def changer(*confirmed: int) -> Changer:
    return Changer("s0", "hello", tried=9, confirmed=list(confirmed))


def chain(*numbers: int) -> list[Change]:
    return list(zip([None, *numbers], numbers, strict=False))


def missing(service: str, *paths: str) -> Books:
    books = Books(service)
    for path in paths:
        books.sent(path, 10.0)
        books.answered(path)
    books.found([], 20.0)
    return books


def test_changes_that_are_in_the_trail_and_were_told_are_kept() -> None:
    found = about_changes([changer(1, 3)], [chain(1, 2, 3)], [[1, 2, 3]])

    assert found.kept
    assert found.figures == "9 tried, 2 confirmed; none lost or doubled"


def test_the_trail_may_be_out_of_order_where_clocks_were_wrong() -> None:
    assert about_changes([changer(1)], [chain(1, 2, 3)[::-1]], [[1, 2, 3]]).kept


def test_a_confirmed_change_that_nobody_has_is_lost() -> None:
    found = about_changes([changer(1, 2)], [chain(1, 3)], [[1, 3]])

    assert not found.kept
    assert "1 confirmed and not in the trail [2]" in found.figures


def test_a_change_without_a_fact_is_told() -> None:
    found = about_changes([changer(1)], [chain(1, 2, 3)], [[3]])

    assert not found.kept
    assert "3 in the trail and 1 facts, 2 without a fact [1, 2]" in found.figures


def test_a_fact_without_a_change_is_told() -> None:
    assert not about_changes([changer(1)], [chain(1)], [[1, 2]]).kept


def test_facts_that_come_twice_and_a_broken_chain_are_told() -> None:
    assert "facts twice or out of order [(1, 1)]" in about_changes([changer(1)], [chain(1)], [[1, 1]]).figures
    assert "not one after the other in the trail [(7, 2)]" in (
        about_changes([changer(1)], [[(None, 1), (7, 2)]], [[1, 2]]).figures
    )


def test_a_missing_record_is_excused_by_who_died_or_by_the_logs_own_count() -> None:
    books = [missing("hello", "/a", "/b")]

    assert [each.kept for each in about_unrecorded(books, [{"/a", "/b"}], [{}])] == [True]
    assert [each.kept for each in about_unrecorded(books, [{"/a"}], [{"full": 1}])] == [True]
    assert [each.kept for each in about_unrecorded(books, [{"/a"}], [{}])] == [False]


def test_what_the_bus_lost_excuses_once_for_all_services() -> None:
    books = [missing("hello", "/a"), missing("flow", "/b")]
    nobody = [set[str](), set[str]()]

    assert [each.kept for each in about_unrecorded(books, nobody, [{"bus_lost": 1}] * 2)] == [True, False]
    assert [each.kept for each in about_unrecorded(books, nobody, [{"bus_lost": 2}] * 2)] == [True, True]
