"""A protected service with doors, in the test's process, and who comes to them."""

import json
import re
import time
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from integration.router_kit import TOKEN_KEY, Client, Router, entry, router, service_entries

from narthex.contracts.digest import token_digest
from narthex.contracts.passes import Pass, PassKind, sign
from narthex.routing import Entry, Kind
from narthex.testing.backend import Backend, answer, backend
from narthex_router.doors.keys import KeySets
from narthex_router.doors.policy import networks

HELLO = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nAccess-Control-Allow-Origin: *\r\n\r\nhello"
HOST = "svc.services.test"
PASS_KEY = bytes(range(32))
PAGE = "https://login.test/sign-in"
BROWSER = "Accept: text/html,*/*;q=0.8\r\nSec-Fetch-Mode: navigate\r\n"
PEOPLE = [
    entry(Kind.TOKEN, "t", subject_id="ann", digest=token_digest(TOKEN_KEY, b"good").hex()),
    entry(Kind.ACCESS, "ann", name="ann@example.test", services=["svc"]),
    entry(Kind.ACCESS, "bob", name="bob@example.test"),
]


@asynccontextmanager
async def protected(*more: Entry, script: Any = None, **doors: Any) -> AsyncIterator[tuple[Router, Backend]]:
    """A protected service with these doors, and its instance."""
    async with backend(script or answer(HELLO)) as instance:
        entries = [*service_entries([instance.port], public=False, doors=doors or None), *PEOPLE, *more]
        async with router(entries) as under_test:
            porter = under_test.plane.porter
            porter.pass_key, porter.sign_in_url = PASS_KEY, PAGE
            porter._keys = KeySets(under_test.plane.tasks, networks(("127.0.0.0/8",)))
            yield under_test, instance


async def ask(
    client: Client, fields: str = "", *, method: str = "GET", target: str = "/a", host: str = HOST
) -> tuple[int, bytes, bytes]:
    await client.send(f"{method} {target} HTTP/1.1\r\nHost: {host}\r\n{fields}\r\n".encode())
    return await client.answer()


def code(body: bytes) -> str:
    return str(json.loads(body)["code"])


def field(head: bytes, name: str) -> str:
    found = re.search(rb"(?i)\r\n%b: ([^\r]*)" % name.encode(), head)
    return found[1].decode() if found else ""


def cookie(head: bytes, name: str) -> str:
    found = re.search(rb"\r\nset-cookie: (%b=[^;]*)" % name.encode(), head)
    return found[1].decode() if found else ""


def passing(kind: PassKind = PassKind.SESSION, **said: Any) -> str:
    fields = {"service_id": "svc", "expires": int(time.time()) + 600, "issued_ms": int(time.time() * 1000), **said}
    return sign(PASS_KEY, Pass(kind, **fields))


def session(**said: Any) -> str:
    return f"Cookie: a=b; __Host-narthex={passing(**{'subject_id': 'ann', **said})}; c=d\r\n"


def basic(text: str) -> str:
    return f"Authorization: Basic {b64encode(text.encode()).decode()}\r\n"
