"""The supervisor as a process: `python -m narthex.runtime.supervisor <plan descriptor> <lock descriptor>`.

`narthex.runtime.embedded` turns into it by exec, with the plan in a file that has no name (it holds passwords)
and the lock on the data directory already held.
"""

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path

from narthex.contracts.errors import Misconfigured
from narthex.runtime.atomic_write import write_atomically
from narthex.runtime.supervisor.plan import Plan, decode
from narthex.runtime.supervisor.supervisor import Supervisor

log = logging.getLogger(__name__)

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def main() -> int:
    plan_descriptor, lock_descriptor = (int(text) for text in sys.argv[1:])
    os.set_inheritable(lock_descriptor, False)  # no child may hold it longer than we do
    with os.fdopen(plan_descriptor) as file:
        plan = decode(file.read())
    return supervise(plan)


def supervise(plan: Plan) -> int:
    """Run a plan in the foreground until Ctrl-C or SIGTERM; returns the exit code."""
    logging.basicConfig(level=logging.WARNING, format="narthex up: %(message)s", stream=sys.stderr)
    refused: list[BaseException] = []
    try:
        asyncio.run(_run(plan))
    except* Misconfigured as group:
        refused.append(_first(group))
    if refused:
        print(f"narthex up: {refused[0]}", file=sys.stderr)  # noqa: T201 - for who started it
    return 2 if refused else 0


async def _run(plan: Plan) -> None:
    supervisor = Supervisor(plan)
    stop = asyncio.Event()

    def on_signal() -> None:
        if stop.is_set():
            supervisor.kill()
        stop.set()

    def on_ready() -> None:
        write_profiles(plan.profiles)
        print(plan.announcement, flush=True)  # noqa: T201 - the readiness line is the command's output

    loop = asyncio.get_running_loop()
    for number in STOP_SIGNALS:
        loop.add_signal_handler(number, on_signal)
    try:
        await supervisor.run(stop, on_ready)
    finally:
        for number in STOP_SIGNALS:  # all is done: one Ctrl-C too many must not turn the exit into a failure
            loop.remove_signal_handler(number)
            signal.signal(number, signal.SIG_IGN)


def write_profiles(profiles: Mapping[str, str]) -> None:
    """Let the user's `narthex …` find this installation; a home that cannot be written is no reason to stop."""
    for path, text in profiles.items():
        try:
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            write_atomically(Path(path), text)
        except OSError as error:
            log.warning("cannot write the profile %s: %s", path, error.strerror)


def _first(group: BaseException) -> BaseException:
    while isinstance(group, BaseExceptionGroup):
        group = group.exceptions[0]
    return group


if __name__ == "__main__":
    sys.exit(main())
