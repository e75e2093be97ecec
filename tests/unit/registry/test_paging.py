"""Cursors."""

import pytest

from narthex.contracts.errors import Invalid
from narthex.contracts.ids import new_id
from narthex_registry.paging import Cursor, decode

ID = "01a20901-ab84-7c45-834d-94554d19b646"  # the same in every process: the tests are named after it


@pytest.mark.parametrize("backwards", [False, True])
def test_a_cursor_comes_back_as_it_was(backwards: bool) -> None:
    cursor = Cursor(new_id(), backwards)
    assert decode(cursor.encode()) == cursor


def test_no_cursor_is_the_beginning() -> None:
    assert decode("") == Cursor()


@pytest.mark.parametrize("text", ["x", "after.", "before.%", f"behind.{ID}", f"after.{ID}\n", "after." + "０" * 36])
def test_what_is_no_cursor_is_refused(text: str) -> None:
    with pytest.raises(Invalid, match="cursor: must be"):
        decode(text)
