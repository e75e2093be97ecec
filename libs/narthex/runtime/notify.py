"""Word to the service manager, as systemd understands it (sd_notify(3), `Type=notify`); no-op under any other."""

import asyncio
import os
import socket
from collections.abc import Mapping

from narthex.runtime.admin import Check

LOOK_S = 0.2


def tell_manager(state: str) -> None:
    """Send `READY=1`, `STOPPING=1` or the like, where somebody listens."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as to:
        try:
            to.sendto(state.encode(), "\0" + address[1:] if address.startswith("@") else address)
        except OSError:
            pass  # the manager's loss: the part runs all the same


async def tell_ready(checks: Mapping[str, Check]) -> None:
    """Say READY=1 as soon as no check has a reason left."""
    while any(check() for check in checks.values()):  # noqa: ASYNC110 - checks signal nobody
        await asyncio.sleep(LOOK_S)
    tell_manager("READY=1")
