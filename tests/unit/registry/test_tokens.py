"""Token texts and the headers they come in."""

import re

import pytest

from narthex.runtime.sealing import token_digest_key
from narthex_registry.tokens import checksum, credential, digest, new_token


def test_a_token_is_recognisable_and_long_enough() -> None:
    assert re.fullmatch(r"NX_[0-9A-Za-z]{40}", new_token())
    assert new_token() != new_token()


def test_a_token_survives_how_the_notebooks_of_ubiops_cut_off_the_word_before_it() -> None:
    token = new_token()
    assert f"Token {token}".lstrip("Token ") == token


def test_a_token_ends_in_a_checksum_of_the_rest() -> None:
    token = new_token()
    assert token == token[:-6] + checksum(token[:-6])
    assert checksum("nx_") == "2X3Laz"
    assert checksum(token[:-7]) != token[-6:]


def test_a_digest_is_the_hmac_sha256_in_lower_case_hex() -> None:
    # RFC 4231 test case 2
    assert digest(b"Jefe", "what do ya want for nothing?") == (
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    )


def test_the_key_for_digests_follows_from_the_sealing_key_and_is_another_one() -> None:
    key = token_digest_key(bytes(32))
    assert len(key) == 32
    assert key not in (bytes(32), token_digest_key(bytes(31) + b"1"))
    assert key == token_digest_key(bytes(32))


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
        ("Token \udcff", None),
        ("", None),
        (None, None),
    ],
)
def test_every_form_in_which_clients_send_a_token_is_understood(header: str | None, expected: str | None) -> None:
    assert credential(header) == expected
