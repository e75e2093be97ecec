"""The web app's files as the registry serves them: what is sent, what it is allowed, and whose paths stay whose."""

import base64
import gzip
import hashlib
import re
from pathlib import Path
from typing import Any

import pytest
from integration.registry_kit import running
from yarl import URL

from narthex.testing.rest import Rest

PAGE = """<!doctype html><html><head><meta name="csp-nonce" content="__CSP_NONCE__">
<script nonce="__CSP_NONCE__">window.theme = "dark"</script><script>window.known = true</script>
<script type="module" src="/assets/index-abc123.js"></script></head><body><div id="root"></div></body></html>
"""
SCRIPT = "export const app = 1;\n" * 200
HTML = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


def build(directory: Path) -> str:
    """A build of the web app, and where it is."""
    web = directory / "web"
    (web / "assets").mkdir(parents=True)
    (web / "index.html").write_text(PAGE)
    (web / "favicon.svg").write_text("<svg/>")
    (web / "assets/index-abc123.js").write_text(SCRIPT)
    (web / "assets/index-abc123.js.br").write_bytes(b"packed beforehand")
    (web / "assets/style-def456.css").write_text("a{}" * 1000)
    (directory / "secret.txt").write_text("not yours")
    (web / "assets/linked.txt").symlink_to(directory / "secret.txt")
    return str(web)


async def got(api: Rest, path: str, **headers: str) -> tuple[int, bytes, Any]:
    sent = {"Accept-Encoding": "identity", **{name.replace("_", "-"): value for name, value in headers.items()}}
    async with api.session.get(path, headers=sent, auto_decompress=False) as answer:
        return answer.status, await answer.read(), answer.headers


async def test_the_page_may_run_and_load_only_what_this_origin_serves(tmp_path: Path) -> None:
    async with running(tmp_path, web_dir=build(tmp_path)) as api:
        status, page, headers = await got(api, "/", **HTML)
        assert (status, headers["Content-Type"]) == (200, "text/html; charset=utf-8")
        policy = {part.split()[0]: part.split()[1:] for part in headers["Content-Security-Policy"].split(";")}
        assert policy["default-src"] == policy["base-uri"] == policy["frame-ancestors"] == ["'none'"]
        assert policy["connect-src"] == ["'self'"]
        [nonce] = {each for each in policy["script-src"] if each.startswith("'nonce-")}
        known = base64.b64encode(hashlib.sha256(b"window.known = true").digest()).decode()
        assert policy["script-src"] == ["'self'", nonce, f"'sha256-{known}'"]
        for kind in ("script-src", "style-src"):
            assert not {"'unsafe-inline'", "'unsafe-eval'", "*", "https:", "data:"} & set(policy[kind])
        assert page.decode().count(nonce[len("'nonce-") : -1]) == 2
        assert b"__CSP_NONCE__" not in page
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "same-origin"
        assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
        assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert headers["Cache-Control"] == "no-cache"


async def test_each_page_has_a_nonce_of_its_own(tmp_path: Path) -> None:
    async with running(tmp_path, web_dir=build(tmp_path)) as api:
        policies = {(await got(api, "/", **HTML))[2]["Content-Security-Policy"] for _ in range(5)}
        assert len(policies) == 5


async def test_what_has_its_hash_in_its_name_is_kept_for_ever_and_sent_packed(tmp_path: Path) -> None:
    async with running(tmp_path, web_dir=build(tmp_path)) as api:
        path = "/assets/index-abc123.js"
        _, whole, headers = await got(api, path)
        assert (whole.decode(), headers["Content-Type"]) == (SCRIPT, "text/javascript; charset=utf-8")
        assert headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert headers["Vary"] == "Accept-Encoding"
        _, packed, headers = await got(api, path, Accept_Encoding="gzip, deflate, br")
        assert (packed, headers["Content-Encoding"]) == (b"packed beforehand", "br")
        for accepted in ("gzip", "br;q=0, gzip;q=0.5"):
            _, packed, headers = await got(api, path, Accept_Encoding=accepted)
            assert (gzip.decompress(packed).decode(), headers["Content-Encoding"]) == (SCRIPT, "gzip")
        _, page, headers = await got(api, "/", **HTML, Accept_Encoding="gzip")
        assert (headers["Content-Encoding"], b'id="root"' in gzip.decompress(page)) == ("gzip", True)


