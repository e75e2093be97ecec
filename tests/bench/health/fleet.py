"""Instances to probe: one process that answers 200 on many addresses of 127/8, and notes when each was asked last.

    python -P -m bench.health.fleet PORT

Answers `GET /<anything>`; every second it prints one JSON line: how many addresses were asked, probes so far, and the
longest time that one of them has been waiting since it was last asked.
"""

import asyncio
import json
import socket
import sys
import time

import uvloop

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"


class Fleet:
    def __init__(self) -> None:
        self.last: dict[str, float] = {}
        self.probes = 0
        self.longest = 0.0

    def asked(self, address: str) -> None:
        now = time.monotonic()
        before = self.last.get(address)
        if before is not None:
            self.longest = max(self.longest, now - before)
        self.last[address] = now
        self.probes += 1

    def take(self) -> dict[str, float]:
        now = time.monotonic()
        waiting = max((now - at for at in self.last.values()), default=0.0)
        said = {"asked": len(self.last), "probes": self.probes, "longest_s": round(max(self.longest, waiting), 2)}
        self.longest = 0.0
        return said


class Instance(asyncio.Protocol):
    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        self._fleet.asked(self._transport.get_extra_info("sockname")[0])
        self._transport.write(ANSWER)
        self._transport.close()


async def main(port: int) -> None:
    fleet = Fleet()
    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.bind(("0.0.0.0", port))
    listening.listen(4096)
    server = await asyncio.get_running_loop().create_server(lambda: Instance(fleet), sock=listening)
    async with server:
        while True:
            await asyncio.sleep(1)
            print(json.dumps(fleet.take()), flush=True)


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1])))
