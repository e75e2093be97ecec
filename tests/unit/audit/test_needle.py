"""Bytes are found in base64 exactly where they are."""

from base64 import b64encode

import re2
from hypothesis import given
from hypothesis import strategies as st

from narthex_audit.needle import expression


def found(needle: bytes, content: bytes) -> bool:
    return re2.search(expression(needle), b64encode(content).decode()) is not None


@given(st.binary(max_size=20), st.binary(min_size=1, max_size=12), st.binary(max_size=20))
def test_what_is_there_is_found(before: bytes, needle: bytes, after: bytes) -> None:
    assert found(needle, before + needle + after)


@given(st.binary(min_size=1, max_size=3), st.binary(max_size=60))
def test_what_is_not_there_is_not_found(needle: bytes, content: bytes) -> None:
    assert found(needle, content) == (needle in content)


def test_a_text_is_found_in_a_body() -> None:
    assert found("größe".encode(), '{"größe": 1}'.encode())
    assert not found(b"needle", b"haystack" * 100)
