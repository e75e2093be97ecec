"""Fills a system: services by the API, requests by asking one of them."""

import asyncio
import ssl
import sys
from concurrent.futures import ThreadPoolExecutor

import httpx2

from narthex.testing.system import System
from narthex.testing.waiting import eventually_sync

SETTINGS = {"NARTHEX_API_REQUESTS_PER_MINUTE": "10000000"}
AT_ONCE = 4
ECHO = """
import asyncio, sys
async def answer(reader, writer):
    try:
        while await reader.readuntil(b"\\r\\n\\r\\n"):
            writer.write(b"HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nok")
    except asyncio.IncompleteReadError:
        writer.close()
async def main():
    async with await asyncio.start_server(answer, sys.argv[1], int(sys.argv[2])) as server:
        await server.serve_forever()
asyncio.run(main())
"""


def services(system: System, count: int) -> None:
    """That many, all on the deployment of one instance."""
    program = system.data_dir / "echo.py"
    program.write_text(ECHO)
    system.run("busy", "--port", "9300", "--", sys.executable, str(program), "{host}", "{port}")

    def some(first: int) -> None:
        with httpx2.Client(base_url=system.api_url, headers={"Authorization": f"Token {system.token}"}) as api:
            for number in range(first, count, AT_ONCE):
                body = {"name": f"service-{number:05}", "deployment": "busy", "port": 9300}
                labels = {"team": f"t{number % 10}"}
                api.post("/v2.1/projects/default/services", json=body | {"labels": labels}).raise_for_status()

    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(some, range(AT_ONCE)))


def requests(system: System, count: int) -> None:
    """That many to `busy`, until the log has the last of them."""
    asyncio.run(_ask(system, count))
    with httpx2.Client(base_url=system.api_url, headers={"Authorization": f"Token {system.token}"}) as api:
        last = {"path": f"^/things/{count - 1}$"}
        path = "/v2.1/projects/default/services/busy/requests"
        assert eventually_sync(lambda: api.get(path, params=last).json().get("results"), within_s=120)


async def _ask(system: System, count: int) -> None:
    host = f"{system.json('services', 'get', 'busy')['id']}.services.localhost"
    trust = ssl.create_default_context(cafile=str(system.root_pem))
    trust.set_alpn_protocols(["http/1.1"])

    async def some(first: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", system.https_port, ssl=trust, server_hostname=host)
        for number in range(first, count, 4 * AT_ONCE):
            writer.write(
                f"GET /things/{number} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Token {system.token}\r\n"
                "User-Agent: bench/1.0\r\n\r\n".encode()
            )
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200"), head
            await reader.readexactly(2)
        writer.close()

    await asyncio.gather(*(some(first) for first in range(4 * AT_ONCE)))
