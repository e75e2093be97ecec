"""`python -P -m bench.log [metadata bodies questions loss]`: the log's rows, what was found and its target."""

import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import uvloop

from bench import machine
from bench.log import ingest, loss, questions

ROWS: dict[str, tuple[str, Callable[[Path], None]]] = {
    "metadata": (
        "20,000 records/s without contents; seen within 3 s at the 99th percentile",
        lambda directory: uvloop.run(ingest.measure(directory, rate=20_000, body=b"")),
    ),
    "bodies": (
        "5,000 records/s with 2 KiB of body; seen within 3 s at the 99th percentile",
        lambda directory: uvloop.run(ingest.measure(directory, rate=5_000, body=b"x" * 2048)),
    ),
    "questions": (
        "10 million records: 15 minutes of one service under 500 ms, a chart of 7 days under 300 ms",
        lambda directory: uvloop.run(questions.measure(directory)),
    ),
    "loss": (
        "2,000 requests/s through a router while audit or NATS stands still: stored or counted, none failed",
        lambda directory: uvloop.run(loss.measure(directory)),
    ),
}


def main() -> None:
    names = sys.argv[1:] or list(ROWS)
    if unknown := set(names) - set(ROWS):
        sys.exit(f"No such rows: {', '.join(sorted(unknown))}. There are: {', '.join(ROWS)}")
    os.sched_setaffinity(0, {machine.cores()[1]})
    print(f"load average at start {os.getloadavg()[0]:.2f}")
    for name in names:
        title, row = ROWS[name]
        print(f"\n[{name}] {title}", flush=True)
        with tempfile.TemporaryDirectory(prefix="narthex-bench-log-") as directory:
            row(Path(directory))
    print(f"\nload average at end {os.getloadavg()[0]:.2f}")


if __name__ == "__main__":
    main()
