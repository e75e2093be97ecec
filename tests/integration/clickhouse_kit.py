"""A ClickHouse server for tests, where none can be had: its HTTP interface before chDB, which is the same engine.

What it has of the interface is what clickhouse-connect uses: SQL in the body, settings and parameters in the query,
Native blocks in both directions, users with passwords, errors with their codes. `python -m integration.clickhouse_kit
DIRECTORY PORT PASSWORD` is the process; an engine is one to a process.
"""

import json
import os
import re
import sys
import tempfile
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from narthex.testing.servers import child, free_port

USER, DATABASE = "narthex", "logs"
TESTS = Path(__file__).parents[1]
INSERT = re.compile(rb"\s*(INSERT\s+INTO\s+[^\n]*?)\s+FORMAT\s+Native\s*\n", re.IGNORECASE)
FORMAT = re.compile(rb"\bFORMAT\s+(\w+)\s*;?\s*$", re.IGNORECASE)
# Of the interface itself, not of the engine.
OF_HTTP = {
    *("query", "database", "query_id", "session_id", "wait_end_of_query", "client_protocol_version", "compress"),
    *("enable_http_compression", "send_progress_in_http_headers", "http_headers_progress_interval_ms", "role"),
}


@dataclass(frozen=True)
class ClickHouse:
    """Where a server is, or will be, and a user who may do everything in one database of it."""

    port: int
    password: str = "let me in"

    def url(self, password: str | None = None) -> str:
        return f"clickhouse://{USER}:{password or self.password}@127.0.0.1:{self.port}/{DATABASE}"


@contextmanager
def clickhouse_server(directory: Path, port: int | None = None) -> Iterator[ClickHouse]:
    """A server whose tables are in a directory: the same directory and port again is a restart."""
    running = ClickHouse(port or free_port())
    program = [sys.executable, "-P", "-m", "integration.clickhouse_kit"]
    environment = {**os.environ, "PYTHONPATH": str(TESTS)}
    arguments = [str(directory / "clickhouse"), str(running.port), running.password]
    with child([*program, *arguments], running.port, directory / "clickhouse.log", environment):
        yield running


class Engine:
    """What is asked, done by chDB: each request in a session of its own."""

    def __init__(self, directory: str) -> None:
        from narthex_audit.engine import _import_chdb

        _import_chdb()
        import chdb

        self._connect = lambda: chdb.connect(directory)
        self._kept = self._connect()  # the engine ends with its last connection
        self._kept.query(f"CREATE DATABASE IF NOT EXISTS {DATABASE}")

    def answer(self, sql: bytes, asked: dict[str, str]) -> bytes:
        session = self._connect()
        try:
            session.query(f"USE {asked.get('database', 'default')}")
            for name, value in asked.items():
                if name not in OF_HTTP and not name.startswith("param_"):
                    session.query(f"SET {name} = {quoted(value)}")
            if (insert := INSERT.match(sql)) is not None:
                return self._insert(session, insert[1].decode(), sql[insert.end() :])
            parameters = {name[6:]: value for name, value in asked.items() if name.startswith("param_")}
            found = FORMAT.search(sql)
            kind = found[1].decode() if found else "TabSeparated"
            done: bytes = session.query(sql.decode(), kind, params=parameters).bytes()
            return done
        finally:
            session.close()

    def _insert(self, session: Any, insert: str, block: bytes) -> bytes:
        with tempfile.NamedTemporaryFile() as file:
            file.write(block)
            file.flush()
            session.query(f"{insert} FROM INFILE {quoted(file.name)} FORMAT Native")
        return b""


def quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    engine: Engine
    password: str

    def do_GET(self) -> None:
        self._say(200, b"Ok.\n")

    def do_POST(self) -> None:
        from clickhouse_connect.driver._backend.chdb_backend import _decompress

        asked = dict(parse_qsl(urlsplit(self.path).query, keep_blank_values=True))
        sent = (
            self.rfile.read(int(self.headers["Content-Length"])) if "Content-Length" in self.headers else self._chunks()
        )
        if encoding := self.headers.get("Content-Encoding"):
            sent = _decompress(sent, encoding)
        if not self._knows():
            self._say(403, b"Code: 516. DB::Exception: narthex: Authentication failed: password is incorrect", code=516)
            return
        try:
            sql = b"\n".join(filter(None, (asked.get("query", "").encode(), sent)))
            self._say(200, self.engine.answer(sql, asked))
        except RuntimeError as error:
            text = str(error)
            code = re.search(r"Code: (\d+)", text)
            self._say(500, text.encode(), code=int(code[1]) if code else 1000)

    def _knows(self) -> bool:
        given = self.headers.get("X-ClickHouse-User", ""), self.headers.get("X-ClickHouse-Key", "")
        basic = self.headers.get("Authorization", "")
        if basic.startswith("Basic "):
            user, _, password = b64decode(basic[6:]).decode().partition(":")
            given = user, password
        return given == (USER, self.password)

    def _chunks(self) -> bytes:
        whole = b""
        while size := int(self.rfile.readline(), 16):
            whole += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return whole

    def _say(self, status: int, body: bytes, code: int = 0) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-ClickHouse-Summary", json.dumps({}))
        if code:
            self.send_header("X-ClickHouse-Exception-Code", str(code))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Only what goes wrong is of interest."""


def main(directory: str, port: str, password: str) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", int(port)), Handler)  # who comes before the engine is there waits
    Handler.engine, Handler.password = Engine(directory), password
    server.serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
