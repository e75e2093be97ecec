"""What must hold of any bytes at all: one meaning, or refused. Each target raises AssertionError where it does not.

`fuzz.py` makes the bytes by what they reach in the parsers; `corpus/` has those that reached something new.
"""

from collections.abc import Callable
from pathlib import Path

from attacks.agreement import TAKEN, TAKEN_FROM_RESPONSES, judge, read_request, read_response
from attacks.opinions import H11_REQUESTS, H11_RESPONSES, LLHTTP_REQUESTS, LLHTTP_RESPONSES
from attacks.origin import faults_of_head
from attacks.readers import h11_requests, h11_response, llhttp_requests, llhttp_responses

from narthex_router.bodies import ChunkedBody, chunk
from narthex_router.http1 import BadMessage, host_name

CORPUS = Path(__file__).parent / "corpus"
MOST = 4096  # bytes that a target looks at
_HEAD = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"


def request(data: bytes) -> None:
    """A head with its body: what is accepted goes on in its plainest form, and h11 and llhttp read the same."""
    ours = read_request(data)
    if ours is None:
        return
    forward = b"".join(b"%b: %b\r\n" % pair for pair in ours.forward)
    head = b"%b %b HTTP/1.1\r\n%b\r\n" % (*ours.first, forward)
    faults = [fault for fault in faults_of_head(head) if " is there 0 times" not in fault]  # ours are added later
    assert not faults, (faults, head)
    judge(ours, h11_requests(data), data, H11_REQUESTS, TAKEN)
    judge(ours, llhttp_requests(data), data, LLHTTP_REQUESTS, TAKEN)


def chunked(data: bytes) -> None:
    """A chunked body: the same data and the same rest however it is cut, and as chunks of ours the same again."""
    whole = _fed(data, len(data) or 1)
    for size in (1, 2, 3, 7):
        assert _fed(data, size) == whole, size
    if whole is None:
        return
    body, _, done = whole
    if done:
        assert _fed(chunk(body) + b"0\r\n\r\n", 1) == (body, b"", True)
        request(_HEAD + data)


def response(data: bytes) -> None:
    """A head with its body, to GET and to HEAD: what is accepted h11 reads alike, llhttp too where it can."""
    for method in (b"GET", b"HEAD"):
        ours = read_response(method, data)
        if ours is None:
            continue
        judge(ours, h11_response(method, data), data, H11_RESPONSES, TAKEN_FROM_RESPONSES)
        if method == b"GET" and (ours.chunked or ours.length is not None):
            judge(ours, llhttp_responses(data), data, LLHTTP_RESPONSES, TAKEN_FROM_RESPONSES)


def host(data: bytes) -> None:
    """A Host: a name in lower case that is read as itself, or refused."""
    try:
        name = host_name(data)
    except BadMessage:
        return
    assert name == name.lower()
    assert not set(name) & set(b"\x00\r\n\t ,@/?#\\")
    assert b":" not in name or name.startswith(b"[")


def _fed(data: bytes, size: int) -> tuple[bytes, bytes, bool] | None:
    """The body in pieces of a size: its data, what is left over, whether it ended; None when it is refused."""
    body, out, at = ChunkedBody(), b"", 0
    try:
        while at < len(data) and not body.done:
            taken, rest = body.feed(data[at : at + size])
            out += taken
            at += size
            if body.done:
                return out, rest + data[at:], True
    except BadMessage:
        return None
    return out, b"", False


TARGETS: dict[str, Callable[[bytes], None]] = {
    "request": request,
    "chunked": chunked,
    "response": response,
    "host": host,
}
