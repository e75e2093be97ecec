"""How long and how often, by how the matrix is run: a moment in `make test`, enough for the table in `make faults`, and
what is promised in `make faults-long`."""

import os

RUN = os.environ.get("NARTHEX_TEST_FAULTS", "quick")  # quick | all | long
ALL = RUN != "quick"
assert RUN in ("quick", "all", "long"), f"NARTHEX_TEST_FAULTS: {RUN!r} is none of quick, all, long"


def number(quick: int, usual: int, long: int | None = None) -> int:
    """`long` is for rows that `make faults-long` runs."""
    return {"quick": quick, "all": usual, "long": usual if long is None else long}[RUN]


def held_s(long: float | None = None) -> float:
    """How long a fault lasts: longer than all that retries or waits, but in `make test` only a moment."""
    usual = {"quick": 2.0, "all": 15.0, "long": long or 15.0}[RUN]
    return float(os.environ.get("NARTHEX_FAULTS_HELD_S", usual))
