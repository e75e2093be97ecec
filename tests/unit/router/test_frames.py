"""Where a WebSocket is: between two frames or within one, however its bytes come."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from narthex.testing.websocket import close_frame, frame
from narthex_router.frames import GOING_AWAY, Frames, goodbye


def long_frame(size: int, *, masked: bool) -> bytes:
    """A binary frame whose length takes two or eight bytes more."""
    mask = 0x80 if masked else 0
    length = bytes((126 | mask,)) + size.to_bytes(2) if size < 1 << 16 else bytes((127 | mask,)) + size.to_bytes(8)
    return b"\x82" + length + (b"mask" if masked else b"") + bytes(size)


FRAMES = [
    frame(b"", masked=False),
    frame(b"", masked=True),
    frame(b"hello", masked=True),
    frame(b"x" * 125, masked=False),
    long_frame(126, masked=True),
    long_frame(300, masked=False),
    long_frame(70_000, masked=True),
]


@pytest.mark.parametrize("whole", FRAMES, ids=len)
def test_only_after_its_last_byte_a_frame_is_over(whole: bytes) -> None:
    for cut in {*range(1, min(len(whole), 20)), len(whole) - 1} - {0, len(whole)}:
        frames = Frames()
        frames.take(whole[:cut])
        assert not frames.between
        assert frames.rest(whole[cut:] + FRAMES[2]) == len(whole) - cut
        frames.take(whole[cut:])
        assert frames.between


@given(st.lists(st.sampled_from(FRAMES[:6]), max_size=8), st.data())
def test_frames_end_where_they_end_however_they_come(sent: list[bytes], data: st.DataObject) -> None:
    stream = b"".join(sent)
    ends = {0, *(len(b"".join(sent[: number + 1])) for number in range(len(sent)))}
    cuts = sorted(data.draw(st.sets(st.integers(0, len(stream)), max_size=12)) | {len(stream)})
    frames, at = Frames(), 0
    for cut in cuts:
        frames.take(stream[at:cut])
        at = cut
        assert frames.between == (at in ends)
    assert not frames.closed


def test_a_close_frame_is_noticed() -> None:
    frames = Frames()
    frames.take(frame(b"bye", masked=True) + close_frame(masked=True))
    assert frames.closed
    assert frames.between


def test_the_goodbye_is_a_close_frame_with_its_status() -> None:
    assert goodbye(GOING_AWAY, masked=False) == b"\x88\x02\x03\xe9"
    masked = goodbye(GOING_AWAY, masked=True)
    assert masked[:2] == b"\x88\x82"
    assert bytes((masked[6] ^ masked[2], masked[7] ^ masked[3])) == b"\x03\xe9"
