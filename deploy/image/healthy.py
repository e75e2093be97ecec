"""Asks the part in this container whether it is ready (`/readyz`); exits with 1 and says why when it is not.

Runs every few seconds, so it imports next to nothing: run it with `python -IS`.
"""

import os
import socket
import sys

TIMEOUT_S = 2.0


def answer(host: str, port: int) -> bytes:
    with socket.create_connection((host, port), timeout=TIMEOUT_S) as connection:
        connection.sendall(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        received = b""
        while chunk := connection.recv(65536):
            received += chunk
        return received


def main() -> int:
    bind = os.environ.get("NARTHEX_ADMIN_BIND", "127.0.0.1")
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(bind, bind)
    try:
        received = answer(host, int(os.environ.get("NARTHEX_ADMIN_PORT", "9100")))
    except OSError as error:
        print(f"no answer on the admin port: {error}")  # noqa: T201 - the engine keeps it
        return 1
    head, _, body = received.partition(b"\r\n\r\n")
    print(body.decode(errors="replace"))  # noqa: T201
    return 0 if b" 200 " in head.partition(b"\r\n")[0] else 1


if __name__ == "__main__":
    sys.exit(main())
