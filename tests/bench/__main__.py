"""`python -m bench [ROW …]`, or ROWS; ROUNDS and SECONDS_EACH (of load for each proxy and round) as wanted."""

import os
import signal
import sys
import time
from typing import Any

from bench import install, machine
from bench.bench import Bench, open_bench
from bench.h2load import LoadFailed
from bench.report import Row, keep, summary
from bench.rows import ALL


def main() -> None:
    names = sys.argv[1:] or os.environ.get("ROWS", "").replace(",", " ").split() or list(ALL)
    if unknown := set(names) - set(ALL):
        sys.exit(f"No such rows: {', '.join(sorted(unknown))}. There are: {', '.join(ALL)}")
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))  # clean up as after Ctrl-C
    install.what_is_missing()
    facts: dict[str, Any] = {"machine": machine.description(), "rounds": int(os.environ.get("ROUNDS", "3"))}
    rows: dict[str, Row] = {}
    with open_bench(facts["rounds"], int(os.environ.get("SECONDS_EACH", "4"))) as bench:
        _say_hello(bench, facts)
        for name in names:
            rows[name] = _run(name, bench)
        facts["peers"] = bench.versions()
    facts["machine"]["load_at_end"] = os.getloadavg()[0]
    print(f"\n{summary(rows)}")
    if set(names) == set(ALL):
        print(f"\nKept in {keep(rows, facts)}")


def _say_hello(bench: Bench, facts: dict[str, Any]) -> None:
    on = facts["machine"]
    print(f"Python {on['python']}, {'built with PGO' if on['pgo'] else 'built without PGO'}")
    print(f"{on['cpu']}, {on['cores']} cores, load {on['load_at_start']:.2f}; medians of {bench.rounds} rounds")
    for name in sorted(bench.missing):
        print(f"{name} is not installed here: left out")


def _run(name: str, bench: Bench) -> Row:
    began = time.monotonic()
    try:
        row = ALL[name](bench)
    except (AssertionError, LoadFailed, OSError) as error:  # the other rows are worth having all the same
        row = Row(f"{name}: could not be measured", [], notes=[f"{type(error).__name__}: {error}"])
    print(f"\n[{name}, {time.monotonic() - began:.0f} s] {row.text()}", flush=True)
    return row


if __name__ == "__main__":
    main()
