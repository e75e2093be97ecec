"""TLS between a transport and a protocol: a client in memory, a transport that writes down what it is told."""

import asyncio
import contextlib
import ssl

import pytest

from narthex.testing.ca import ThrowAwayCA
from narthex_router.plane import Connection
from narthex_router.secure import FLOOD, PIECE, RIDERS, Secure
from narthex_router.tls import load_pair, new_context

CA = ThrowAwayCA()
ISSUED = CA.issue("svc.test")
RECORD = 5  # bytes of a record's header


class Wire(asyncio.Transport):
    """The transport below."""

    def __init__(self) -> None:
        super().__init__()
        self.sent = b""
        self.calls: list[str] = []
        self.waiting = 0

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.sent += data

    def pause_reading(self) -> None:
        self.calls.append("pause")

    def resume_reading(self) -> None:
        self.calls.append("resume")

    def close(self) -> None:
        self.calls.append("close")

    def abort(self) -> None:
        self.calls.append("abort")

    def get_write_buffer_size(self) -> int:
        return self.waiting

    def is_closing(self) -> bool:
        return "close" in self.calls


class Above(asyncio.Protocol):
    """The protocol above; `keep_open` is what it says at the end of input."""

    keep_open = False

    def __init__(self) -> None:
        self.transport: asyncio.Transport
        self.heard: list[bytes] = []
        self.ends: list[str] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        self.heard.append(data)

    def eof_received(self) -> bool:
        self.ends.append("eof")
        return self.keep_open

    def connection_lost(self, error: Exception | None) -> None:
        self.ends.append("lost")


class Talk:
    """A client's connection, byte for byte."""

    def __init__(self, version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3) -> None:
        context = new_context()
        load_pair(context, ISSUED.chain.encode() + b"\n" + ISSUED.key)
        self.above, self.wire = Above(), Wire()
        self.connections: set[Connection] = set()
        self.secure = Secure(context, lambda: self.above, self.connections, 10.0)
        self.secure.connection_made(self.wire)
        trust = ssl.create_default_context(cadata=CA.root_pem)
        trust.maximum_version = version
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.client = trust.wrap_bio(self._in, self._out, server_hostname="svc.test")

    def shake(self, split: int = 1 << 20) -> "Talk":
        for _ in range(3):
            with contextlib.suppress(ssl.SSLWantReadError):
                self.client.do_handshake()
            self.deliver(split)
        return self

    def deliver(self, split: int = 1 << 20) -> None:
        """What the client has to say goes to the server in pieces, and the answer to the client."""
        data = self._out.read()
        for start in range(0, len(data), split):
            self.secure.data_received(data[start : start + split])
        self._in.write(self.wire.sent)
        self.wire.sent = b""

    def say(self, data: bytes, split: int = 1 << 20) -> None:
        self.client.write(data)
        self.deliver(split)

    def hear(self) -> bytes:
        self._in.write(self.wire.sent)
        self.wire.sent = b""
        heard = b""
        with contextlib.suppress(ssl.SSLWantReadError):
            while data := self.client.read(1 << 20):
                heard += data
        return heard


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("split", [1, 7, 1 << 20])
def test_messages_arrive_whole_however_they_are_split(version: ssl.TLSVersion, split: int) -> None:
    talk = Talk(version).shake(split)
    talk.say(b"hello", split)
    talk.above.transport.write(b"good day")
    assert (b"".join(talk.above.heard), talk.hear()) == (b"hello", b"good day")


def test_a_connection_is_the_workers_until_its_handshake_is_done() -> None:
    talk = Talk()
    assert talk.connections == {talk.secure}
    talk.shake()
    assert not talk.connections
    lost = Talk()
    lost.secure.connection_lost(None)
    assert not lost.connections
    assert lost.above.ends == []


def test_a_handshake_that_takes_too_long_is_cut_off() -> None:
    talk = Talk()
    talk.secure.check_time(10.0)
    assert talk.wire.calls == []
    talk.secure.check_time(10.1)
    assert talk.wire.calls == ["abort"]


