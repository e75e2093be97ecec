"""An answer that is a refusal comes out as the error it was on the other side."""

import pytest

from narthex.bus.bus import _refusal
from narthex.contracts.errors import Invalid, NarthexError, NotFound, Unavailable
from narthex.contracts.queries import Refused


@pytest.mark.parametrize("error", [Invalid("cursor: is none"), NotFound("no"), Unavailable("away")])
def test_a_refusal_keeps_its_code_and_sentence(error: NarthexError) -> None:
    found = _refusal("a.subject", Refused(error=error.message, code=error.code).model_dump_json().encode())
    assert (type(found), found.message) == (type(error), error.message)


@pytest.mark.parametrize("data", [b"", b"{}", b"nonsense", b'{"error": "x", "code": "of a later release"}'])
def test_what_cannot_be_read_is_worth_another_try(data: bytes) -> None:
    assert _refusal("a.subject", data).retryable
