"""Rules that vectors of others or second opinions made stricter; each was once accepted."""

import pytest

from narthex_router.bodies import ChunkedBody
from narthex_router.http1 import BadMessage, read_request_fields, read_response_head

GOOD_EXTENSIONS = [
    b"",
    b";a",
    b";a=b",
    b"; some; parameters=stuff",
    b" ;a",
    b";a = b",
    b';a="b c"',
    b';a="b;c\\""',
    b";a;b=c;d",
]
BAD_EXTENSIONS = [
    b";",
    b";;a",
    b";=b",
    b";a=",
    b";a=b=c",
    b";bad[=x",
    b';a="b',
    b';a=b"c"',
    b";a b",
    b" ",
    b";a=\x00",
    b";a\r",
]


@pytest.mark.parametrize("extension", GOOD_EXTENSIONS)
def test_a_chunk_extension_in_the_form_of_the_rfc_is_dropped(extension: bytes) -> None:
    assert ChunkedBody().feed(b"5" + extension + b"\r\nhello\r\n0\r\n\r\n") == (b"hello", b"")


@pytest.mark.parametrize("extension", BAD_EXTENSIONS)
def test_any_other_chunk_extension_is_refused(extension: bytes) -> None:
    with pytest.raises(BadMessage, match="chunk size"):
        ChunkedBody().feed(b"5" + extension + b"\r\nhello\r\n0\r\n\r\n")


@pytest.mark.parametrize("field", [b"Content-Length: 5", b"TRANSFER-ENCODING: chunked", b"host: a"])
def test_a_trailer_that_would_change_the_framing_or_the_host_is_refused(field: bytes) -> None:
    with pytest.raises(BadMessage, match="trailer"):
        ChunkedBody().feed(b"0\r\n" + field + b"\r\n\r\n")


@pytest.mark.parametrize("field", [b"X-Sum: 1", b"Content-Type: a/b", b"x_sum: 1"])
def test_any_other_trailer_is_dropped(field: bytes) -> None:
    assert ChunkedBody().feed(b"0\r\n" + field + b"\r\n\r\nrest") == (b"", b"rest")


def test_two_content_types_are_refused() -> None:
    with pytest.raises(BadMessage, match="Content-Type is there twice"):
        read_request_fields(b"Host: a\r\nContent-Type: a/b\r\nContent-Type: a/b\r\n")


def test_a_content_type_is_passed_on() -> None:
    assert read_request_fields(b"Host: a\r\nContent-Type: a/b\r\n").forward == b"Content-Type: a/b\r\n"


def test_transfer_encoding_in_a_response_of_http_1_0_is_refused() -> None:
    with pytest.raises(BadMessage, match=r"HTTP/1\.0"):
        read_response_head(b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n")


def test_a_traceparent_that_connection_names_is_not_the_clients_any_more() -> None:
    fields = read_request_fields(b"Host: a\r\nConnection: traceparent\r\nTraceparent: 00-a\r\n")
    assert (fields.traceparent, fields.forward) == (b"", b"")


def test_an_upgrade_without_a_key_is_no_upgrade() -> None:
    block = b"Host: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n"
    assert not read_request_fields(block).upgrade
    assert read_request_fields(block + b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n").upgrade
