"""An installation that is lost comes back from its backup: the same services, tokens, certificates and requests."""

from pathlib import Path

import pytest
from e2e.kept import identity, logged, serve, served

from narthex.runtime.backup.archive import check
from narthex.testing.system import System, start_system


@pytest.mark.timeout(180)  # two whole systems; 20 s on a quiet machine
async def test_a_restored_installation_is_the_one_that_was_lost(tmp_path: Path, systems: list[System]) -> None:
    lost = start_system(tmp_path / "lost")
    systems.append(lost)
    run, request_id = await served(lost)
    running, stopped = tmp_path / "running.tar", tmp_path / "stopped.tar"
    taken = lost.cli("backup", str(running), "--data-dir", str(lost.data_dir)).stdout
    assert "not in it: the request log; audit is running" in taken
    before = identity(lost)
    run.stop()
    lost.stop()
    taken = lost.cli("backup", str(stopped), "--data-dir", str(lost.data_dir)).stdout
    assert "not in it" not in taken
    assert {name for name in check(stopped).files if not name.startswith("audit/")} == set(check(running).files)

    home = tmp_path / "restored"
    lost.cli("restore", str(stopped), "--data-dir", str(home))
    again = start_system(home)
    systems.append(again)
    assert identity(again) == before
    assert logged(again, request_id)
    serve(again)