async def test_a_protocol_that_wants_no_more_gets_no_more_until_it_does() -> None:
    talk = Talk().shake()

    def first(data: bytes) -> None:
        talk.above.heard.append(data)
        talk.secure.pause_reading()

    talk.above.data_received = first  # type: ignore[method-assign]
    talk.client.write(b"one")
    talk.client.write(b"two")
    talk.deliver()
    assert (talk.above.heard, talk.wire.calls) == ([b"one"], ["pause"])
    talk.secure.resume_reading()
    await asyncio.sleep(0)
    assert (talk.above.heard, talk.wire.calls) == ([b"one", b"two"], ["pause", "resume", "pause"])


async def test_a_connection_that_is_lost_before_it_is_read_on_says_nothing_more() -> None:
    talk, errors = Talk().shake(), list[str]()
    asyncio.get_running_loop().set_exception_handler(lambda _, context: errors.append(str(context)))
    talk.secure.pause_reading()
    talk.say(b"hello")
    talk.secure.resume_reading()
    talk.secure.connection_lost(None)
    await asyncio.sleep(0)
    assert (talk.above.heard, errors) == ([], [])


def test_the_clients_end_is_told_and_answered() -> None:
    talk = Talk().shake()
    with contextlib.suppress(ssl.SSLWantReadError):
        talk.client.unwrap()
    talk.deliver()
    assert (talk.above.ends, talk.wire.calls) == (["eof"], ["close"])
    talk.client.unwrap()  # raises when the server's end was not said


def test_after_the_clients_end_a_protocol_may_go_on_writing() -> None:
    talk = Talk().shake()
    talk.above.keep_open = True
    with contextlib.suppress(ssl.SSLWantReadError):
        talk.client.unwrap()
    talk.deliver()
    assert talk.wire.calls == []
    talk.secure.data_received(b"more, against the rules")
    assert (talk.above.ends, talk.above.heard) == (["eof"], [])
    talk.above.transport.write(b"late")
    assert len(talk.wire.sent) > len(b"late") + RECORD


def test_a_damaged_record_ends_the_connection_with_an_alert_and_nothing_of_it_is_heard() -> None:
    talk = Talk().shake()
    talk.client.write(b"hello")
    data = bytearray(talk._out.read())
    data[-1] ^= 1
    talk.secure.data_received(bytes(data))
    assert (talk.above.heard, talk.wire.calls) == ([], ["close"])
    talk.deliver()
    with pytest.raises(ssl.SSLError, match=r"(?i)bad.record.mac"):
        talk.client.read()


def test_a_damaged_record_from_a_client_that_does_not_read_cuts_the_connection() -> None:
    talk = Talk().shake()
    talk.wire.waiting = 1
    talk.secure.data_received(b"no record at all")
    assert talk.wire.calls == ["abort"]


def test_a_client_that_only_has_us_answer_key_updates_is_cut_off() -> None:
    talk = Talk().shake()
    talk.wire.waiting = FLOOD + 1
    talk.secure._out.write(bytes(RIDERS + 1))  # what many key updates leave; Python's ssl cannot send one
    talk.say(b"x")
    assert talk.wire.calls == ["abort"]


def test_nothing_is_written_or_heard_after_the_end() -> None:
    talk = Talk().shake()
    talk.secure.close()
    talk.hear()
    talk.secure.write(b"late")
    talk.say(b"late too")
    talk.secure.close()
    assert (talk.wire.sent, talk.above.heard, talk.wire.calls) == (b"", [], ["close"])


def test_tickets_ride_along_with_the_first_answer() -> None:
    talk = Talk().shake()
    assert talk.wire.sent == b""
    assert not talk.client.session.has_ticket
    talk.say(b"hello")
    assert talk.wire.sent == b""
    talk.above.transport.write(b"good day")
    assert talk.hear() == b"good day"
    assert talk.client.session.has_ticket


def test_large_messages_go_through_in_pieces() -> None:
    talk, large = Talk().shake(), bytes(3 * PIECE + 1)
    talk.say(large)
    talk.above.transport.write(large)
    assert (b"".join(talk.above.heard), talk.hear()) == (large, large)
