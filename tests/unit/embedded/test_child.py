"""A tethered child does not outlive its parent."""

import os
import select
import subprocess
import sys

import pytest

from narthex.runtime.child import die_with_parent

PARENT = """
import subprocess, sys, time
from narthex.runtime.child import die_with_parent
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], preexec_fn=die_with_parent())
print(child.pid, flush=True)
time.sleep(60)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the tether is Linux's")
def test_a_child_dies_when_its_parent_is_killed() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PARENT], stdout=subprocess.PIPE, preexec_fn=die_with_parent()
    ) as parent:
        assert parent.stdout is not None
        child = os.pidfd_open(int(parent.stdout.readline()))
        parent.kill()

        ended, _, _ = select.select([child], [], [], 10)
        os.close(child)
    assert ended


@pytest.mark.skipif(sys.platform != "linux", reason="the tether is Linux's")
def test_a_child_whose_parent_is_gone_already_ends_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getpid", lambda: 2**22 + 1)  # as if the tether came from a process that is gone
    tether = die_with_parent()
    monkeypatch.undo()

    # The tether ends the child before it becomes the program.
    with pytest.raises(subprocess.SubprocessError):
        subprocess.run([sys.executable, "-c", ""], preexec_fn=lambda: (tether(), os._exit(0)), check=True)
