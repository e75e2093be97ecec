"""The PROXY protocol's header: tables of what is taken and what is not, and every prefix of what is taken."""

import struct
from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from narthex_router.proxy_protocol import V1_LONGEST, V2_LONGEST, V2_SIGNATURE, Header, Origin, crc32c, read

FROM = Origin("192.0.2.1", 443)
FOUR = bytes([192, 0, 2, 1, 198, 51, 100, 2]) + struct.pack("!HH", 40000, 443)
SIX = IPv6Address("2001:db8::1").packed + IPv6Address("2001:db8::2").packed + struct.pack("!HH", 40000, 443)


def v2(command: int, family: int, rest: bytes = b"", length: int | None = None) -> bytes:
    return V2_SIGNATURE + struct.pack("!BBH", command, family, len(rest) if length is None else length) + rest


def tlv(kind: int, value: bytes) -> bytes:
    return struct.pack("!BH", kind, len(value)) + value


def with_checksum(*, wrong: bool = False) -> bytes:
    header = v2(0x21, 0x11, FOUR + tlv(0x03, bytes(4)) + tlv(0x02, b"svc.services.test"))
    at = header.index(tlv(0x03, bytes(4))) + 3
    return header[:at] + struct.pack("!I", crc32c(header) ^ wrong) + header[at + 4 :]


GOOD = {
    b"PROXY TCP4 192.0.2.1 198.51.100.2 40000 443\r\n": FROM,
    b"PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n": Origin("255.255.255.255", 65535),
    b"PROXY TCP4 192.0.2.1 198.51.100.2 0 0\r\n": Origin("192.0.2.1", 0),
    b"PROXY TCP6 2001:DB8::1 2001:db8::2 40000 443\r\n": Origin("2001:db8::1", 443),
    b"PROXY TCP6 2001:0db8:0:0:0:0:0:1 ::1 40000 443\r\n": Origin("2001:db8::1", 443),
    b"PROXY TCP6 ::ffff:192.0.2.1 ::ffff:198.51.100.2 40000 443\r\n": FROM,
    b"PROXY UNKNOWN\r\n": None,
    b"PROXY UNKNOWN ffff:f...f:ffff ffff:f...f:ffff 65535 65535\r\n": None,
    v2(0x21, 0x11, FOUR): FROM,
    v2(0x21, 0x21, SIX): Origin("2001:db8::1", 443),
    v2(0x21, 0x21, IPv6Address("::ffff:192.0.2.1").packed + SIX[16:]): FROM,
    v2(0x21, 0x11, FOUR + tlv(0x04, b"")): FROM,
    v2(0x21, 0x11, FOUR + tlv(0xEA, b"\x01vpce-08d2bf15fac5001c9") + tlv(0x04, bytes(3))): FROM,
    with_checksum(): FROM,
    v2(0x20, 0x00): None,
    v2(0x20, 0x11, FOUR): None,
    v2(0x20, 0xFF, b"whatever"): None,
    v2(0x21, 0x00, b"whatever"): None,
    v2(0x20, 0x00, bytes(V2_LONGEST - 16)): None,
}

