"""What a tenant writes through the API (THREATS T75-T85, T95): where it could lead, and what is taken of it."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from integration.registry_kit import SERVICE, P, running
from unit.router.test_recording import logs, settings

from narthex.contracts.api.versions import parse_health_path
from narthex.contracts.errors import Invalid
from narthex.contracts.names import parse_email, parse_instance_address
from narthex.contracts.reach import Reach
from narthex.testing.rest import Rest
from narthex_registry.outbound import allowed, check_url
from narthex_registry.single_sign_on import SignInFailed, verified_email


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[Rest]:
    async with running(tmp_path) as there:
        await there.made(f"{P}/deployments", {"name": "hello"})
        await there.made(f"{P}/deployments/hello/versions", {"version": "v1"})
        yield there


@pytest.mark.parametrize(
    "path",
    [
        "", "health", "//evil.test/", "http://evil.test/", "@evil.test", "/a b", "/a\r\nX: y", "/a\nX: y",
        "/\r\nSET x y",
        "/a#b", "/\x00", "/\u00e9", "/" + "a" * 1024, "/\t", "\\evil", " /a", "/a\u2028b",
    ],
)  # fmt: skip
def test_a_path_of_a_health_check_is_a_path_and_nothing_else(path: str) -> None:
    with pytest.raises(ValueError, match="must"):
        parse_health_path(path)


@pytest.mark.parametrize(
    "address",
    [
        "", "http://a.test", "unix:///run/docker.sock", "a.test:80", "a.test/", "user@a.test", "127.1", "2130706433",
        "0177.0.0.1", "a b", "a\r\nb", "a\x00b", "fe80::1%eth0/x", "[::1]", "127.0.0.1:22", "*", "_", "a..b",
        "\u212a.test",
        "1.2.3.4.5", "..", "0x7f.0x0.0x0.0x1 ",
    ],
)  # fmt: skip
def test_an_address_of_an_instance_is_an_ip_address_or_a_name(address: str) -> None:
    with pytest.raises(ValueError, match="must be"):
        parse_instance_address(address)


@pytest.mark.parametrize(
    "address",
    [
        "169.254.169.254", "::ffff:169.254.169.254", "fe80::1", "fe80::1%eth0", "fd00:ec2::254", "0.0.0.0",
        "::", "224.0.0.1", "ff02::1",
        "255.255.255.255", "100.100.100.200", "168.63.129.16", "2002:a9fe:a9fe::1", "64:ff9b::a9fe:a9fe",
    ],
)  # fmt: skip
def test_an_address_that_only_insiders_reach_is_not_connected_to(address: str) -> None:
    assert Reach().refusal(address, 80) != ""


@pytest.mark.parametrize("address", ["64:ff9b::a9fe:a9fe", "64:ff9b::a00:1", "::ffff:10.0.0.1", "2002:a00:1::"])
def test_no_webhook_goes_through_a_gateway_into_the_network(address: str) -> None:
    assert not allowed(address, ())
    with pytest.raises(Invalid, match="not on the public Internet"):
        check_url(f"http://[{address}]/", ())


FIELDS_OF_OTHERS: tuple[dict[str, Any], ...] = (
    {"id": "00000000-0000-0000-0000-000000000000"}, {"project_id": "x"}, {"owner_id": "x"}, {"is_admin": True},
    {"revision": 99}, {"sequence": 1}, {"organization_id": "x"}, {"creation_date": "2020-01-01T00:00:00Z"},
)  # fmt: skip


async def test_nobody_writes_a_field_that_is_not_theirs(api: Rest) -> None:
    status, made = await api.post(f"{P}/services", SERVICE)
    assert status == 201, made
    for more in FIELDS_OF_OTHERS:
        await api.patch(f"{P}/services/web", more)
        await api.post(f"{P}/services", SERVICE | {"name": "second"} | more)
        _, shown = await api.get(f"{P}/services/web")
        for name, value in more.items():
            assert shown.get(name) == made.get(name), (name, value)
        _, second = await api.get(f"{P}/services/second")
        assert all(second.get(name) != value for name, value in more.items())
        await api.delete(f"{P}/services/second")


@pytest.mark.parametrize(
    "path", ["/metrics", "/healthz", "/readyz", "/debug/pprof/", "/debug", "/admin", "/.env", "/console", "/_debug"]
)
async def test_the_public_port_of_the_api_has_no_operations_endpoints(api: Rest, path: str) -> None:
    for host in ("127.0.0.1", "localhost", "admin"):
        async with api.session.get(path, headers={"Host": host, "Accept": "text/plain"}) as response:
            text = await response.text()
        assert "# HELP" not in text
        assert "Traceback" not in text
        assert response.status in (200, 404)  # 200: the web app's own page
        assert response.status == 404 or "text/html" in response.headers["Content-Type"]


@pytest.mark.parametrize(
    "email", ["\u212aing@people.test", "ada@people.te\u017ft", "ada@people.test\u2028", "a\x00@b", "a@b@c", "@", "a"]
)
def test_an_address_that_only_looks_like_somebodys_is_nobodys(email: str) -> None:
    with pytest.raises(ValueError, match="must be an e-mail address"):
        parse_email(email)
    with pytest.raises(SignInFailed, match="names an e-mail address that must be"):
        verified_email({"email": email, "email_verified": True})


SAME_PATH = [
    b"/private/a", b"/%70rivate/a", b"/%2570rivate/a", b"//private/a", b"/./private/a", b"/x/../private/a",
    b"/x/%2e%2e/private/a", b"/private;v=1/a", b"/private//a", b"/private/a/", b"/%2Fprivate/a", b"/private%2fa",
    b"\\private\\a", b"/private/./a", b"/private/a;jsessionid=1", b"/PRIVATE/../private/a",
]  # fmt: skip


@pytest.mark.parametrize("path", SAME_PATH)
def test_no_spelling_of_an_excluded_path_gets_into_the_log(path: bytes) -> None:
    assert not logs(settings(excluded_paths="^/private/a$"), path)
    assert logs(settings(excluded_paths="^/other$"), path)


@pytest.mark.parametrize(
    "path", [b"/privatea", b"/x/private/a", b"/private/a/b", b"/private/../a", b"/%", b"/%zz", b"/%ff"]
)
def test_another_path_is_not_excluded_with_it(path: bytes) -> None:
    assert logs(settings(excluded_paths="^/private/a$"), path)
