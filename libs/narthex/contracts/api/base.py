"""What all bodies have in common, and the types of fields that several have."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, Strict, StrictInt, StrictStr


class Request(BaseModel):
    """Base of request bodies: unknown keys are refused."""

    model_config = ConfigDict(extra="forbid")


class Response(BaseModel):
    """Base of response bodies: frozen; a reader of an older release ignores what it does not know."""

    model_config = ConfigDict(frozen=True, extra="ignore")


Description = Annotated[StrictStr, Field(max_length=400)]
Labels = dict[StrictStr, StrictStr]
Port = Annotated[
    StrictInt,
    AfterValidator(lambda port: between(port, 1, 65535)),
    Field(json_schema_extra={"minimum": 1, "maximum": 65535}),
]
Seconds = Annotated[StrictInt, Field(ge=1, le=3600)]
Timeout = Annotated[float, Strict(), Field(gt=0, le=86_400, allow_inf_nan=False)]  # seconds
Limit = Annotated[StrictInt, Field(ge=1, le=1_000_000_000)]  # fits a 32-bit column
Count = Annotated[StrictInt, Field(ge=0, le=1_000_000_000)]
Text = Annotated[StrictStr, Field(min_length=1, max_length=1024)]
Credits = Annotated[float, Field(allow_inf_nan=False)]
FieldNames = Annotated[list[Annotated[StrictStr, Field(min_length=1, max_length=128)]], Field(max_length=100)]
Extensions = Annotated[list[Annotated[StrictStr, Field(max_length=64)]], Field(max_length=100)]


def between(number: int, low: int, high: int) -> int:
    if not low <= number <= high:
        raise ValueError(f"must be between {low} and {high}")
    return number


def uuid_text(text: str) -> str:
    try:
        return str(UUID(text))
    except ValueError:
        raise ValueError("must be a UUID") from None


def one_of(text: str, names: type[StrEnum]) -> str:
    if text not in set(names):
        raise ValueError(f"must be one of {', '.join(names)}")
    return text


def names_of(names: type[StrEnum]) -> Any:
    """What `one_of` allows, as OpenAPI says it."""
    return Field(json_schema_extra={"enum": [*names]})


def parse_moment(text: Any) -> Any:
    """A date and time as a string; numbers are refused, for nobody knows which unit they are in."""
    if not isinstance(text, str):
        raise ValueError("must be a date and time like 2026-01-31T12:00:00Z")
    return text


def _storable(moment: datetime) -> datetime:
    if not 1971 <= moment.year <= 9000:
        raise ValueError("must be between the years 1971 and 9000")
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


# Without a zone it is UTC (UBIOPS_API T14).
RequestMoment = Annotated[datetime, BeforeValidator(parse_moment), AfterValidator(_storable)]
Reference = Annotated[StrictStr, Field(min_length=1, max_length=254)]
