"""What all pages are looked at with: a deployment and a service in use, and the same once more as somebody would write
it who wants their text to be run."""

import http.client
import socket
import ssl
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Any

import httpx2

from narthex.testing.system import System
from narthex.testing.waiting import eventually_sync

MARK = "ran-here"  # the name of what would be set
HOSTILE = f"<img src=x onerror=window['{MARK}']=1><script>window['{MARK}']=1</script>\"'><a href=javascript:alert(1)>"
NONE: Mapping[str, str] = MappingProxyType({})
PATH = f"/<img/src=x/onerror=window['{MARK}']=1>"
# Whether anything of it became more than text.
RAN = f"""() => [...document.querySelectorAll("img[src='x'], [onerror], a[href^='javascript:' i]")]
  .map(e => e.outerHTML).concat('{MARK}' in window ? ['it ran'] : [])"""


@dataclass(frozen=True)
class Stored:
    """The names to be filled into the pages' paths."""

    plain: dict[str, str]
    hostile: dict[str, str]


def store(system: System) -> Stored:
    """Make it all; `hello` is there."""
    base_url = f"{system.api_url}/v2.1/projects/default"
    with httpx2.Client(base_url=base_url, headers={"Authorization": f"Token {system.token}"}, timeout=30) as api:
        version = _get(api, "/deployments/hello")["default_version"]
        _patch(api, f"/deployments/hello/versions/{version}", {"request_retention_mode": "full"})
        _hostile(api)
        plain, hostile = _get(api, "/services/hello"), _get(api, "/services/hostile")
        for service in (plain, hostile):
            assert eventually_sync(partial(_answers, system, service["id"]))
        _call(system, plain["id"], "/", {"User-Agent": "a program/1.0"}, '{"question": "how much is six by seven?"}')
        _call(system, hostile["id"], PATH, {"User-Agent": HOSTILE, "X-Note": HOSTILE}, HOSTILE)
        common = {"project": "default", "version": version, "webhook": "hostile", "role": "hostile"}
        return Stored(
            plain=common | {"service": "hello", "deployment": "hello", "request": _request(api, "hello", "/")},
            hostile=common
            | {"service": "hostile", "deployment": "hostile", "version": "v1"}
            | {"request": _request(api, "hostile", PATH)},
        )


def _hostile(api: httpx2.Client) -> None:
    words: dict[str, Any] = {"description": HOSTILE, "labels": {HOSTILE: HOSTILE}}
    _post(api, "/deployments", {"name": "hostile", **words})
    _post(api, "/deployments/hostile/versions", {"version": "v1", **words})
    _post(api, "/services", {"name": "hostile", "deployment": "hello", "port": 9300, **words})
    _patch(api, "/services/hostile", {"request_logging_excluded_paths": "^/none<b>"})  # before and after
    _post(api, "/environment-variables", {"name": "HOSTILE", "value": HOSTILE})
    _post(api, "/deployments/hostile/environment-variables", {"name": "HOSTILE", "value": HOSTILE})
    _post(api, "/service-users", {"name": HOSTILE, "description": HOSTILE})
    _post(api, "/roles", {"name": "hostile", "permissions": ["services.list"]})
    on = {"object_type": "deployment", "object_name": "*", "event": "deployment_request_failed"}
    headers = [{"key": "X-Note", "value": HOSTILE}]
    where = {"name": "hostile", "url": f"https://example.test{PATH}", "headers": headers}
    _post(api, "/webhooks", where | on | words)


def _call(system: System, service: str, path: str, headers: Mapping[str, str] = NONE, body: str = "") -> int:
    """A request as no well-behaved program writes it, with the path as it is; returns the status."""
    host = f"{service}.services.localhost"
    trust = ssl.create_default_context(cafile=str(system.root_pem))
    sent = {"Host": f"{host}:{system.https_port}", "Authorization": f"Token {system.token}", **headers}
    with closing(http.client.HTTPConnection(host)) as connection:
        raw = socket.create_connection(("127.0.0.1", system.https_port), timeout=20)
        connection.sock = trust.wrap_socket(raw, server_hostname=host)
        connection.request("GET", path, body=body, headers=sent)
        return connection.getresponse().status


def _answers(system: System, service: str) -> bool:
    return _call(system, service, "/") == 200


def _request(api: httpx2.Client, service: str, path: str) -> str:
    """The id of the service's request for a path, once it is stored."""
    found: list[str] = []

    def stored() -> bool:
        records = _get(api, f"/services/{service}/requests")["results"]
        found[:] = [record["id"] for record in records if record["path"] == path and record["request_bytes"]]
        return bool(found)

    assert eventually_sync(stored)
    return found[0]


def _get(api: httpx2.Client, path: str) -> Any:
    return _read(api.get(path))


def _post(api: httpx2.Client, path: str, body: dict[str, Any]) -> Any:
    return _read(api.post(path, json=body))


def _patch(api: httpx2.Client, path: str, body: dict[str, Any]) -> Any:
    return _read(api.patch(path, json=body))


def _read(answer: httpx2.Response) -> Any:
    assert answer.is_success, f"{answer.request.url}: {answer.text}"
    return answer.json()
