"""The header of the PROXY protocol, versions 1 and 2: who a TCP load balancer says it speaks for. Pure.

Read as strictly as the specification (haproxy.org, proxy-protocol.txt) allows, since what follows from it is who may
come in: numbers and addresses in one form only, lengths that add up, the checksum where there is one. Nothing is
guessed: a connection that has to begin with a header and does not is refused.
"""

import re
import struct
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

V1_LONGEST = 107  # with CR LF, as the specification counts
V2_SIGNATURE = b"\r\n\r\n\x00\r\nQUIT\n"
V2_LONGEST = 4096  # load balancers send under 500 bytes; one that adds a client's certificate, some 2,000
_V1 = b"PROXY "
_V1_UNKNOWN = re.compile(rb"PROXY UNKNOWN(?: [!-~ ]*)?\r\n")
_V1_TCP = re.compile(
    rb"PROXY (?:TCP4 ([0-9.]{7,15}) ([0-9.]{7,15})|TCP6 ([0-9A-Fa-f:.]{2,39}) ([0-9A-Fa-f:.]{2,39}))"
    rb" (0|[1-9][0-9]{0,4}) (0|[1-9][0-9]{0,4})\r\n"
)
_V2_HEAD = struct.Struct("!12sBBH")
_LOCAL, _PROXY = 0x20, 0x21  # version 2, and who speaks: the load balancer itself, or for a client
_UNSPEC, _TCP4, _TCP6 = 0x00, 0x11, 0x21
_ADDRESSES = {_TCP4: struct.Struct("!4s4sHH"), _TCP6: struct.Struct("!16s16sHH")}
_TLV = struct.Struct("!BH")
_CRC32C = 0x03  # PP2_TYPE_CRC32C


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a client's connection came from, and the port that it went to."""

    address: str  # in canonical form: it goes into headers and records as it is
    port: int


@dataclass(frozen=True, slots=True)
class Header:
    """A header that was read."""

    origin: Origin | None  # None: the load balancer speaks for itself, or does not know the client
    size: int  # bytes; what follows is the client's


def read(data: bytes) -> Header | None:
    """The header that `data` begins with; None while it is not whole. ValueError when it is none."""
    if data.startswith(V2_SIGNATURE):
        return _read_v2(data)
    if data.startswith(_V1):
        return _read_v1(data)
    if V2_SIGNATURE.startswith(data) or _V1.startswith(data):
        return None
    raise ValueError("the connection does not begin with a PROXY header")


# -- version 1: a line -------------------------------------------------------------------------------------------------


def _read_v1(data: bytes) -> Header | None:
    end = data.find(b"\n", 0, V1_LONGEST)
    if end < 0:
        if len(data) >= V1_LONGEST:
            raise ValueError(f"the PROXY line is longer than {V1_LONGEST} bytes")
        return None
    line = data[: end + 1]
    if _V1_UNKNOWN.fullmatch(line):
        return Header(None, len(line))
    found = _V1_TCP.fullmatch(line)
    if found is None:
        raise ValueError("the PROXY line is malformed")
    source, destination = (_v1_address(found, four, six) for four, six in ((1, 3), (2, 4)))
    ports = int(found[5]), int(found[6])
    if max(ports) > 65535:
        raise ValueError(f"the PROXY line, from {source} to {destination}, has a port that is none")
    return Header(Origin(source, ports[1]), len(line))


def _v1_address(found: re.Match[bytes], four: int, six: int) -> str:
    """An address of the line; AddressValueError, a ValueError, when it is none."""
    if found[four] is not None:
        return str(IPv4Address(found[four].decode("ascii")))
    return _canonical(IPv6Address(found[six].decode("ascii")))


# -- version 2: binary -------------------------------------------------------------------------------------------------


def _read_v2(data: bytes) -> Header | None:
    if len(data) < _V2_HEAD.size:
        return None
    _, command, family, length = _V2_HEAD.unpack_from(data)
    size = _V2_HEAD.size + length
    if command not in (_LOCAL, _PROXY):
        raise ValueError(f"the PROXY header is of a version or command that is not known: {command:#04x}")
    if size > V2_LONGEST:
        raise ValueError(f"the PROXY header is longer than {V2_LONGEST} bytes")
    if command == _PROXY and family != _UNSPEC and family not in _ADDRESSES:
        raise ValueError(f"the PROXY header is about something else than TCP: {family:#04x}")
    if len(data) < size:
        return None
    if command == _LOCAL or family == _UNSPEC:
        return Header(None, size)  # addresses are to be passed over, whatever they are
    return Header(_v2_origin(data[:size], family), size)


def _v2_origin(header: bytes, family: int) -> Origin:
    addresses = _ADDRESSES[family]
    if len(header) < _V2_HEAD.size + addresses.size:
        raise ValueError("the PROXY header ends within its addresses")
    source, _, _, port = addresses.unpack_from(header, _V2_HEAD.size)
    _check_extensions(header, _V2_HEAD.size + addresses.size)
    return Origin(str(IPv4Address(source)) if family == _TCP4 else _canonical(IPv6Address(source)), port)


def _check_extensions(header: bytes, at: int) -> None:
    """What follows the addresses is of no use here, but has to be whole; a checksum has to be right."""
    while at < len(header):
        if len(header) < at + _TLV.size:
            raise ValueError("the PROXY header ends within an extension")
        kind, length = _TLV.unpack_from(header, at)
        at += _TLV.size
        if len(header) < at + length:
            raise ValueError("the PROXY header ends within an extension")
        if kind == _CRC32C:
            _check_sum(header, at, length)
        at += length


def _check_sum(header: bytes, at: int, length: int) -> None:
    """CRC-32C of the whole header, with zeros in its own place."""
    if length != 4:
        raise ValueError("the checksum of the PROXY header must have 4 bytes")
    if crc32c(header[:at] + bytes(4) + header[at + 4 :]) != int.from_bytes(header[at : at + 4], "big"):
        raise ValueError("the checksum of the PROXY header is wrong")


def _canonical(address: IPv6Address) -> str:
    """One of IPv4 in IPv6 is the IPv4 one: lists of networks name that."""
    return str(address.ipv4_mapped or address)


def _crc_table() -> tuple[int, ...]:
    table = []
    for number in range(256):
        for _ in range(8):
            number = number >> 1 ^ (0x82F63B78 if number & 1 else 0)
        table.append(number)
    return tuple(table)


_CRC_TABLE = _crc_table()


def crc32c(data: bytes) -> int:
    """CRC-32C (Castagnoli), as RFC 3720 has it."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ _CRC_TABLE[(crc ^ byte) & 0xFF]
    return crc ^ 0xFFFFFFFF
