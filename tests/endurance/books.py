"""Every request of a service as its clients count them, held against the request log, minute by minute.

What is `due` has exactly one record, what is `open` one or none: a request that was aborted on purpose, or that failed,
may never have come to a router. A path is a request: no two are alike.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

OPEN_S = 600.0  # an aborted request has no record by then: it never came to a router
CHECK = "/status"  # what is asked to see whether a change is in force: not in the books


class Sent(NamedTuple):
    """When a request was sent, and to which router's port; 0: it is not connected yet."""

    at: float
    port: int = 0


@dataclass
class Books:
    """Of one service. Times are Unix seconds."""

    service: str
    due: dict[str, Sent] = field(default_factory=dict)  # by path
    open: dict[str, Sent] = field(default_factory=dict)
    late: dict[str, Sent] = field(default_factory=dict)  # due, and not on the list of its time
    requests: int = 0
    records: int = 0
    strange: list[str] = field(default_factory=list)  # records of no request of ours, or a second one of a request

    def sent(self, path: str, at: float) -> None:
        self.requests += 1
        self.open[path] = Sent(at)

    def answered(self, path: str, port: int = 0) -> None:
        """From now on it has to have a record."""
        sent = self.open.pop(path, None)
        if sent is not None:
            self.due[path] = Sent(sent.at, port)

    def found(self, paths: Iterable[str], upto: float) -> None:
        """What the log has of all requests up to a time."""
        for path in paths:
            if path == CHECK:
                continue
            self.records += 1
            if all(held.pop(path, None) is None for held in (self.due, self.open, self.late)):
                self.strange.append(path)
        for path in [path for path, sent in self.due.items() if sent.at < upto]:
            self.late[path] = self.due.pop(path)
        for path in [path for path, sent in self.open.items() if sent.at < upto - OPEN_S]:
            del self.open[path]
