"""A health check over gRPC: `grpc.health.v1.Health/Check`, one call on one HTTP/2 connection. Pure.

HTTP/2 is h2's. What gRPC adds to it is three headers, five bytes before a message and a trailer; the messages are one
field each, so they are written and read here.
"""

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import (
    ConnectionTerminated,
    DataReceived,
    Event,
    ResponseReceived,
    StreamEnded,
    StreamReset,
    TrailersReceived,
)
from h2.exceptions import ProtocolError

from narthex_healthcheck.target import GrpcQuestion
from narthex_healthcheck.verdict import ANSWERED, Outcome

MOST_BYTES = 256 * 1024  # of everything that comes: an answer takes a hundred
NOT_GRPC = Outcome("bad_answer", "probe: the answer is not gRPC")
_PREFIX = 5  # before each message: compressed or not, and its length
_SERVING = {0: "UNKNOWN", 1: "SERVING", 2: "NOT_SERVING", 3: "SERVICE_UNKNOWN"}
# https://grpc.io/docs/guides/status-codes: those that a health check is answered with
_STATUS = {"1": "CANCELLED", "2": "UNKNOWN", "4": "DEADLINE_EXCEEDED", "5": "NOT_FOUND", "7": "PERMISSION_DENIED",
           "8": "RESOURCE_EXHAUSTED", "12": "UNIMPLEMENTED", "13": "INTERNAL", "14": "UNAVAILABLE",
           "16": "UNAUTHENTICATED"}  # fmt: skip


class GrpcCall:
    """Send what `begin` and `feed` give; it is over when `outcome` is there."""

    def __init__(self, question: GrpcQuestion, authority: str, secure: bool) -> None:
        self.outcome: Outcome | None = None
        self._question = question
        self._authority = authority
        self._secure = secure
        self._h2 = H2Connection(H2Configuration(client_side=True, header_encoding=None))
        self._message = b""
        self._read = 0
        self._status = ""

    def begin(self) -> bytes:
        """The connection's preface and the call."""
        self._h2.initiate_connection()
        self._h2.send_headers(1, [
            (":method", "POST"),
            (":scheme", "https" if self._secure else "http"),
            (":authority", self._authority),
            (":path", "/grpc.health.v1.Health/Check"),
            ("te", "trailers"),
            ("content-type", "application/grpc"),
            ("user-agent", "narthex-healthcheck"),
        ])  # fmt: skip
        self._h2.send_data(1, framed(request(self._question.service)), end_stream=True)
        return self._h2.data_to_send()

    def feed(self, data: bytes) -> bytes:
        """Take bytes; returns those that have to be sent."""
        self._read += len(data)
        try:
            for event in self._h2.receive_data(data):
                self._take(event)
        except (ProtocolError, ValueError):
            self.outcome = self.outcome or NOT_GRPC
        if self._read > MOST_BYTES:
            self.outcome = self.outcome or NOT_GRPC
        return self._h2.data_to_send()

    def _take(self, event: Event) -> None:
        match event:
            case ResponseReceived() | TrailersReceived():
                fields = dict(event.headers or ())
                status = fields.get(b":status", b"200").decode("latin-1")
                if status != "200":
                    self.outcome = Outcome(f"http_{status[:1]}xx", f"probe: HTTP {status}, not gRPC")
                self._status = fields.get(b"grpc-status", self._status.encode()).decode("latin-1")
            case DataReceived():
                self._message += event.data or b""
                self._h2.acknowledge_received_data(event.flow_controlled_length or 0, 1)
            case StreamEnded():
                self.outcome = self.outcome or said(self._status, self._message)
            case StreamReset() | ConnectionTerminated():
                self.outcome = self.outcome or Outcome("closed", "probe: the call was reset before an answer")


def said(status: str, message: bytes) -> Outcome:
    """What a call that ended says about the instance."""
    if status != "0":
        if not status:
            return NOT_GRPC
        return Outcome("grpc_status", f"probe: gRPC {_STATUS.get(status, status[:8])}")
    if len(message) < _PREFIX or message[0] or int.from_bytes(message[1:_PREFIX]) != len(message) - _PREFIX:
        return NOT_GRPC
    serving = response(message[_PREFIX:])
    if serving is None:
        return NOT_GRPC
    name = _SERVING.get(serving, str(serving))
    return Outcome(ANSWERED if name == "SERVING" else "grpc_not_serving", f"probe: gRPC {name}")


def framed(message: bytes) -> bytes:
    return b"\0" + len(message).to_bytes(4) + message


def request(service: str) -> bytes:
    """HealthCheckRequest: field 1, the service's name."""
    name = service.encode()
    return b"\x0a" + _varint(len(name)) + name if name else b""


def response(message: bytes) -> int | None:
    """HealthCheckResponse: field 1, a small number, 0 where it is left out; None when it is no such message."""
    if not message:
        return 0
    return message[1] if len(message) == 2 and message[0] == 0x08 and message[1] < 0x80 else None


def _varint(number: int) -> bytes:
    low, high = number & 0x7F, number >> 7
    return bytes([low | 0x80]) + _varint(high) if high else bytes([low])
