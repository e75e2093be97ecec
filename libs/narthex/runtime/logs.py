"""Logs as one JSON object a line on standard error, so that no logged value can forge a line.

Fields go in by `extra={"fields": {...}}`; what `json.dumps` escapes (control characters, non-ASCII) cannot
reach a terminal raw.
"""

import json
import logging
import sys
import time
from contextvars import ContextVar
from typing import Any

# The API request or event that is being dealt with; every line that is written meanwhile carries it.
CORRELATION: ContextVar[str] = ContextVar("correlation", default="")


class JsonLines(logging.Formatter):
    """Formats a record as `{"time", "level", "part", "logger", "message", "correlation_id", …fields}`."""

    def __init__(self, part: str) -> None:
        super().__init__()
        self._part = part

    def format(self, record: logging.LogRecord) -> str:
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        line: dict[str, Any] = {
            "time": f"{stamp}.{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "part": self._part,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if correlation_id := CORRELATION.get():
            line["correlation_id"] = correlation_id
        line.update(getattr(record, "fields", {}))
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


def set_up_logs(part: str, level: str) -> None:
    """Send this process's logs to standard error as JSON lines."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines(part))
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    # A line per API request is the audit trail's business, not the log's.
    logging.getLogger("aiohttp.access").setLevel(logging.WARNING)
