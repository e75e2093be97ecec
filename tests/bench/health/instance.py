"""One instance, as a process that can be killed or stopped: `python -P -m bench.health.instance PORT`."""

import asyncio
import sys

import uvloop

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"


class Instance(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: asyncio.Transport = transport  # type: ignore[assignment]
        self._had = b""

    def data_received(self, data: bytes) -> None:
        data = self._had + data
        requests = data.count(b"\r\n\r\n")
        self._had = data.rpartition(b"\r\n\r\n")[2]
        self._transport.write(ANSWER * requests)


async def main(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(Instance, "127.0.0.1", port)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1])))
