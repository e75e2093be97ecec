"""Instances whose answers do not end by themselves: a stream of events, and a WebSocket."""

import asyncio

from narthex.testing.backend import Conversation

UPGRADE = (
    b"GET / HTTP/1.1\r\nHost: %b\r\nConnection: upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
# With the answer to the key in the example of RFC 6455, section 1.3.
SWITCHED = (
    b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
)


async def events(conversation: Conversation) -> None:
    """Send events until nobody listens."""
    await conversation.head()
    await conversation.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        await conversation.send(b"9\r\ndata: 1\n\n\r\n")
        await asyncio.sleep(0.02)


async def echo(conversation: Conversation) -> None:
    """Agree to a WebSocket, and send back what comes, masks and all."""
    await conversation.head()
    await conversation.send(SWITCHED)
    while data := await conversation.reader.read(1000):
        await conversation.send(data)
