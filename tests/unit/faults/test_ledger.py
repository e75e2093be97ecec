"""What was confirmed, held against what is there."""

from faults.ledger import Changer, differences, wrong_chain, wrong_order


def test_numbers_that_rise_are_in_order_and_others_are_told() -> None:
    assert wrong_order([1, 2, 5]) == []
    assert wrong_order([1, 3, 3, 2]) == [(3, 3), (3, 2)]


def test_a_chain_begins_each_change_where_the_one_before_ended() -> None:
    assert wrong_chain([(None, 1), (1, 2), (2, 5)]) == []
    assert wrong_chain([(None, 1), (2, 3)]) == [(2, 3)]


def test_two_tables_differ_by_what_one_lacks_or_has_otherwise() -> None:
    assert differences({"a": 1}, {"a": 1}) == []
    assert sorted(differences({"a": 1, "b": 2}, {"a": 3, "c": 4})) == ["a: 1 and 3", "b: 2 and None", "c: None and 4"]


def test_services_are_there_as_confirmed_or_told_otherwise() -> None:
    changer = Changer("s1", "hello", there={"s1-10", "s1-20"}, gone={"s1-30"}, unsure={"s1-40"})

    assert changer.wrong_services({"s1", "s1-10", "s1-20", "s10-30"}) == []
    assert changer.wrong_services({"s1-10", "s1-20", "s1-40"}) == []
    assert changer.wrong_services({"s1-10", "s1-30", "s1-50"}) == ["lost: s1-20", "back: s1-30", "never made: s1-50"]
