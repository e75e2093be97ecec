"""Points in time as query parameters give them: `2026-01-01 00:00:00`, or with a T; without a zone = UTC."""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import BeforeValidator, Field

WaitS = Annotated[float, Field(ge=0, le=300, allow_inf_nan=False)]  # how long a caller waits for something
When = Annotated[datetime | None, BeforeValidator(lambda text: text or None)]  # an empty one is none


def in_utc(moment: datetime | None) -> datetime | None:
    return moment.replace(tzinfo=UTC) if moment is not None and moment.tzinfo is None else moment
