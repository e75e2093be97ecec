"""SIGTERM, as Kubernetes and Compose send it: not ready first, and gone only when nobody is sent here any more."""

import signal
from pathlib import Path

from integration.router_kit import service_entries
from integration.router_process import REQUEST, get, site

from narthex.testing.backend import answer, backend
from narthex.testing.waiting import eventually

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"


async def test_a_router_that_is_to_stop_says_so_and_serves_on_until_others_have_noticed(tmp_path: Path) -> None:
    async with backend(answer(OK)) as instance, site(tmp_path, service_entries([instance.port])) as here:
        router = await here.start(stop_delay_s=60)  # longer than this test
        router.tell(signal.SIGTERM)

        async def unready() -> bool:
            status, body = await get(here.admin_port, "/readyz")
            return status == 503 and b"it was told to stop" in body

        await eventually(unready)
        assert (await get(here.admin_port, "/healthz"))[0] == 200  # whoever kills what is not alive lets it finish
        reader, writer = await here.connect(secure=True)
        writer.write(REQUEST)
        assert b" 200 " in await reader.readuntil(b"hello")
        writer.close()
        assert router.process.poll() is None
