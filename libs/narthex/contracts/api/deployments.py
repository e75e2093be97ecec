"""Deployments, with the request format that Narthex keeps and does not use."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import Field, StrictBool, StrictStr

from narthex.contracts.api.base import Description, Labels, Request, Response
from narthex.contracts.names import DeploymentName


class Widget(Request):
    """How a form shows a field."""

    type: Annotated[StrictStr, Field(min_length=1, max_length=64)]
    configuration: Labels = {}


class FieldCreate(Request):
    """A field of the request format. Narthex returns it and does not use it."""

    name: Annotated[StrictStr, Field(min_length=1, max_length=64)]
    data_type: Annotated[StrictStr, Field(min_length=1, max_length=64)]
    widget: Widget | None = None


DataType = Annotated[StrictStr, Field(pattern="^(structured|plain)$")]


class DeploymentCreate(Request):
    name: DeploymentName
    description: Description = ""
    # Upstream's default; plain HTTP containers are created with false. Narthex serves both alike.
    supports_request_format: StrictBool = True
    input_type: DataType | None = None
    output_type: DataType | None = None
    input_fields: list[FieldCreate] | None = None
    output_fields: list[FieldCreate] | None = None
    labels: Labels = {}


class DeploymentUpdate(Request):
    name: DeploymentName | None = None
    default_version: StrictStr | None = None
    description: Description | None = None
    input_fields: list[FieldCreate] | None = None
    output_fields: list[FieldCreate] | None = None
    labels: Labels | None = None


class DeploymentDetail(Response):
    """A deployment, alone and in lists."""

    id: str
    name: str
    project: str
    description: str = ""
    supports_request_format: bool = True
    input_type: str | None = None
    output_type: str | None = None
    input_fields: list[dict[str, Any]] = []
    output_fields: list[dict[str, Any]] = []
    labels: dict[str, str] = {}
    creation_date: datetime
    last_updated: datetime
    default_version: str | None = None
