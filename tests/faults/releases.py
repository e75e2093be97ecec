"""An earlier release of ours, from the history: its parts run beside those of this tree, on the same servers.

Which one says NARTHEX_TEST_RELEASE; else it is the commit before the last one. Both run in the same Python environment:
what differs is our own code.
"""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from narthex.testing.processes import Process

ROOT = Path(__file__).parents[2]
WANTED = os.environ.get("NARTHEX_TEST_RELEASE", "HEAD~1")


def earlier() -> str:
    """The commit of the earlier release; empty in a checkout without history."""
    command = ["git", "-C", str(ROOT), "rev-parse", "--verify", "--quiet", f"{WANTED}^{{commit}}"]
    return subprocess.run(command, capture_output=True, text=True).stdout.strip()


class Release:
    """A release's code in a directory."""

    def __init__(self, root: Path) -> None:
        self._path = os.pathsep.join(str(each) for each in (root / "libs", *sorted((root / "services").iterdir())))

    def runs(self, part: Process) -> None:
        """From its next start on, the part is this release's."""
        part.spec = replace(part.spec, environment={**part.spec.environment, "PYTHONPATH": self._path})


def ours() -> Release:
    return Release(ROOT)


@contextmanager
def earlier_release(directory: Path) -> Iterator[Release]:
    """The earlier release, taken out of the history."""
    directory.mkdir()
    archive = subprocess.run(["git", "-C", str(ROOT), "archive", earlier()], capture_output=True, check=True)
    subprocess.run(["tar", "-x", "-C", str(directory)], input=archive.stdout, check=True)
    yield Release(directory)
