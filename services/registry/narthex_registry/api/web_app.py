"""The web app: a build's files, held in memory and found by their exact paths, so that no path can lead elsewhere.

What the API has stays the API's: only what no route knows is looked for here, and never below the API's prefixes. A
navigation to any other path gets index.html, since the app has routes of its own. What is under `/assets/` has its
content's hash in its name and is kept by browsers for ever; everything else is asked for again.
"""

import asyncio
import base64
import gzip
import hashlib
import logging
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from narthex_registry.api import origin
from narthex_registry.api.state import state

log = logging.getLogger(__name__)

BUILT = "web_dist"  # in this package; made by the build of services/registry/web
INDEX = "index.html"
NONCE = b"__CSP_NONCE__"  # in index.html; another one in each answer
HASHED = "assets/"
FOR_EVER = "public, max-age=31536000, immutable"
WORTH_PACKING = 1024  # bytes; below, the headers weigh as much
_OF_THE_API = ("/v2/", "/v2.1/", "/assets/")
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".map": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
}
_PACKED = {".br": "br", ".gz": "gzip"}
_ALREADY_SMALL = frozenset({".png", ".woff2", ".ico"})
_INLINE_SCRIPT = re.compile(rb"<script(?![^>]*\ssrc=)[^>]*>(.*?)</script>", re.DOTALL | re.IGNORECASE)
_MISSING = b"""<!doctype html><html lang="en"><meta charset="utf-8"><title>Narthex</title>
<h1>The web app is not here</h1>
<p>This registry runs without a build of it. In a checkout, <code>make web</code> makes one; a wheel or image of Narthex
brings it along. The API is there all the same: <a href="/docs">its description</a>.</p></html>
"""


@dataclass(frozen=True)
class File:
    """A file of the build in each form that it can be sent in."""

    kind: str  # media type
    tag: str
    cached: str
    forms: Mapping[str, bytes]  # content coding -> bytes; `identity` is always there

    def best(self, accepted: str) -> tuple[str, bytes]:
        """The smallest form that a browser takes."""
        taken = codings(accepted)
        coding = next((each for each in ("br", "gzip") if each in taken and each in self.forms), "identity")
        return coding, self.forms[coding]


