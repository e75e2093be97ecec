"""An installation that is lost comes back from its backup: the same services, tokens, certificates and requests."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from e2e.conftest import APPS, Caller

from narthex.runtime.backup.archive import check
from narthex.testing.system import System, start_system
from narthex.testing.waiting import until

COMMAND = ["python", "-m", "waitress", "--host={host}", "--port={port}", "flask_app:app"]


@pytest.fixture
def systems() -> Iterator[list[System]]:
    started: list[System] = []
    yield started
    for system in started:
        system.stop(signal.SIGKILL)


@pytest.mark.timeout(180)  # two whole systems; 20 s on a quiet machine
async def test_a_restored_installation_is_the_one_that_was_lost(tmp_path: Path, systems: list[System]) -> None:
    lost = start_system(tmp_path / "lost")
    systems.append(lost)
    run, host = lost.run("kept", "--port", "9040", "--", *COMMAND, cwd=APPS)
    caller = Caller(lost, host)
    request_id = caller.get("/").headers["x-request-id"]
    caller.http.close()
    await until(lambda: request_id in lost.cli("requests", "list", "kept", "--json").stdout)
    running, stopped = tmp_path / "running.tar", tmp_path / "stopped.tar"
    taken = lost.cli("backup", str(running), "--data-dir", str(lost.data_dir)).stdout
    assert "not in it: the request log; audit is running" in taken
    before = (lost.token, lost.root_pem.read_text(), lost.json("services", "list")[0]["id"])
    serial = lost.json("certs", "list")[0]["certificate"]["serial"]
    run.stop()
    lost.stop()
    taken = lost.cli("backup", str(stopped), "--data-dir", str(lost.data_dir)).stdout
    assert "not in it" not in taken
    assert {name for name in check(stopped).files if not name.startswith("audit/")} == set(check(running).files)

    home = tmp_path / "restored"
    lost.cli("restore", str(stopped), "--data-dir", str(home))
    again = start_system(home)
    systems.append(again)
    assert (again.token, again.root_pem.read_text(), again.json("services", "list")[0]["id"]) == before
    assert again.json("certs", "list")[0]["certificate"]["serial"] == serial
    assert request_id in again.cli("requests", "list", "kept", "--json").stdout
    _, host = again.run("kept", "--port", "9040", "--", *COMMAND, cwd=APPS)
    caller = Caller(again, host)
    assert caller.get("/").status_code == 200
    caller.http.close()
