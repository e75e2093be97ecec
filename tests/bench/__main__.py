"""`python -m bench [ROW …]`; rounds and seconds from ROUNDS and SECONDS, rows also from ROWS."""

import os
import sys
import time
from typing import Any

from bench import install, machine
from bench.bench import Bench, open_bench
from bench.report import Row, keep
from bench.rows import ALL


def main() -> None:
    names = sys.argv[1:] or os.environ.get("ROWS", "").replace(",", " ").split() or list(ALL)
    if unknown := set(names) - set(ALL):
        sys.exit(f"No such rows: {', '.join(sorted(unknown))}. There are: {', '.join(ALL)}")
    install.what_is_missing()
    facts = {"machine": machine.description(), "rounds": int(os.environ.get("ROUNDS", "3"))}
    rows: dict[str, Row] = {}
    with open_bench(facts["rounds"], int(os.environ.get("SECONDS_EACH", "5"))) as bench:
        _say_hello(bench, facts)
        for name in names:
            rows[name] = _run(name, bench)
        facts["peers"] = bench.versions()
    print(f"\nKept in {keep(rows, facts)}")


def _say_hello(bench: Bench, facts: dict[str, Any]) -> None:
    on = facts["machine"]
    print(f"Python {on['python']}, {'built with PGO' if on['pgo'] else 'built without PGO'}")
    print(f"{on['cpu']}, {on['cores']} cores, load {on['load_at_start']:.2f}; medians of {bench.rounds} rounds")
    for name in sorted(bench.missing):
        print(f"{name} is not installed here: left out")


def _run(name: str, bench: Bench) -> Row:
    began = time.monotonic()
    row = ALL[name](bench)
    print(f"\n[{name}, {time.monotonic() - began:.0f} s] {row.text()}", flush=True)
    return row


if __name__ == "__main__":
    main()
