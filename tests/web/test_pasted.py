"""What pages offer to be pasted into a shell: whatever callers have sent, it is one command and no other."""

import http.client
import os
import socket
import ssl
import subprocess
from collections.abc import Mapping
from contextlib import closing
from functools import partial
from pathlib import Path

import httpx2
import pytest
from playwright.sync_api import Page, expect

from narthex.testing.system import System
from narthex.testing.waiting import eventually_sync
from web.stored import Stored

# A method is any token of HTTP, and a token may have these; `env` shows what the shell of who pastes it has.
METHODS = ["X&env&X", "X|env&X", "`env`", "$HOME", "-o", "X'env'", "PURGE"]


@pytest.mark.parametrize("method", METHODS)
def test_a_method_is_a_word_of_the_command_and_never_a_command(
    app: Page, system: System, stored: Stored, api: httpx2.Client, tmp_path: Path, method: str
) -> None:
    service = api.get("/services/hello").json()["id"]
    path = f"/asked-{METHODS.index(method)}"
    _call(system, service, method, path)
    id = eventually_sync(partial(_stored, api, path))
    app.goto(f"/projects/default/services/hello/requests/{id}")
    shown = app.get_by_role("region", name="curl, to be pasted")
    expect(shown).to_contain_text("curl -X")
    spy = tmp_path / "curl"
    spy.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    spy.chmod(0o755)
    environment: Mapping[str, str] = os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}", "NARTHEX_TOKEN": "mine"}
    done = subprocess.run(
        ["bash", "-c", shown.inner_text()], env=environment, capture_output=True, text=True, timeout=60
    )
    assert done.stderr == ""
    assert done.stdout.splitlines()[:2] == ["-X", method]
    assert done.stdout.splitlines()[-1].endswith(path)


def _call(system: System, service: str, method: str, path: str) -> None:
    host = f"{service}.services.localhost"
    trust = ssl.create_default_context(cafile=str(system.root_pem))
    sent = {"Host": f"{host}:{system.https_port}", "Authorization": f"Token {system.token}"}
    with closing(http.client.HTTPConnection(host)) as connection:
        raw = socket.create_connection(("127.0.0.1", system.https_port), timeout=20)
        connection.sock = trust.wrap_socket(raw, server_hostname=host)
        connection.request(method, path, headers=sent)
        connection.getresponse().read()


def _stored(api: httpx2.Client, path: str) -> str:
    records = api.get("/services/hello/requests", params={"path": f"^{path}$"}).json()["results"]
    return next((record["id"] for record in records), "")