async def test_what_may_change_is_asked_for_again_and_not_sent_again(tmp_path: Path) -> None:
    async with running(tmp_path, web_dir=build(tmp_path)) as api:
        status, icon, headers = await got(api, "/favicon.svg")
        assert (status, icon, headers["Cache-Control"]) == (200, b"<svg/>", "no-cache")
        status, nothing, _ = await got(api, "/favicon.svg", If_None_Match=headers["ETag"])
        assert (status, nothing) == (304, b"")


@pytest.mark.parametrize("path", ["/", "/login", "/projects/default/services/web", "/index.html", "/user/settings"])
async def test_the_apps_own_routes_are_its_page(tmp_path: Path, path: str) -> None:
    async with running(tmp_path, web_dir=build(tmp_path)) as api:
        status, page, _ = await got(api, path, **HTML)
        assert (status, b'<div id="root">' in page) == (200, True)


@pytest.mark.parametrize(
    "path",
    ["/v2.1/nothing", "/v2/nothing", "/v2.1/projects/default/nothing", "/v2.1", "/assets/gone-1.js"],
)
async def test_what_the_api_does_not_have_is_said_by_the_api(tmp_path: Path, path: str) -> None:
    async with running(tmp_path, web_dir=build(tmp_path)) as api:
        status, said, headers = await got(api, path, **HTML)
        assert (status, headers["Content-Type"]) == (404, "application/json; charset=utf-8")
        assert b"there is nothing at" in said


async def test_the_apis_paths_and_methods_stay_its_own(tmp_path: Path) -> None:
    async with running(tmp_path, web_dir=build(tmp_path)) as api:
        for path, kind in (("/status", "json"), ("/openapi.json", "json"), ("/docs", "html"), ("/user", "json")):
            status, page, headers = await got(api, path, **HTML)
            assert (status, kind in headers["Content-Type"], b'id="root"' in page) == (200, True, False), path
        assert (await api.call("GET", "/authorize", headers=HTML))[0] == 405
        assert (await api.call("POST", "/projects", {}))[0] == 404
        assert (await api.call("DELETE", "/assets/index-abc123.js"))[0] == 404
        assert (await api.call("GET", "/projects/default"))[0] == 404  # a program, which takes no page


@pytest.mark.parametrize(
    "path",
    ["/../secret.txt", "/assets/../../secret.txt", "/%2e%2e/secret.txt", "/assets/%2e%2e%2f%2e%2e%2fsecret.txt",
     "/assets/linked.txt", "//secret.txt", "/assets/..%5c..%5csecret.txt", "/index.html%00.js"],
)  # fmt: skip
async def test_no_path_leads_out_of_the_build(tmp_path: Path, path: str) -> None:
    async with running(tmp_path, web_dir=build(tmp_path)) as api:
        url = f"{str(api.session._base_url).removesuffix('/')}{path}"
        async with api.session.get(URL(url, encoded=True)) as answer:
            assert b"not yours" not in await answer.read()


async def test_the_app_is_not_on_a_services_host(tmp_path: Path) -> None:
    async with running(tmp_path, web_dir=build(tmp_path)) as api:
        host = "0197b3f0-0000-7000-8000-000000000001.services.example.test"
        for name in (host, f"{host}:8000", f"{host.upper()}.", f"x.{host}"):
            for path in ("/", "/login", "/assets/index-abc123.js"):
                assert (await got(api, path, **HTML, Host=name))[0] == 404


async def test_without_a_build_there_is_a_page_that_says_so_and_the_api_works(tmp_path: Path) -> None:
    async with running(tmp_path, web_dir=str(tmp_path / "nothing")) as api:
        status, page, headers = await got(api, "/", **HTML)
        assert (status, b"make web" in page) == (503, True)
        assert headers["Content-Security-Policy"].startswith("default-src 'none'")
        assert (await api.get("/status"))[0] == 200


async def test_another_build_is_served_without_a_restart(tmp_path: Path) -> None:
    where = Path(build(tmp_path))
    async with running(tmp_path, web_dir=str(where)) as api:
        assert b"theme" in (await got(api, "/", **HTML))[1]
        (where / "assets/next-1.js").write_text("next")
        (where / "index.html").write_text("<!doctype html><title>next</title>")
        assert re.search(b"<title>next", (await got(api, "/", **HTML))[1])
        assert (await got(api, "/assets/next-1.js"))[1] == b"next"
