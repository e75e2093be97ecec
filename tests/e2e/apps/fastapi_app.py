"""A FastAPI application as users have them: JSON, a stream of events, a WebSocket, uploads and downloads."""

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator

from fastapi import FastAPI, Request, WebSocket
from fastapi.responses import HTMLResponse, StreamingResponse

app = FastAPI()
MEGABYTE = b"0123456789abcdef" * 65536


PAGE = """<!doctype html>
<title>An application</title>
<p id="socket"></p><p id="events"></p>
<script>
  const socket = new WebSocket(`wss://${location.host}/echo`)
  const shown = id => text => document.getElementById(id).textContent += text
  socket.onopen = () => socket.send("hello")
  socket.onmessage = message => shown("socket")(message.data)
  socket.onclose = () => shown("socket")(" closed")
  const events = new EventSource("/events")
  events.onmessage = message => { shown("events")(message.data); message.data == 4 && events.close() }
</script>
"""


@app.get("/page", response_class=HTMLResponse)
async def page() -> str:
    return PAGE


@app.get("/who")
async def who() -> dict[str, int]:
    return {"pid": os.getpid()}


@app.get("/seen")
async def seen(request: Request) -> dict[str, str]:
    return dict(request.headers)


@app.get("/events")
async def events() -> StreamingResponse:
    async def stream() -> AsyncIterator[bytes]:
        for number in range(5):
            yield b"data: %d\n\n" % number
            await asyncio.sleep(0.1)

    return StreamingResponse(stream(), media_type="text/event-stream")


@app.websocket("/echo")
async def echo(socket: WebSocket) -> None:
    await socket.accept()
    async for text in socket.iter_text():
        await socket.send_text(text.upper())


@app.post("/upload")
async def upload(request: Request) -> dict[str, object]:
    digest, size = hashlib.sha256(), 0
    async for piece in request.stream():
        digest.update(piece)
        size += len(piece)
    return {"size": size, "sha256": digest.hexdigest()}


@app.get("/download/{megabytes}")
async def download(megabytes: int) -> StreamingResponse:
    async def stream() -> AsyncIterator[bytes]:
        for _ in range(megabytes):
            yield MEGABYTE

    return StreamingResponse(stream(), media_type="application/octet-stream")
