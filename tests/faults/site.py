"""An installation whose routers are asked all the while how late their event loops are: it stands in the table."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

from narthex.testing import installation as kit
from narthex.testing.installation import Installation
from narthex.testing.lag import loop_lag

TABLE = Path(__file__).parents[2] / "docs" / "faults.md"
_heard: list[str] = []


@contextmanager
def lags() -> Iterator[list[str]]:
    """What the routers of all installations in the block say."""
    _heard.clear()
    yield _heard


@asynccontextmanager
async def installation(directory: Path, **how: Any) -> AsyncIterator[Installation]:
    """As `narthex.testing.installation` has it."""
    lag = None
    try:
        async with kit.installation(directory, **how) as here, loop_lag(here) as lag:
            yield here
    finally:
        if lag is not None and lag.stood.number:
            late_s = lag.late.quantile_s(0.999)
            _heard.append(f"{_ms(lag.p999_s())} ({_ms(late_s)} with waiting for a core) of {lag.stood.number:,} looks")


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:g} ms" if seconds <= 5 else "more than 5 s"
