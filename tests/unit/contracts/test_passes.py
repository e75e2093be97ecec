"""What browsers carry: made by who has the key, for one purpose, for a time."""

from hypothesis import given
from hypothesis import strategies as st

from narthex.contracts.passes import LONGEST, Pass, PassKind, read, sign

KEY = bytes(range(32))
SESSION = Pass(PassKind.SESSION, "service", expires=1000, issued_ms=1, subject_id="ann")
TEXT = sign(KEY, SESSION)


def test_a_pass_says_what_was_signed_until_it_expires() -> None:
    assert read(KEY, PassKind.SESSION, TEXT, 999.0) == SESSION
    assert read(KEY, PassKind.SESSION, TEXT, 1000.0) is None


def test_a_pass_of_one_kind_is_none_of_another_and_another_key_opens_none() -> None:
    for kind in PassKind:
        assert (read(KEY, kind, TEXT, 1.0) is None) == (kind is not PassKind.SESSION)
    assert read(bytes(32), PassKind.SESSION, TEXT, 1.0) is None


@given(st.integers(0, len(TEXT) - 1), st.sampled_from("aZ0-_.= \n\u20ac"))
def test_a_pass_in_which_one_character_is_another_is_none(at: int, other: str) -> None:
    changed = TEXT[:at] + other + TEXT[at + 1 :]
    assert (read(KEY, PassKind.SESSION, changed, 1.0) is None) == (changed != TEXT)


@given(st.text(max_size=300))
def test_any_other_text_is_none(text: str) -> None:
    assert read(KEY, PassKind.SESSION, text, 1.0) is None


def test_a_text_that_is_too_long_is_not_looked_at() -> None:
    long = sign(KEY, Pass(PassKind.SESSION, "s" * LONGEST, expires=1000))
    assert read(KEY, PassKind.SESSION, long, 1.0) is None
