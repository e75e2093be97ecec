"""Environments and environment variables."""

from datetime import datetime
from typing import Annotated

from pydantic import Field, StrictBool, StrictStr

from narthex.contracts.api.base import Request, Response


class EnvironmentDetail(Response):
    id: str
    name: str
    project: str | None = None
    creation_date: datetime
    last_updated: datetime
    description: str = ""
    labels: dict[str, str] = {}
    system: bool = True


class EnvironmentTag(Response):
    id: str
    name: str
    environment: str
    creation_date: datetime
    status: str = "available"
    supports_request_format: bool = True
    implicit: bool = False
    deprecated: bool = False
    size: int = 0
    error_message: str | None = None
    base_environment_name: str | None = None
    base_environment_tag: str | None = None
    built: bool = True


class EnvironmentVariable(Response):
    id: str
    name: str
    value: str | None = None
    secret: bool = False
    inheritance_type: str | None = None
    inheritance_name: str | None = None


class EnvironmentVariableCreate(Request):
    """In an update, a value that is left out stays."""

    name: Annotated[StrictStr, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,63}$")]
    value: Annotated[StrictStr, Field(max_length=65_536)] | None = None
    secret: StrictBool = False


class EnvironmentVariableCopy(Request):
    source_deployment: Annotated[StrictStr, Field(min_length=1)]
    source_version: Annotated[StrictStr, Field(min_length=1)] | None = None
