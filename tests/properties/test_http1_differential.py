"""Second opinions: what `http1` accepts, h11 and llhttp must read in the same way; what they may refuse is listed.

NARTHEX_ATTACK_CASES scales the number of examples; above the default they are new ones in every run.
"""

import os

from attacks.agreement import TAKEN, TAKEN_FROM_RESPONSES, judge, read_request, read_response
from attacks.mutations import (
    CHUNK_ENDS,
    CHUNK_SIZES,
    CONTENT_LENGTHS,
    FIELDS,
    HOSTS,
    LAST_CHUNKS,
    LINE_ENDS,
    ODD,
    TARGETS,
    TRANSFER_ENCODINGS,
)
from attacks.opinions import H11_REQUESTS, H11_RESPONSES, LLHTTP_REQUESTS, LLHTTP_RESPONSES
from attacks.readers import h11_requests, h11_response, llhttp_requests, llhttp_responses
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

CASES = int(os.environ.get("NARTHEX_ATTACK_CASES", "4000"))
examples = settings(
    max_examples=CASES // 8,
    deadline=None,
    derandomize=CASES <= 4000,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)

# -- what is generated: good parts, with none, one or two bad ones among them --------------------------------

TOKEN = st.text("!#$%&'*+-.^`|~019AZaz", min_size=1, max_size=12).map(str.encode)
GOOD_VALUE = st.text('!~azAZ09,;="\\é', max_size=20).map(str.encode)
GOOD_TARGET = st.text("!$%&'()*+,-./09:;=?@AZ[]_az~\"", max_size=30).map(lambda text: b"/" + text.encode())
GOOD_LINE = st.builds(
    lambda name, gap, value, after: name + gap + value + after,
    TOKEN,
    st.sampled_from([b": ", b":", b":\t "]),
    GOOD_VALUE,
    st.sampled_from([b"", b"", b" ", b" \t"]),
)
GOOD_CHUNKS = st.lists(st.binary(min_size=1, max_size=20), max_size=3)
EXTENSION = st.sampled_from([b"", b"", b"", b";a", b";a=b", b";a=b;c", b';a="b c"', b" ; a", b";a = b"])

BAD_LENGTH = st.builds(
    lambda shape, n: shape.replace(b"%d", b"%d" % n), st.sampled_from(CONTENT_LENGTHS), st.integers(0, 12)
)
BAD_LINE = st.one_of(
    st.sampled_from(TRANSFER_ENCODINGS),
    BAD_LENGTH,
    st.sampled_from(HOSTS),
    st.sampled_from(FIELDS),
    st.builds(lambda name, value: name + b":" + value, TOKEN, st.binary(max_size=10)),
    st.builds(lambda name, value: name + b":" + value, st.binary(max_size=6), GOOD_VALUE),
)

REQUEST = st.builds(
    lambda method, target: method + b" " + target + b" HTTP/1.1",
    st.sampled_from([b"GET", b"POST", b"HEAD", b"OPTIONS", b"DELETE"]),
    GOOD_TARGET,
)
BAD_REQUEST = st.builds(
    lambda method, target, version: method + b" " + target + b" " + version,
    st.sampled_from([b"GET", b"POST", b"G@T", b"", b"get"]) | TOKEN | st.binary(max_size=5),
    GOOD_TARGET | st.sampled_from(TARGETS) | st.binary(max_size=8).map(lambda odd: b"/" + odd),
    st.sampled_from([b"HTTP/1.1", b"HTTP/1.1", b"HTTP/1.0", b"HTTP/1.2", b"HTTP/2.0", b"http/1.1", b"HTTP/1.1 "]),
)
STATUS = st.builds(
    lambda code, reason: b"HTTP/1.1 " + code + reason,
    st.sampled_from([b"200", b"200", b"200", b"204", b"304", b"404", b"503"]),
    st.sampled_from([b" OK", b"", b" ", b" \xc3\xa9", b" a\tb"]),
)
BAD_STATUS = st.builds(
    lambda version, code, reason: version + code + reason,
    st.sampled_from([b"HTTP/1.1 ", b"HTTP/1.1  ", b"HTTP/1.2 ", b"HTTP/1.1", b"http/1.1 ", b" HTTP/1.1 ", b"ICY "]),
    st.sampled_from([b"200", b"099", b"1000", b"20", b"2x0", b"+20", b"999", b"\xef\xbc\x9200", b"2 0", b""]),
    st.sampled_from([b" OK", b" \x00", b"  OK ", b"OK", b" a\rb", b" a\nb"]),
)


class Spoiling:
    """Draws a good part, or, at the places that were chosen beforehand, a bad one."""

    def __init__(self, draw: st.DrawFn) -> None:
        self._draw = draw
        spots = ("first", "line", "line end", "size", "data end", "last", "length", "byte")
        self._spots = draw(st.lists(st.sampled_from(spots), max_size=2))

    def here(self, spot: str) -> bool:
        return spot in self._spots

    def either(self, spot: str, good: st.SearchStrategy[bytes], bad: st.SearchStrategy[bytes]) -> bytes:
        return self._draw(bad if self.here(spot) else good)


