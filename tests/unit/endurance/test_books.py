"""Requests as their clients count them, held against the log."""

from endurance.books import CHECK, OPEN_S, Books, Sent


def books_of(*answered: str) -> Books:
    books = Books("hello")
    for path in answered:
        books.sent(path, 10.0)
        books.answered(path, 80)
    return books


def test_a_record_of_each_answered_request_settles_it() -> None:
    books = books_of("/a", "/b")
    books.found(["/b", "/a"], 20.0)

    assert (books.requests, books.records) == (2, 2)
    assert books.due == books.late == {}
    assert books.strange == []


def test_an_answered_request_without_a_record_is_late() -> None:
    books = books_of("/a", "/b")
    books.found(["/a"], 20.0)

    assert books.late == {"/b": Sent(10.0, 80)}


def test_a_request_of_a_later_time_is_still_due() -> None:
    books = books_of("/a")
    books.found([], 10.0)

    assert books.due.keys() == {"/a"}


def test_a_late_record_settles_its_request_after_all() -> None:
    books = books_of("/a")
    books.found([], 20.0)
    books.found(["/a"], 30.0)

    assert books.late == {}
    assert books.strange == []


def test_a_second_record_and_one_of_nothing_are_strange() -> None:
    books = books_of("/a")
    books.found(["/a", "/a", "/never"], 20.0)

    assert books.strange == ["/a", "/never"]


def test_a_request_that_was_not_answered_may_have_a_record_or_none() -> None:
    books = Books("hello")
    books.sent("/a", 10.0)
    books.sent("/b", 10.0)
    books.found(["/a"], 20.0)
    books.found([], 10.0 + OPEN_S + 1)

    assert books.open == books.late == {}
    assert books.strange == []


def test_what_is_asked_to_see_a_change_is_not_in_the_books() -> None:
    books = Books("hello")
    books.found([CHECK], 20.0)

    assert books.records == 0
    assert books.strange == []
