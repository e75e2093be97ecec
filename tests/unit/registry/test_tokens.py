"""Token texts and the headers they come in."""

import re

import pytest

from narthex_registry.tokens import credential, digest, new_token


def test_a_token_is_recognisable_and_long_enough() -> None:
    assert re.fullmatch(r"nx_[0-9A-Za-z]{40}", new_token())
    assert new_token() != new_token()


def test_a_digest_is_the_sha256_in_lower_case_hex() -> None:
    assert digest("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("Token abc", "abc"),
        ("token abc", "abc"),
        ("Bearer abc", "abc"),
        ("abc", "abc"),
        ("Token Token abc", "abc"),
        ("Token", "Token"),
        ("Basic dXNlcjpwYXNz", None),
        ("Token a b", None),
        ("", None),
        (None, None),
    ],
)
def test_every_form_in_which_clients_send_a_token_is_understood(header: str | None, expected: str | None) -> None:
    assert credential(header) == expected