@st.composite
def messages(
    draw: st.DrawFn, good: st.SearchStrategy[bytes], bad: st.SearchStrategy[bytes], always: list[bytes]
) -> bytes:
    spoil = Spoiling(draw)
    lines = always + draw(st.lists(GOOD_LINE, max_size=3))
    body = b""
    framing = draw(st.sampled_from(["none", "length", "chunked"]))
    if framing == "length":
        body = draw(st.binary(max_size=30))
        length = st.just(b"Content-Length: %d" % len(body))
        lines.append(spoil.either("length", length, BAD_LENGTH))
    elif framing == "chunked":
        lines.append(
            spoil.either("length", st.just(b"Transfer-Encoding: chunked"), st.sampled_from(TRANSFER_ENCODINGS))
        )
        for data in draw(GOOD_CHUNKS):
            size = draw(st.sampled_from([b"%x", b"%X", b"0%x"])) % len(data) + draw(EXTENSION)
            body += spoil.either("size", st.just(size), st.sampled_from(CHUNK_SIZES)) + b"\r\n" + data
            body += spoil.either("data end", st.just(b"\r\n"), st.sampled_from(CHUNK_ENDS))
        body += spoil.either(
            "last", st.sampled_from([b"0\r\n\r\n", b"0\r\nX: y\r\n\r\n"]), st.sampled_from(LAST_CHUNKS)
        )
    if spoil.here("line"):
        lines.append(draw(BAD_LINE))
    lines = [spoil.either("first", good, bad), *draw(st.permutations(lines))]
    if spoil.here("line end"):
        at = draw(st.integers(0, len(lines) - 1))
        lines[at : at + 2] = [draw(st.sampled_from(LINE_ENDS)).join(lines[at : at + 2])]
    message = b"\r\n".join(lines) + b"\r\n\r\n" + body + draw(st.sampled_from([b"", b"", b"GET / HTTP/1.1\r\n"]))
    if spoil.here("byte"):
        at = draw(st.integers(0, len(message)))
        message = message[:at] + draw(st.sampled_from(ODD)) + message[at + draw(st.integers(0, 1)) :]
    return message


@examples
@given(messages(REQUEST, BAD_REQUEST, [b"Host: a.test"]))
@example(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
def test_a_request_that_we_accept_is_read_alike_by_h11_and_llhttp(data: bytes) -> None:
    ours = read_request(data)
    if ours is None:
        return
    judge(ours, h11_requests(data), data, H11_REQUESTS, TAKEN)
    judge(ours, llhttp_requests(data), data, LLHTTP_REQUESTS, TAKEN)


@examples
@given(st.sampled_from([b"GET", b"GET", b"GET", b"HEAD"]), messages(STATUS, BAD_STATUS, []))
@example(b"GET", b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")
def test_a_response_that_we_accept_is_read_alike_by_h11_and_llhttp(method: bytes, data: bytes) -> None:
    ours = read_response(method, data)
    if ours is None:
        return
    judge(ours, h11_response(method, data), data, H11_RESPONSES, TAKEN_FROM_RESPONSES)
    # llhttp's Python binding can be told neither of HEAD nor of the end of the stream.
    if method == b"GET" and (ours.chunked or ours.length is not None):
        judge(ours, llhttp_responses(data), data, LLHTTP_RESPONSES, TAKEN_FROM_RESPONSES)


GOOD_FIELDS = st.lists(st.tuples(TOKEN.map(lambda name: b"x-" + name), GOOD_VALUE), max_size=6)


@examples
@given(
    st.sampled_from([b"GET", b"POST", b"PUT"]), GOOD_TARGET, GOOD_FIELDS, st.lists(st.binary(min_size=1), max_size=4)
)
def test_every_good_request_is_accepted(
    method: bytes, target: bytes, fields: list[tuple[bytes, bytes]], chunks: list[bytes]
) -> None:
    lines = b"".join(b"%b:\t %b \r\n" % field for field in fields)
    framing = b"Transfer-Encoding: chunked\r\n\r\n" if chunks else b"\r\n"
    body = b"".join(b"%X\r\n%b\r\n" % (len(piece), piece) for piece in chunks) + (b"0\r\n\r\n" if chunks else b"")
    data = b"%b %b HTTP/1.1\r\nHost: a\r\n%b%b%b" % (method, target, lines, framing, body)

    ours = read_request(data)

    assert ours is not None
    assert (ours.first, ours.body) == ((method, target), b"".join(chunks))
    assert ours.forward == tuple((name.lower(), value) for name, value in fields)


@examples
@given(st.binary(max_size=60))
def test_any_bytes_at_all_are_read_or_refused(data: bytes) -> None:
    chunked = b"Transfer-Encoding: chunked\r\n\r\n"
    for head in (b"", b"GET / HTTP/1.1\r\nHost: a\r\n", b"POST / HTTP/1.1\r\nHost: a\r\n" + chunked):
        read_request(head + data)
    for head in (b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\n" + chunked):
        read_response(b"GET", head + data)
