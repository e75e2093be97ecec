"""`make endurance`, `make double-faults`: what is run, for how long, how hard and where to, is in the environment.

MINUTES (120, 60), RATE (1: about 40 requests a second), TO (a directory for samples and result), SEED (double faults).
"""

import asyncio
import os
import random
import sys
import tempfile
import traceback
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

from endurance import double, mixed
from endurance.report import Finding, text

USUAL_MINUTES = {"mixed": 120.0, "faults": 60.0}


def main() -> int:
    what = sys.argv[1]
    seconds = float(os.environ.get("MINUTES") or USUAL_MINUTES[what]) * 60
    rate = float(os.environ.get("RATE") or 1.0)
    to = Path(os.environ.get("TO") or tempfile.mkdtemp(prefix=f"narthex-{what}-"))
    print(f"Samples and result are written to {to}", flush=True)
    to.mkdir(parents=True, exist_ok=True)
    if what == "mixed":
        return written(to, mixed.endure(to, seconds, rate))
    seed = int(os.environ.get("SEED") or random.randrange(10_000))
    print(f"SEED={seed}", flush=True)
    return written(to, double.break_things(to, seconds, rate, seed))


def written(directory: Path, run: Coroutine[Any, Any, list[Finding]]) -> int:
    """Do the run and write down what was found; the exit code."""
    try:
        found = asyncio.run(run)
    except BaseException:
        (directory / "result.txt").write_text(f"THE RUN BROKE OFF\n{traceback.format_exc()}")
        raise
    said = text(found)
    (directory / "result.txt").write_text(said)
    print(said)
    return 0 if all(each.kept for each in found) else 1


if __name__ == "__main__":
    sys.exit(main())
