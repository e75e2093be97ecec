"""What a head and a body may look like, as tables."""

import pytest

from narthex_router.bodies import (
    MAX_EXTENSIONS,
    MAX_TRAILER,
    NO_BODY,
    ChunkedBody,
    LengthBody,
    UntilClose,
    chunk,
    response_body,
)
from narthex_router.http1 import (
    REQUEST_LINE,
    STATUS_LINE,
    BadMessage,
    ResponseFields,
    host_name,
    read_authority,
    read_length,
    read_request_fields,
    read_response_fields,
)


def test_end_to_end_fields_pass_and_the_rest_is_read() -> None:
    fields = read_request_fields(
        b"Host: a.test\r\nAccept:  */* \r\nContent-Length: 7\r\nKeep-Alive: 5\r\nX-Forwarded-For: 6.6.6.6\r\n"
        b"x-request-id: mine\r\nUser-Agent: me\r\nAuthorization: Token t\r\n"
    )
    assert fields.forward == b"Accept: */*\r\nUser-Agent: me\r\n"
    assert (fields.host, fields.length, fields.authorization, fields.user_agent) == (b"a.test", 7, b"Token t", b"me")


def test_connection_removes_what_it_names_but_never_what_matters() -> None:
    fields = read_request_fields(
        b"Host: a\r\nConnection: close, X-Hop, cookie, authorization, x-request-id\r\nX-Hop: 1\r\n"
        b"Cookie: c\r\nX-End: 2\r\n"
    )
    assert fields.forward == b"Cookie: c\r\nX-End: 2\r\n"
    assert fields.close


def test_a_repeated_field_that_is_no_singleton_passes_twice_in_order() -> None:
    assert read_request_fields(b"Host: a\r\nX-A: 1\r\nX-A: 2\r\n").forward == b"X-A: 1\r\nX-A: 2\r\n"


def test_bytes_above_127_in_values_pass_unchanged() -> None:
    assert read_request_fields(b"Host: a\r\nX-A: \xff\xe9\r\n").forward == b"X-A: \xff\xe9\r\n"