class WebApp:
    """A build in memory; read when it is first asked for, and again when its index.html is another."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._files: dict[str, File] = {}
        self._read_at = 0  # of index.html: when it was written, in ns
        self._reading = asyncio.Lock()

    async def find(self, path: str) -> File | None:
        """The file at a path below the directory."""
        if not self._files or path == INDEX:
            await self._refresh()
        return self._files.get(path)

    async def _refresh(self) -> None:
        async with self._reading:
            written = await asyncio.to_thread(_written, self._directory / INDEX)
            if written != self._read_at:
                self._files = await asyncio.to_thread(read_build, self._directory) if written else {}
                self._read_at = written


def opened(directory: str) -> WebApp:
    """The build in a directory, or the one that belongs to this package."""
    return WebApp(Path(directory) if directory else Path(str(resources.files("narthex_registry").joinpath(BUILT))))


def layer(app: WebApp) -> Middleware:
    """Looks in the build for what no route knows."""

    @web.middleware
    async def pages(request: web.Request, handler: Handler) -> web.StreamResponse:
        if not isinstance(request.match_info.http_exception, web.HTTPNotFound):
            return await handler(request)
        answer = await _answer(app, request)
        return answer if answer is not None else await handler(request)

    return pages


async def _answer(app: WebApp, request: web.Request) -> web.Response | None:
    path = request.path
    if request.method not in {"GET", "HEAD"} or origin.of_a_service(request.host, state(request).domain):
        return None
    name = path.removeprefix("/")
    if name and name != INDEX and (file := await app.find(name)) is not None:
        return sent(file, request.headers)
    if path != "/" and not _is_navigation(request):
        return None
    index = await app.find(INDEX)
    return _page(index, request.headers) if index is not None else _missing()


def _is_navigation(request: web.Request) -> bool:
    """Whether a browser opens a page that only the app itself may know."""
    return not f"{request.path}/".startswith(_OF_THE_API) and "text/html" in request.headers.get("Accept", "")


def sent(file: File, asked: Mapping[str, str]) -> web.Response:
    """A file as a browser takes it."""
    headers = {"Content-Type": file.kind, "Cache-Control": file.cached, "ETag": file.tag, "Vary": "Accept-Encoding"}
    if file.tag in asked.get("If-None-Match", ""):
        return web.Response(status=304, headers=headers)
    coding, content = file.best(asked.get("Accept-Encoding", ""))
    if coding != "identity":
        headers["Content-Encoding"] = coding
    return web.Response(body=content, headers=headers)


def _page(index: File, asked: Mapping[str, str]) -> web.Response:
    """index.html with a nonce of its own."""
    nonce = secrets.token_urlsafe(16)
    whole = index.forms["identity"]
    headers = {
        "Content-Type": index.kind,
        "Cache-Control": "no-cache",
        "Vary": "Accept-Encoding",
        "Content-Security-Policy": policy(nonce, inline_scripts(whole)),
        "Cross-Origin-Opener-Policy": "same-origin",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    }
    content = whole.replace(NONCE, nonce.encode())
    if "gzip" in codings(asked.get("Accept-Encoding", "")):
        headers["Content-Encoding"] = "gzip"
        content = gzip.compress(content, 6, mtime=0)
    return web.Response(body=content, headers=headers)


def _missing() -> web.Response:
    headers = {"Cache-Control": "no-store", "Retry-After": "60"}
    return web.Response(body=_MISSING, status=503, content_type="text/html", charset="utf-8", headers=headers)


def policy(nonce: str, scripts: tuple[str, ...] = ()) -> str:
    """What the app's page may load and run: what this origin serves, and inline what has the nonce or a known hash."""
    hashes = "".join(f" '{each}'" for each in scripts)
    return (
        f"default-src 'none'; script-src 'self' 'nonce-{nonce}'{hashes}; style-src 'self' 'nonce-{nonce}'; "
        "img-src 'self' data:; font-src 'self'; connect-src 'self'; manifest-src 'self'; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    )


def inline_scripts(page: bytes) -> tuple[str, ...]:
    """The hashes of scripts that stand in a page, as its policy names them; those with a nonce need none."""
    return tuple(
        f"sha256-{base64.b64encode(hashlib.sha256(found[1]).digest()).decode()}"
        for found in _INLINE_SCRIPT.finditer(page)
        if NONCE not in found[0]
    )


def codings(accepted: str) -> frozenset[str]:
    """The content codings of an Accept-Encoding header that are not refused with q=0."""
    found = set()
    for part in accepted.lower().split(","):
        name, _, weight = part.partition(";")
        if not re.fullmatch(r"\s*q\s*=\s*0(\.0*)?\s*", weight):
            found.add(name.strip())
    return frozenset(found)


def read_build(directory: Path) -> dict[str, File]:
    """All files of a build by their paths; those that it has packed beforehand belong to the one they are made of."""
    contents = {
        path.relative_to(directory).as_posix(): path.read_bytes()
        for path in sorted(directory.rglob("*"))
        if path.is_file() and not path.is_symlink()
    }
    return {
        name: _file(name, content, contents)
        for name, content in contents.items()
        if not (Path(name).suffix in _PACKED and name.rpartition(".")[0] in contents)
    }


def _file(name: str, content: bytes, contents: Mapping[str, bytes]) -> File:
    suffix = Path(name).suffix
    forms = {coding: contents[name + end] for end, coding in _PACKED.items() if name + end in contents}
    if not forms.get("gzip") and name != INDEX and suffix not in _ALREADY_SMALL and len(content) >= WORTH_PACKING:
        forms["gzip"] = gzip.compress(content, 9, mtime=0)
    return File(
        kind=_TYPES.get(suffix, "application/octet-stream"),
        tag=f'"{hashlib.sha256(content).hexdigest()[:32]}"',
        cached=FOR_EVER if name.startswith(HASHED) else "no-cache",
        forms={"identity": content, **forms},
    )


def _written(path: Path) -> int:
    """When a file was written; 0 when it is not there."""
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0
