"""Bodies mean the same in whatever pieces they come."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from narthex_router.bodies import LAST_CHUNK, ChunkedBody, LengthBody, chunk

PIECES = st.lists(st.binary(min_size=1, max_size=40), max_size=6)


def fed(body: ChunkedBody | LengthBody, message: bytes, cuts: list[int]) -> tuple[bytes, bytes]:
    """Feed `message` cut at `cuts`; what came out, and what was left over."""
    out, rest = b"", b""
    bounds = [0, *sorted(min(cut, len(message)) for cut in cuts), len(message)]
    for start, end in pairwise(bounds):
        piece = message[start:end]
        if body.done:
            rest += piece
            continue
        data, over = body.feed(piece)
        out += data
        rest += over
    return out, rest


@given(PIECES, st.binary(max_size=20), st.lists(st.integers(0, 400), max_size=12))
def test_a_chunked_body_in_any_pieces_is_its_data_and_leaves_what_follows(
    pieces: list[bytes], after: bytes, cuts: list[int]
) -> None:
    message = b"".join(chunk(piece) for piece in pieces) + LAST_CHUNK
    body = ChunkedBody()
    assert fed(body, message + after, cuts) == (b"".join(pieces), after)
    assert body.done


@given(PIECES)
def test_a_chunked_body_cut_at_every_byte_is_its_data(pieces: list[bytes]) -> None:
    message = b"".join(chunk(piece) for piece in pieces) + LAST_CHUNK
    assert fed(ChunkedBody(), message, list(range(len(message)))) == (b"".join(pieces), b"")


@given(st.binary(max_size=60), st.binary(max_size=20), st.lists(st.integers(0, 100), max_size=12))
def test_a_length_body_in_any_pieces_is_its_data_and_leaves_what_follows(
    data: bytes, after: bytes, cuts: list[int]
) -> None:
    assert fed(LengthBody(len(data)), data + after, cuts) == (data, after)
