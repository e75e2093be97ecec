"""A small HTTP application of a user's, in this process: what an instance of the tests' services runs.

It answers /health, /hello, /status/<code>, /headers and the two paths of a model server that OpenAI clients ask for,
echoes what is posted to /echo, and answers /held only once it is released. What it was sent stands in `seen`.
"""

import json
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

HELD_S = 30.0  # a test that forgets to release is slow, not stuck


@dataclass(frozen=True)
class Seen:
    """One request as the application got it."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Application:
    port: int
    healthy: bool = True
    released: threading.Event = field(default_factory=threading.Event)
    seen: list[Seen] = field(default_factory=list)

    def paths(self) -> list[str]:
        return [request.path for request in self.seen if request.path != "/health"]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    application: Application

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing on the test's output."""

    def do_GET(self) -> None:
        self._note(b"")
        if self.path == "/health":
            self._answer(200 if self.application.healthy else 503, b"")
        elif self.path.startswith("/status/"):
            self._answer(int(self.path.rpartition("/")[2]), b"as you wish\n")
        elif self.path == "/held":
            self.application.released.wait(HELD_S)
            self._answer(200, b"at last\n")
        elif self.path == "/headers":
            self._json({name.lower(): value for name, value in self.headers.items()})
        elif self.path == "/v1/models":
            self._json({"object": "list", "data": [{"id": "tiny", "object": "model"}]})
        else:
            self._answer(200, b"hello\n")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self._note(body)
        if self.path.rstrip("/") == "/v1/chat/completions":
            self._json({"choices": [{"message": {"role": "assistant", "content": "hi"}}], "usage": {"total_tokens": 3}})
        else:
            self._answer(200, body)

    def _note(self, body: bytes) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.application.seen.append(Seen(self.command, self.path, headers, body))

    def _json(self, value: Any) -> None:
        self._answer(200, json.dumps(value).encode(), "application/json")

    def _answer(self, status: int, body: bytes, content_type: str = "text/plain") -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Who asked may be gone by now, a probe that gave up say: that is no error, and nothing to print."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


@contextmanager
def application(address: str = "127.0.0.1") -> Iterator[Application]:
    """A running application on a free port of a loopback address."""
    handler = type("BoundHandler", (Handler,), {})
    server = Server((address, 0), handler)
    running = Application(server.server_port)
    handler.application = running
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield running
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