@pytest.mark.parametrize(
    ("block", "why"),
    [
        (b"Host: a\r\nX A: b\r\n", "not allowed"),
        (b"Host: a\r\nX-A : b\r\n", "space before its colon"),
        (b"Host: a\r\n folded\r\n", "starts with a space"),
        (b"Host: a\r\nX-A\r\n", "no colon"),
        (b"Host: a\r\n: b\r\n", "empty"),
        (b"Host: a\r\nX_A: b\r\n", "underscore"),
        (b"Host: a\r\n" + b"X" * 257 + b": b\r\n", "longer than 256"),
        (b"Host: a\r\nX-A: b\x00c\r\n", "control character"),
        (b"Host: a\r\nX-A: b\rc\r\n", "control character"),
        (b"Host: a\r\nX-A: b\nc\r\n", "control character"),
        (b"Host: a\r\nHost: a\r\n", "Host is there twice"),
        (b"Host: a\r\nContent-Length: 5\r\ncontent-length: 5\r\n", "there twice"),
        (b"Host: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "there twice"),
        (b"Host: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n", "both"),
        (b"Host: a\r\nTransfer-Encoding: chunked, identity\r\n", "chunked, alone"),
        (b"Host: a\r\nTransfer-Encoding: xchunked\r\n", "chunked, alone"),
        (b"Host: a\r\nTransfer-Encoding:\x0bchunked\r\n", "control character"),
        (b"Host: a\r\nExpect: 200-ok\r\n", "100-continue"),
        (b"Host: a, b\r\n", "not a host name"),
        (b"Host: a b\r\n", "not a host name"),
        (b"Host: user@a\r\n", "not a host name"),
        (b"Host: a/b\r\n", "not a host name"),
        (b"Host: a\r\nAuthorization: a\r\nAuthorization: b\r\n", "there twice"),
    ],
)
def test_a_block_that_breaks_a_rule_is_refused_by_its_name(block: bytes, why: str) -> None:
    with pytest.raises(BadMessage, match=why):
        read_request_fields(block)


@pytest.mark.parametrize("code", [*range(9), *range(10, 32), 127])
def test_no_control_character_passes_in_a_value(code: int) -> None:
    with pytest.raises(BadMessage):
        read_request_fields(b"Host: a\r\nX-A: b%cc\r\n" % code)


@pytest.mark.parametrize("code", [*range(33), *b'"(),/:;<=>?@[\\]{}_', *range(127, 256)])
def test_no_character_but_tchar_passes_in_a_name(code: int) -> None:
    if code == ord(":"):
        return  # ends the name: what follows is the value
    with pytest.raises(BadMessage):
        read_request_fields(b"Host: a\r\nX%cA: b\r\n" % code)


@pytest.mark.parametrize(
    "value",
    [b"", b"+5", b"-0", b"0x5", b"1_0", b"5 ", b"5,5", b"5, 5", b"\xef\xbc\x95", b"5.0", b"1" * 19],
)
def test_a_length_that_is_no_plain_number_is_refused(value: bytes) -> None:
    with pytest.raises(BadMessage):
        read_length(value)


@pytest.mark.parametrize(
    "line",
    [
        b"GET  / HTTP/1.1\r\n",
        b"GET /\tHTTP/1.1\r\n",
        b"GET / HTTP/1.1 \r\n",
        b"GET / HTTP/1.2\r\n",
        b"GET / http/1.1\r\n",
        b"GET / HTTP/1.10\r\n",
        b"GET /\r\n",
        b"GE T / HTTP/1.1\r\n",
        b"GET /a#b HTTP/1.1\r\n",
        b"GET /\xe9 HTTP/1.1\r\n",
        b"G\x00T / HTTP/1.1\r\n",
        b" GET / HTTP/1.1\r\n",
        b"GET / HTTP/1.1\n\r",
    ],
)
def test_a_request_line_of_another_form_does_not_match(line: bytes) -> None:
    assert REQUEST_LINE.match(line) is None


@pytest.mark.parametrize(
    "line", [b"HTTP/1.1 099 A\r\n", b"HTTP/1.1 1024 A\r\n", b"HTTP/2.0 200 A\r\n", b"HTTP/1.1  200\r\n"]
)
def test_a_status_line_of_another_form_does_not_match(line: bytes) -> None:
    assert STATUS_LINE.match(line) is None


def test_a_status_line_may_lack_its_reason() -> None:
    assert STATUS_LINE.match(b"HTTP/1.1 200\r\n")
    assert STATUS_LINE.match(b"HTTP/1.1 200 \r\n")


@pytest.mark.parametrize(
    ("host", "name"),
    [
        (b"A.Test", b"a.test"),
        (b"a.test:8443", b"a.test"),
        (b"a.test.", b"a.test"),
        (b"[::1]:80", b"[::1]"),
        (b"127.0.0.1", b"127.0.0.1"),
    ],
)
def test_a_host_is_read_as_a_name(host: bytes, name: bytes) -> None:
    assert host_name(host) == name


@pytest.mark.parametrize("host", [b"", b"a:0", b"a:70000", b"a:80:80", b"a:x", b"::1", b"a\xff"])
def test_a_host_that_is_none_is_refused(host: bytes) -> None:
    with pytest.raises(BadMessage):
        host_name(host)


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        (b"http://a.test/b?c", (b"a.test", b"/b?c")),
        (b"HTTPS://a.test:1", (b"a.test:1", b"/")),
    ],
)
def test_an_absolute_target_is_taken_apart(target: bytes, expected: tuple[bytes, bytes]) -> None:
    assert read_authority(target) == expected


@pytest.mark.parametrize("target", [b"*", b"a/b", b"ftp://a/", b"http:/a", b"http://user@a/", b"//a/b"])
def test_another_target_is_refused(target: bytes) -> None:
    with pytest.raises(BadMessage):
        read_authority(target)


def test_a_length_body_takes_its_length_and_leaves_the_rest() -> None:
    body = LengthBody(5)
    assert body.feed(b"abc") == (b"abc", b"")
    assert not body.done
    assert body.feed(b"defgh") == (b"de", b"fgh")
    assert body.done


def test_a_chunked_body_drops_extensions_and_trailers_and_leaves_the_rest() -> None:
    body = ChunkedBody()
    assert body.feed(b'3;a="b"\r\nabc\r\n0A ;x\r\n0123456789\r\n0\r\nX-Sum: 1\r\n\r\nGET') == (b"abc0123456789", b"GET")
    assert body.done


