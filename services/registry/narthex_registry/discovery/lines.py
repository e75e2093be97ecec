"""JSON values of an answer without end, a line each: Docker's events and the watches of Kubernetes."""

import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp

from narthex_registry.discovery.found import Away

MOST_BYTES = 16 * 1024**2  # an EndpointSlice of 1,000 pods has half a megabyte


async def values(content: aiohttp.StreamReader) -> AsyncIterator[dict[str, Any]]:
    """Each line that is complete; what is left when the connection breaks is half a line, and nothing."""
    held = bytearray()
    async for chunk in content.iter_any():
        held += chunk
        if b"\n" not in chunk:
            if len(held) > MOST_BYTES:
                raise Away(f"the source sent a line of more than {MOST_BYTES // 1024**2} MB")
            continue
        *lines, rest = held.split(b"\n")
        held = bytearray(rest)
        for line in lines:
            if line.strip():
                yield parsed(line)


def parsed(text: bytes | bytearray) -> dict[str, Any]:
    """A JSON object. Raises Away: a source that sends something else is not the one we speak with."""
    try:
        value = json.loads(text)
    except ValueError:
        raise Away("the source sent something that is no JSON") from None
    if not isinstance(value, dict):
        raise Away("the source sent something that is no JSON object")
    return value
