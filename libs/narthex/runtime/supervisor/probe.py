"""Asks a part whether it is ready, with bare sockets."""

import asyncio
import json

from narthex.runtime.supervisor.plan import Probe, Spec

TIMEOUT_S = 1.0


async def waiting_for(spec: Spec) -> str:
    """Why a part is not ready; empty when it is."""
    try:
        # Not wait_for: until Python 3.12 it can swallow a cancellation, and the caller would ask for ever.
        async with asyncio.timeout(TIMEOUT_S):
            answer = await _ask(spec)
    except (OSError, TimeoutError, asyncio.IncompleteReadError):
        return "no answer yet"
    return reason(spec.probe, answer)


def reason(probe: Probe, answer: bytes) -> str:
    """What an answer means; empty: ready."""
    if probe is Probe.NATS:
        return "" if answer.startswith(b"INFO ") else "no greeting"
    if probe is Probe.VALKEY:
        # Without a password it refuses, and that is enough: it serves, and its table is loaded.
        return "" if answer.startswith((b"-NOAUTH", b"+PONG")) else answer[:80].decode(errors="replace").strip()
    status, _, rest = answer.partition(b"\r\n")
    if b" 200 " in status:
        return ""
    try:
        reasons = json.loads(rest.partition(b"\r\n\r\n")[2])["waiting_for"]
        return ", ".join(f"{name}: {why}" for name, why in reasons.items())
    except (ValueError, KeyError, AttributeError, TypeError):
        return "not ready"


async def _ask(spec: Spec) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", spec.port)
    try:
        if spec.probe is Probe.NATS:
            return await reader.readuntil(b"\r\n")  # the server speaks first
        if spec.probe is Probe.VALKEY:
            writer.write(b"PING\r\n")
            return await reader.readuntil(b"\r\n")
        writer.write(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        return await reader.read()  # to the end of the connection
    finally:
        writer.close()
