"""How others read the same bytes: h11 and llhttp (`httptools`), requests and responses, each strict by default."""

from dataclasses import dataclass, field
from typing import Any

import h11
import httptools

Pairs = tuple[tuple[bytes, bytes], ...]


@dataclass(frozen=True)
class Request:
    """One whole request: names of fields in lower case, in the order they came; the body without its framing."""

    method: bytes
    target: bytes
    headers: Pairs
    body: bytes


@dataclass(frozen=True)
class Response:
    status: int
    headers: Pairs
    body: bytes


@dataclass
class Reading:
    """The whole messages at the start of some bytes, and why the reader stopped, if it refused to go on."""

    requests: list[Request] = field(default_factory=list)
    responses: list[Response] = field(default_factory=list)
    refused: str = ""
    upgraded: bool = False  # the reader thinks that another protocol begins here
    rest: bytes = b""  # after the first response


def h11_requests(data: bytes) -> Reading:
    reading = Reading()
    connection = h11.Connection(h11.SERVER, max_incomplete_event_size=256 * 1024)
    connection.receive_data(data)
    head: Any = None
    body: list[bytes] = []
    try:
        while (event := connection.next_event()) is not h11.NEED_DATA:
            if isinstance(event, h11.Request):
                head, body = event, []
            elif isinstance(event, h11.Data):
                body.append(bytes(event.data))
            elif isinstance(event, h11.EndOfMessage):
                reading.requests.append(Request(head.method, head.target, tuple(head.headers), b"".join(body)))
                # h11 goes on after a request once it was answered.
                connection.send(h11.Response(status_code=404, headers=[(b"content-length", b"0")]))
                connection.send(h11.EndOfMessage())
                if connection.our_state is not h11.DONE or connection.their_state is not h11.DONE:
                    break
                connection.start_next_cycle()
            else:
                break
    except h11.RemoteProtocolError as error:
        reading.refused = str(error)
    return reading


def h11_response(method: bytes, data: bytes) -> Reading:
    """The first final response in what a server sent before it closed."""
    reading = Reading()
    connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=256 * 1024)
    connection.send(h11.Request(method=method, target=b"/", headers=[(b"host", b"a")]))
    connection.send(h11.EndOfMessage())
    connection.receive_data(data)
    head: Any = None
    body: list[bytes] = []
    at_end = False
    try:
        while not isinstance(event := connection.next_event(), h11.EndOfMessage | h11.ConnectionClosed):
            if event is h11.PAUSED or (event is h11.NEED_DATA and at_end):
                return reading
            if event is h11.NEED_DATA:
                connection.receive_data(b"")
                at_end = True
            elif isinstance(event, h11.Response):
                head = event
            elif isinstance(event, h11.Data):
                body.append(bytes(event.data))
    except h11.RemoteProtocolError as error:
        reading.refused = str(error)
        return reading
    reading.responses.append(Response(head.status_code, tuple(head.headers), b"".join(body)))
    reading.rest = connection.trailing_data[0]
    return reading


class _Llhttp:
    """What llhttp calls back with."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self.parser: Any = None
        self.begun = False
        self.on_message_begin()

    def on_message_begin(self) -> None:
        self._target = b""
        self._headers: list[tuple[bytes, bytes]] = []
        self._body = b""
        self._in_body = False

    def on_url(self, url: bytes) -> None:
        self._target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self._in_body:  # afterwards they are trailers
            self._headers.append((name.lower(), value.rstrip(b" \t")))

    def on_headers_complete(self) -> None:
        self._in_body = True

    def on_body(self, body: bytes) -> None:
        self._body += body

    def on_message_complete(self) -> None:
        headers = tuple(self._headers)
        if isinstance(self.parser, httptools.HttpRequestParser):
            method = self.parser.get_method()
            self._reading.requests.append(Request(method, self._target, headers, self._body))
        else:
            self._reading.responses.append(Response(self.parser.get_status_code(), headers, self._body))


def llhttp_requests(data: bytes) -> Reading:
    reading = Reading()
    calls = _Llhttp(reading)
    calls.parser = httptools.HttpRequestParser(calls)
    _feed(calls, data)
    return reading


def llhttp_responses(data: bytes) -> Reading:
    """The responses in some bytes; llhttp cannot be told of HEAD, and does not say where the stream's end ends one."""
    reading = Reading()
    calls = _Llhttp(reading)
    calls.parser = httptools.HttpResponseParser(calls)
    _feed(calls, data)
    return reading


def _feed(calls: _Llhttp, data: bytes) -> None:
    try:
        calls.parser.feed_data(data)
    except httptools.HttpParserUpgrade:
        calls._reading.upgraded = True
    except httptools.HttpParserError as error:
        calls._reading.refused = str(error)