# Those of version 2 follow nghttp2's list of malformed headers (shrpx-unittest).
BAD = [
    b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    b"proxy TCP4 192.0.2.1 198.51.100.2 40000 443\r\n",
    b"PROXY\tTCP4 192.0.2.1 198.51.100.2 40000 443\r\n",
    b"PROXY  TCP4 192.0.2.1 198.51.100.2 40000 443\r\n",
    b"PROXY TCP4 192.0.2.1 198.51.100.2 40000 443\n",
    b"PROXY TCP4 192.0.2.1 198.51.100.2 40000 443 \r\n",
    b"PROXY TCP4 192.0.2.1 198.51.100.2 40000 443\r\r\n",
    b"PROXY TCP4 192.0.2.1  198.51.100.2 40000 443\r\n",
    b"PROXY TCP4 192.0.2.1 198.51.100.2 40000\r\n",
    b"PROXY TCP4 192.0.2.1 198.51.100.2 40000 443 1\r\n",
    b"PROXY TCP4 192.0.2.1 40000 443\r\n",
    b"PROXY TCP4 192.0.2.01 198.51.100.2 40000 443\r\n",
    b"PROXY TCP4 192.0.2 198.51.100.2 40000 443\r\n",
    b"PROXY TCP4 192.0.2.256 198.51.100.2 40000 443\r\n",
    b"PROXY TCP4 192.0.2.1 198.51.100.256 40000 443\r\n",
    b"PROXY TCP4 0xc0000201 198.51.100.2 40000 443\r\n",
    b"PROXY TCP4 2001:db8::1 2001:db8::2 40000 443\r\n",
    b"PROXY TCP6 192.0.2.1 198.51.100.2 40000 443\r\n",
    b"PROXY TCP6 2001:db8::1 198.51.100.2 40000 443\r\n",
    b"PROXY TCP6 2001:db8::1%eth0 2001:db8::2 40000 443\r\n",
    b"PROXY TCP6 2001:db8:::1 2001:db8::2 40000 443\r\n",
    b"PROXY TCP6 1:2:3:4:5:6:7:8:9 2001:db8::2 40000 443\r\n",
    b"PROXY TCP4 192.0.2.1 198.51.100.2 65536 443\r\n",
    b"PROXY TCP4 192.0.2.1 198.51.100.2 40000 65536\r\n",
    b"PROXY TCP4 192.0.2.1 198.51.100.2 040000 443\r\n",
    b"PROXY TCP4 192.0.2.1 198.51.100.2 +1 443\r\n",
    b"PROXY TCP4 192.0.2.1 198.51.100.2 -1 443\r\n",
    "PROXY TCP4 192.0.2.1 198.51.100.2 ٤٤٣ 443\r\n".encode(),
    b"PROXY TCP5 192.0.2.1 198.51.100.2 40000 443\r\n",
    b"PROXY UDP4 192.0.2.1 198.51.100.2 40000 443\r\n",
    b"PROXY UNIX /a /b\r\n",
    b"PROXY \r\n",
    b"PROXY UNKNOWNS\r\n",
    b"PROXY UNKNOWN \x00\r\n",
    b"PROXY UNKNOWN " + b"a" * V1_LONGEST + b"\r\n",
    b"PROXY TCP4 " + b" " * V1_LONGEST,
    v2(0x11, 0x11, FOUR),
    v2(0x31, 0x11, FOUR),
    v2(0x22, 0x11, FOUR),
    v2(0x2F, 0x11, FOUR),
    v2(0x21, 0x12, FOUR),
    v2(0x21, 0x22, SIX),
    v2(0x21, 0x31, bytes(216)),
    v2(0x21, 0x32, bytes(216)),
    v2(0x21, 0x10, FOUR),
    v2(0x21, 0x01, FOUR),
    v2(0x21, 0x41, SIX),
    v2(0x21, 0x11),
    v2(0x21, 0x11, FOUR[:-1]),
    v2(0x21, 0x21, FOUR),
    v2(0x21, 0x21, SIX[:-1]),
    v2(0x21, 0x11, FOUR + b"\x04"),
    v2(0x21, 0x11, FOUR + b"\x04\x00"),
    v2(0x21, 0x11, FOUR + b"\x04\x00\x01"),
    v2(0x21, 0x11, FOUR + tlv(0x04, b"a") + b"\x04\xff\xffa"),
    v2(0x21, 0x11, FOUR + tlv(0x03, b"abc")),
    v2(0x21, 0x11, FOUR + tlv(0x03, b"\x00\x00\x00\x00")),
    v2(0x20, 0x00, length=V2_LONGEST - 15),
    v2(0x21, 0x11, FOUR, length=65535),
    with_checksum(wrong=True),
]


@pytest.mark.parametrize(("header", "origin"), GOOD.items())
def test_a_header_says_who_the_client_is(header: bytes, origin: Origin | None) -> None:
    assert read(header) == Header(origin, len(header))
    assert read(header + header) == Header(origin, len(header))  # what follows is the client's
    assert read(header + b"\x16\x03\x01") == Header(origin, len(header))


@pytest.mark.parametrize("header", GOOD)
def test_a_header_is_waited_for_to_its_last_byte(header: bytes) -> None:
    for size in range(len(header)):
        assert read(header[:size]) is None


@pytest.mark.parametrize("data", BAD)
def test_what_is_no_header_is_refused_and_never_taken_for_one_on_the_way(data: bytes) -> None:
    with pytest.raises(ValueError):
        read(data)
    for size in range(len(data)):
        try:
            assert read(data[:size]) is None
        except ValueError:
            break  # and no later byte can make it good
    for more in (b"\r\n", b"\x00" * 200):
        with pytest.raises(ValueError):
            read(data + more)


def test_a_header_that_could_be_none_is_refused_at_once() -> None:
    for data in (b"G", b"PX", b"\x16", b"\r\n\r\nGET"):
        with pytest.raises(ValueError, match="does not begin with a PROXY header"):
            read(data)


@given(st.binary(max_size=300), st.sampled_from([b"", b"PROXY ", b"PROXY TCP4 ", V2_SIGNATURE, V2_SIGNATURE + b"\x21"]))
def test_any_bytes_are_a_header_a_beginning_or_refused(data: bytes, start: bytes) -> None:
    try:
        found = read(start + data)
    except ValueError:
        return
    if found is None:
        assert len(start + data) < V2_LONGEST
    else:
        assert found.size <= len(start + data)
        assert read((start + data)[: found.size]) == found


@given(st.ip_addresses(), st.integers(0, 65535), st.integers(0, 65535), st.binary(max_size=40))
def test_what_a_load_balancer_writes_is_read_as_it_was_meant(
    source: IPv4Address | IPv6Address, source_port: int, port: int, following: bytes
) -> None:
    four = isinstance(source, IPv4Address)
    other: IPv4Address | IPv6Address = IPv4Address("198.51.100.2") if four else IPv6Address("2001:db8::2")
    mapped = None if isinstance(source, IPv4Address) else source.ipv4_mapped
    expected = Origin(str(mapped or source), port)
    line = f"PROXY {'TCP4' if four else 'TCP6'} {source} {other} {source_port} {port}\r\n".encode()
    binary = v2(0x21, 0x11 if four else 0x21, source.packed + other.packed + struct.pack("!HH", source_port, port))
    for header in (line, binary):
        assert read(header + following) == Header(expected, len(header))


def test_the_checksum_is_the_one_of_rfc_3720() -> None:
    assert crc32c(b"123456789") == 0xE3069283
    assert crc32c(bytes(32)) == 0x8A9136AA