@pytest.mark.parametrize(
    "data",
    [
        b"0x5\r\nhello\r\n",
        b"+5\r\nhello\r\n",
        b"5\nhello\r\n",
        b"5\r\nhello!\r\n",
        b"5\r\nhelloX",
        b"5\r\nhello\n\n",
        b"\r\n",
        b" 5\r\nhello\r\n",
        b"5 5\r\n",
        b"1" * 17 + b"\r\n",
        b"ffffffffffffffff\r\n",
        b"5;\r\nhello\r\n",
        b"5;a=\r\nhello\r\n",
        b"5;a\rb\r\nhello\r\n",
        b"5;a\x00\r\nhello\r\n",
        b"5;" + b"x" * 2000,
        b"0\r\nBad Trailer: x\r\n\r\n",
        b"0\r\nX: " + b"y" * 1000 + b"\r\n" + (b"X: " + b"y" * 1000 + b"\r\n") * 9 + b"\r\n",
    ],
)
def test_a_chunked_body_that_breaks_a_rule_is_refused(data: bytes) -> None:
    with pytest.raises(BadMessage):
        ChunkedBody().feed(data)


def test_an_empty_chunk_is_never_written_since_it_would_end_the_body() -> None:
    assert chunk(b"") == b""
    assert chunk(b"abc") == b"3\r\nabc\r\n"


@pytest.mark.parametrize(
    ("method", "status", "fields", "kind"),
    [
        (b"GET", 200, ResponseFields(), UntilClose),
        (b"GET", 200, ResponseFields(length=5), LengthBody),
        (b"GET", 200, ResponseFields(length=0), type(NO_BODY)),
        (b"GET", 200, ResponseFields(chunked=True), ChunkedBody),
        (b"HEAD", 200, ResponseFields(length=5), type(NO_BODY)),
        (b"HEAD", 200, ResponseFields(chunked=True), type(NO_BODY)),
        (b"GET", 204, ResponseFields(), type(NO_BODY)),
        (b"GET", 304, ResponseFields(length=5), type(NO_BODY)),
    ],
)
def test_how_a_response_is_framed(method: bytes, status: int, fields: ResponseFields, kind: type) -> None:
    assert type(response_body(method, status, fields)) is kind


def test_a_response_keeps_what_is_the_instances_and_loses_what_is_the_connections() -> None:
    fields = read_response_fields(
        b"Server: x\r\nConnection: close, X-Hop\r\nX-Hop: 1\r\nContent-Length: 3\r\nX_App: 1 \r\n"
        b"X-Request-Id: theirs\r\n"
    )
    assert fields.forward == b"Server: x\r\nX_App: 1\r\n"
    assert (fields.close, fields.length) == (True, 3)


def extended(extension_bytes: int) -> bytes:
    """A chunked body of one-byte chunks with so many bytes of extensions."""
    chunks = b""
    while extension_bytes:
        size = min(extension_bytes, 512)
        extension_bytes -= size
        chunks += b"1" + (b";" + b"x" * (size - 1) if size > 1 else b"") + b"\r\na\r\n"
    return chunks + b"0\r\n\r\n"


def test_a_body_may_have_so_many_bytes_of_chunk_extensions_and_not_one_more() -> None:
    body = ChunkedBody()
    body.feed(extended(MAX_EXTENSIONS))
    assert body.done
    with pytest.raises(BadMessage, match="chunk extensions") as refused:
        ChunkedBody().feed(extended(MAX_EXTENSIONS + 2))
    assert (refused.value.status, refused.value.code) == (400, "bad_request")


def test_extensions_count_in_whatever_pieces_they_come() -> None:
    def feed(body: ChunkedBody, data: bytes) -> None:
        for byte in data:
            body.feed(bytes([byte]))

    with pytest.raises(BadMessage, match="chunk extensions"):
        feed(ChunkedBody(), extended(MAX_EXTENSIONS + 2))


def trailers(line_bytes: int) -> bytes:
    """An empty chunked body with a trailer section whose lines have so many bytes."""
    lines = [b"x:" + b"y" * 498] * (line_bytes // 500) + [b"x:" + b"y" * (line_bytes % 500 - 2)]
    return b"0\r\n" + b"\r\n".join(lines) + b"\r\n\r\n"


def test_a_trailer_section_may_have_so_many_bytes_and_not_one_more() -> None:
    body = ChunkedBody()
    body.feed(trailers(MAX_TRAILER))
    assert body.done
    with pytest.raises(BadMessage, match="trailer section") as refused:
        ChunkedBody().feed(trailers(MAX_TRAILER + 1))
    assert refused.value.status == 400
