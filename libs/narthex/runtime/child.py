"""Children that die with their parent: nothing keeps running after a `kill -9` of what started it.

    subprocess.Popen(command, preexec_fn=die_with_parent())

Linux only (PR_SET_PDEATHSIG); elsewhere the child is left as it is. The kernel watches the *thread* that
forked, so start such children from a thread that lives as long as the process: the main thread.
"""

import ctypes
import os
import signal
import sys
from collections.abc import Callable

_PR_SET_PDEATHSIG = 1  # linux/prctl.h


def die_with_parent(signal_number: int = signal.SIGKILL) -> Callable[[], None]:
    """What to run in the child between fork and exec, so that it gets `signal_number` when its parent dies.

    Call it in the parent: the C library is loaded here, because loading takes locks that another thread may
    hold at the moment of the fork.
    """
    if sys.platform != "linux":
        return _nothing
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    parent = os.getpid()

    def tether() -> None:
        prctl(_PR_SET_PDEATHSIG, int(signal_number), 0, 0, 0)
        if os.getppid() != parent:  # it died before the tether was on: nobody would send the signal any more
            os.kill(os.getpid(), signal_number)

    return tether


def _nothing() -> None:
    """No such tether on this platform."""
