"""A request after one with the same fields is begun by a shorter way: it must mean what it means by itself."""

import pytest
from attacks.bases import GET
from attacks.harness import Outcome, firing_range

TAIL = GET[GET.index(b"\r\n") + 2 :]  # the fields, and the empty line

FIRST_LINES = [
    b"GET / HTTP/1.1\r\n",
    b"HEAD /x?y=%20z HTTP/1.1\r\n",
    b"DELETE /a//b/../c;d HTTP/1.1\r\n",
    b"get / HTTP/1.1\r\n",
    b"POST / HTTP/1.1\r\n",
    b"GET / HTTP/1.0\r\n",
    b"GET / HTTP/1.2\r\n",
    b"GET / HTTP/2.0\r\n",
    b"GET /\r\n",
    b"GET  / HTTP/1.1\r\n",
    b"GET / HTTP/1.1 \r\n",
    b"GET\t/\tHTTP/1.1\r\n",
    b" GET / HTTP/1.1\r\n",
    b"GET /a b HTTP/1.1\r\n",
    b"GET /\x00 HTTP/1.1\r\n",
    b"GET /\xff HTTP/1.1\r\n",
    b"GET /# HTTP/1.1\r\n",
    b"GET x HTTP/1.1\r\n",
    b"GET * HTTP/1.1\r\n",
    b"OPTIONS * HTTP/1.1\r\n",
    b"GET http://svc.test/x HTTP/1.1\r\n",
    b"GET http://other.test/x HTTP/1.1\r\n",
    b"CONNECT svc.test:443 HTTP/1.1\r\n",
    b"TRACE / HTTP/1.1\r\n",
    b"GET / HTTP/1.1\n",
    b"GET / HTTP/1.1\r",
    b"GET / HTTP/1.1\r\r\n",
    b"\r\nGET / HTTP/1.1\r\n",
    b"\r\n\r\nGET / HTTP/1.1\r\n",
    b"\r\n",
    b"\nGET / HTTP/1.1\r\n",
    b"GET / HTTP/1.1\r\nX-More: y\r\n",
    b"GET / HTTP/1.1\r\nHost: other.test\r\n",
    b"GET / HTTP/1.1\r\n x: folded\r\n",
    b"GET / HTTP/1.1\r\nX_Under: y\r\n",
    b"POST / HTTP/1.1\r\nContent-Length: 5\r\n",
    b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n",
    b"POST / HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n",
    GET + b"GET / HTTP/1.1\r\n",
    b"GET / HTTP/1.1\r\n\r\n" + b"GET / HTTP/1.1\r\n",
    b"POST / HTTP/1.1\r\nHost: svc.test\r\nContent-Length: %d\r\n\r\nGET / HTTP/1.1\r\n" % (16 + len(TAIL)),
    b"GET /" + b"a" * 8191 + b" HTTP/1.1\r\n",
    b"GET /" + b"a" * 8192 + b" HTTP/1.1\r\n",
    b"A" * 33 + b" / HTTP/1.1\r\n",
]


def last(outcome: Outcome, before: int) -> object:
    """What became of the message after so many good requests."""
    return (
        [(answer.status, answer.code, answer.headers.get(b"connection")) for answer in outcome.answers[before:]],
        [(seen.method, seen.target, seen.body) for seen in outcome.requests[before:]],
        outcome.closed,
        outcome.breaches,
    )


@pytest.mark.parametrize("line", FIRST_LINES, ids=lambda line: repr(line[:40]))
async def test_a_request_means_the_same_after_one_with_the_same_fields(line: bytes) -> None:
    async with firing_range() as range_:
        alone = await range_.shoot(line + TAIL)
        assert alone.breaches == []
        for before in (1, 2):
            after = await range_.shoot(*[GET] * before, line + TAIL, in_turn=True)
            assert last(after, before) == last(alone, 0)
