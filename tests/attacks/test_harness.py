"""The harness sees a router that is broken: each test breaks it in one way that attackers look for."""

import pytest
from attacks.bases import BASES, CARRIER, CHUNKED, GET, POST
from attacks.harness import firing_range
from attacks.opinions import disagreements

from narthex_router import downstream
from narthex_router.bodies import ChunkedBody, LengthBody
from narthex_router.http1 import BadMessage, Fields, read_request_fields


async def test_it_sees_a_field_that_was_passed_along_unparsed(monkeypatch: pytest.MonkeyPatch) -> None:
    def careless(block: bytes, max_fields: int = 100) -> Fields:
        fields = read_request_fields(block, max_fields)
        fields.forward += b"Transfer_Encoding: chunked\r\n"
        return fields

    monkeypatch.setattr(downstream, "read_request_fields", careless)
    async with firing_range() as range_:
        outcome = await range_.shoot(GET)

    assert any("plainest form" in breach for breach in outcome.breaches)


async def test_it_sees_a_body_that_is_longer_than_was_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def careless(fields: Fields) -> LengthBody:
        return LengthBody((fields.length or 0) + 40)

    monkeypatch.setattr(downstream, "request_body", careless)
    async with firing_range() as range_:
        outcome = await range_.shoot(POST + GET + GET)

    assert any("bytes after a whole request" in breach for breach in outcome.breaches)


async def test_it_sees_a_transfer_coding_that_only_we_understand(monkeypatch: pytest.MonkeyPatch) -> None:
    def careless(block: bytes, max_fields: int = 100) -> Fields:
        return read_request_fields(block.replace(b"xchunked", b"chunked"), max_fields)

    message = CARRIER.replace(b": chunked", b": xchunked")
    monkeypatch.setattr(downstream, "read_request_fields", careless)
    async with firing_range() as range_:
        outcome = await range_.shoot(message)

    assert len(disagreements(message, outcome.requests)) == 2


async def test_it_sees_chunk_sizes_that_only_we_understand(monkeypatch: pytest.MonkeyPatch) -> None:
    def careless(self: ChunkedBody, line: bytes) -> None:
        read_size(self, line.removeprefix(b"0x"))

    read_size = ChunkedBody._size_line
    message = CHUNKED.replace(b"\r\n5\r\n", b"\r\n0x5\r\n")
    monkeypatch.setattr(ChunkedBody, "_size_line", careless)
    async with firing_range() as range_:
        outcome = await range_.shoot(message)

    assert len(disagreements(message, outcome.requests)) == 2


async def test_it_sees_an_exception_that_nobody_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    def careless(block: bytes, max_fields: int = 100) -> Fields:
        raise ZeroDivisionError

    monkeypatch.setattr(downstream, "read_request_fields", careless)
    async with firing_range() as range_:
        outcome = await range_.shoot(GET, canary=False)

    assert any("ZeroDivisionError" in breach for breach in outcome.breaches)


async def test_it_sees_a_refusal_that_leaves_the_connection_open(monkeypatch: pytest.MonkeyPatch) -> None:
    def careless(self: downstream.Downstream, code: str, detail: str, status: int | None = None) -> None:
        self.transport.write(b"HTTP/1.1 400 Bad Request\r\nx-narthex-error: bad_request\r\ncontent-length: 0\r\n\r\n")

    monkeypatch.setattr(downstream.Downstream, "_refuse", careless)
    async with firing_range() as range_:
        outcome = await range_.shoot(BASES["get"].replace(b"Host:", b"Host :"))

    assert any("stays open" in breach for breach in outcome.breaches)


def test_a_refusal_is_the_exception_that_the_router_expects() -> None:
    with pytest.raises(BadMessage):
        read_request_fields(b"Host : a\r\n")
