"""Ends what replicas started when `narthex run` itself is killed: a small process that outlives it by a moment.

The kernel's tether (`narthex.runtime.child`) reaches a replica's first process only. A server behind a shell
wrapper would go on, keep its port and be sent requests. So the guardian is told each replica's process group
through a pipe, and when the pipe ends it ends the groups that are left: politely, then not.

As a process it imports the standard library and nothing else, because it stays in memory all along.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

GRACE_S = 10.0  # as long as an orderly stop gives them
POLL_S = 0.05


class Guard:
    """What the guardian is told. One that is gone itself is no reason to stop serving."""

    def __init__(self, pipe: int) -> None:
        self._pipe = pipe

    def watch(self, group: int) -> None:
        self._tell(f"+{group}\n")

    def forget(self, group: int) -> None:
        self._tell(f"-{group}\n")

    def _tell(self, line: str) -> None:
        try:
            os.write(self._pipe, line.encode())
        except OSError:
            pass


@contextmanager
def guarded() -> Iterator[Guard]:
    """A guardian for the length of the block; afterwards nothing that it watched is left."""
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", __name__],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C in the terminal is for `narthex run`
    )
    assert process.stdin is not None
    try:
        yield Guard(process.stdin.fileno())
    finally:
        process.stdin.close()
        process.wait()


def remaining(lines: Iterable[str]) -> set[int]:
    """The groups that were watched and not forgotten when the lines end."""
    groups: set[int] = set()
    for line in lines:
        (groups.add if line[0] == "+" else groups.discard)(int(line[1:]))
    return groups


def end_all(groups: set[int]) -> None:
    """End the groups: those that do not go when they are asked to are killed."""
    deadline = time.monotonic() + GRACE_S
    left = {group for group in groups if signal_group(group, signal.SIGTERM)}
    while left and time.monotonic() < deadline:
        time.sleep(POLL_S)
        left = {group for group in left if signal_group(group, 0)}
    for group in left:
        signal_group(group, signal.SIGKILL)


def signal_group(group: int, number: int) -> bool:
    """Signal a process group; whether there is one."""
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return False  # all of it has ended; macOS says "not permitted" of zombies
    return True


def main() -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    end_all(remaining(sys.stdin))


if __name__ == "__main__":
    main()
