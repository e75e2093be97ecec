"""Service users, roles, and who has them."""

from datetime import datetime
from typing import Annotated

from pydantic import Field, StrictStr

from narthex.contracts.api.base import Description, Reference, Request, RequestMoment, Response
from narthex.contracts.names import Name


class ServiceUserUpdate(Request):
    name: Annotated[StrictStr, Field(min_length=1, max_length=256)] | None = None
    expiry_date: RequestMoment | None = None
    description: Description | None = None


class ServiceUserCreate(ServiceUserUpdate):
    pass


class ServiceUserDetail(Response):
    id: str
    email: str
    name: str | None = None
    description: str | None = None
    creation_date: datetime
    expiry_date: datetime | None = None
    token_last_used: datetime | None = None


class ServiceUserCreated(ServiceUserDetail):
    token: str


class ServiceUserToken(Response):
    token: str


class PermissionDetail(Response):
    name: str


Permissions = Annotated[list[Annotated[StrictStr, Field(max_length=64)]], Field(max_length=500)]


class RoleCreate(Request):
    name: Name
    permissions: Permissions


class RoleUpdate(Request):
    name: Name | None = None
    permissions: Permissions | None = None


class RoleBrief(Response):
    id: str
    name: str
    default: bool = False


class RoleDetail(RoleBrief):
    permissions: list[str]


class RoleAssignmentCreate(Request):
    """Gives a role on the project, or on the `resource`: a deployment or service by name."""

    role: Reference
    assignee: Reference
    assignee_type: Annotated[StrictStr, Field(pattern="^(user|deployment)$")] | None = None
    resource: Reference | None = None
    resource_type: Annotated[StrictStr, Field(max_length=64)] | None = None


class RoleAssignmentDetail(Response):
    id: str
    assignee: str
    assignee_type: str
    role: str
    resource: str
    resource_type: str
