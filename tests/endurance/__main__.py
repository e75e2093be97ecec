"""`make endurance`, `make double-faults`: what is run, for how long, how hard and where to, is in the environment.

MINUTES (120, 60), RATE (1: about 40 requests a second), TO (a directory for samples and result), SEED (double faults).
"""

import os
import random
import sys
import tempfile
from pathlib import Path

from endurance import double, mixed
from endurance.report import written

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


if __name__ == "__main__":
    sys.exit(main())
