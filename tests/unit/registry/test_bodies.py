"""A body is JSON that can be stored and sent on, or one sentence says why it is not."""

import pytest

from narthex.contracts.errors import Invalid
from narthex_registry.api.bodies import DEEPEST, parse_json


@pytest.mark.parametrize(
    ("body", "part"),
    [
        (b'{"a":', "not valid JSON"),
        (b"\xff", "not valid UTF-8"),
        (b'{"a": "\\ud800"}', "not valid UTF-8"),
        (b'{"a": "\\u0000"}', "NUL"),
        (b'{"a": NaN}', "NaN is not a JSON number"),
        (b'{"a": 1, "a": 2}', "the key a is there twice"),
        (b"[" * 100_000, "nested too deeply"),
        (b"[" * 1000 + b"]" * 1000, "nested too deeply"),
        (b'{"a":' * 65 + b"1" + b"}" * 65, "nested too deeply: 64 levels are the most"),
        (b'{"a": 1e999}', "1e999 is too large a number"),
        (b'{"a": ' + b"9" * 5000 + b"}", "not valid JSON"),
    ],
)
def test_a_body_that_cannot_be_stored_and_sent_on_is_refused(body: bytes, part: str) -> None:
    with pytest.raises(Invalid, match=part):
        parse_json(body)


def test_a_body_that_is_fine_is_parsed() -> None:
    assert parse_json('{"name": "größe", "n": [1, 2.5, null, true]}'.encode()) == {
        "name": "größe",
        "n": [1, 2.5, None, True],
    }


def test_a_body_may_be_as_deep_as_it_may_and_as_wide_as_it_likes() -> None:
    assert parse_json(b"[" * DEEPEST + b"]" * DEEPEST)
    assert len(parse_json(b"[" + b"[]," * 1000 + b"[]]")) == 1001
