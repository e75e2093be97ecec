"""An instance for the tests: answers `hi from <host name>` on port 9000, and finishes what is under way at SIGTERM."""

import asyncio
import signal
import socket

NAME = socket.gethostname().encode()
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\nhi from %b" % (len(NAME) + 8, NAME)


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while True:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(ANSWER)
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


async def main() -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    async with await asyncio.start_server(serve, "0.0.0.0", 9000):
        await stop.wait()
        await asyncio.sleep(3)  # the routers learn of it by the signal and send nothing new


asyncio.run(main())
