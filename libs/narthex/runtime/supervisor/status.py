"""`supervisor.json`: what `narthex status` shows of the parts."""

import json
import logging
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from enum import StrEnum

from narthex.runtime.atomic_write import write_atomically
from narthex.runtime.supervisor.plan import Plan

log = logging.getLogger(__name__)


class State(StrEnum):
    """Where a part is in its life. `ready` is what it last said; `backoff` waits to be started again."""

    STARTING = "starting"
    READY = "ready"
    BACKOFF = "backoff"
    STOPPED = "stopped"


@dataclass(frozen=True)
class PartStatus:
    """One part, as people are shown it."""

    name: str
    pid: int | None = None
    state: State = State.STOPPED
    restarts: int = 0
    since: str = ""  # of this state, ISO 8601
    admin_port: int | None = None
    last_exit: str = ""


class StatusFile:
    """Writes the file on each change. One that cannot be written (a full disk) is no reason to stop what runs."""

    def __init__(self, plan: Plan) -> None:
        self._path = plan.status
        self._trouble = ""
        self._head = {"pid": os.getpid(), "started": now(), "urls": dict(plan.urls)}

    def write(self, parts: Sequence[PartStatus]) -> None:
        text = json.dumps({**self._head, "parts": [asdict(part) for part in parts]}, indent=1)
        try:
            write_atomically(self._path, text + "\n")
            self._trouble = ""
        except OSError as error:
            self._complain(f"cannot write {self._path}: {error.strerror}; narthex status shows what was before")

    def _complain(self, trouble: str) -> None:
        """Once, not at every change."""
        if trouble != self._trouble:
            self._trouble = trouble
            log.warning("%s", trouble)


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
