"""A provider of single sign-on that browsers are sent to, in a thread: these tests hold the main one's loop."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from integration.oidc_issuer import CLIENT, SECRET, Issuer, issuing

NAME = "Acme"


@contextmanager
def provider() -> Iterator[Issuer]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    issuers = issuing()
    try:
        yield asyncio.run_coroutine_threadsafe(issuers.__aenter__(), loop).result(10)
    finally:
        asyncio.run_coroutine_threadsafe(issuers.__aexit__(None, None, None), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def as_settings(issuer: Issuer) -> dict[str, str]:
    """How a registry is told of it."""
    told = {"ISSUER": issuer.url, "CLIENT_ID": CLIENT, "CLIENT_SECRET": SECRET, "NAME": NAME, "CREATE_PEOPLE": "true"}
    return {f"NARTHEX_SINGLE_SIGN_ON_{name}": value for name, value in told.items()}
