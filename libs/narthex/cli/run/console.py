"""What `narthex run` prints: its own messages, and the replicas' output with a prefix each.

Lines are written by a thread: a terminal that is stopped or a slow pipe must hold up the replicas' output, not
the renewal of their leases.
"""

import asyncio
import json
import queue
import sys
import threading
from typing import BinaryIO

from narthex.cli.output import printable

COLOURS = (36, 33, 32, 35, 34, 31)  # cyan, yellow, green, magenta, blue, red
WAITING_LINES = 1000
FULL_POLL_S = 0.02


class Console:
    """Prints for people, or JSON lines with `as_json`. Close it to have everything written."""

    def __init__(self, name: str, as_json: bool = False) -> None:
        self._name = name
        self._as_json = as_json
        self._colour = sys.stdout.isatty() and not as_json
        self._lines: queue.Queue[tuple[BinaryIO, bytes] | None] = queue.Queue(WAITING_LINES)
        # A daemon: whoever presses Ctrl-C twice must get out even if the terminal takes nothing any more.
        self._writer = threading.Thread(target=self._write, name="output", daemon=True)
        self._writer.start()

    def say(self, event: str, text: str, **fields: object) -> None:
        """A message of ours: what was found, made, died. Dropped if nobody has taken any output for long."""
        if self._as_json:
            line = json.dumps({"event": event, "message": text, **fields})
            self._put(sys.stdout.buffer, line.encode())
        else:
            self._put(sys.stderr.buffer, printable(text).encode())

    def result(self, event: str, lines: list[str], **fields: object) -> None:
        """What the command is for: on stdout."""
        if self._as_json:
            self.say(event, lines[0], **fields)
            return
        for line in lines:
            self._put(sys.stdout.buffer, printable(line).encode())

    async def output(self, replica: int, stream: str, line: bytes) -> None:
        """A line of a replica's; waits while the reader of our own output does not keep up."""
        target = sys.stderr.buffer if stream == "stderr" and not self._as_json else sys.stdout.buffer
        item = (target, self._output_line(replica, stream, line))
        while self._lines.full():  # noqa: ASYNC110 - a thread makes room, and has no event of ours
            await asyncio.sleep(FULL_POLL_S)
        self._lines.put_nowait(item)

    def close(self, timeout_s: float = 2.0) -> None:
        """Write what is left; not for longer than `timeout_s`."""
        try:
            self._lines.put(None, timeout=timeout_s)
        except queue.Full:
            return
        self._writer.join(timeout_s)

    def _output_line(self, replica: int, stream: str, line: bytes) -> bytes:
        if self._as_json:
            record = {"event": "output", "replica": replica, "stream": stream, "line": line.decode(errors="replace")}
            return json.dumps(record).encode()
        prefix = f"{self._name}.{replica} | ".encode()
        if self._colour:
            prefix = b"\x1b[%dm%s\x1b[0m" % (COLOURS[(replica - 1) % len(COLOURS)], prefix)
        return prefix + line

    def _put(self, target: BinaryIO, line: bytes) -> None:
        try:
            self._lines.put_nowait((target, line))
        except queue.Full:
            pass

    def _write(self) -> None:
        while (item := self._lines.get()) is not None:
            target, line = item
            try:
                target.write(line + b"\n")
                target.flush()
            except (OSError, ValueError):
                pass  # nobody reads any more; the replicas go on serving
