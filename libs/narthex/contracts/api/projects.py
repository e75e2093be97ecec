"""Projects, what is in them, and the people in them."""

from datetime import datetime
from typing import Annotated

from pydantic import Field, StrictBool, StrictStr

from narthex.contracts.api.base import Credits, Labels, Request, Response
from narthex.contracts.names import Name


class ProjectCreate(Request):
    name: Name
    organization_name: Annotated[StrictStr, Field(min_length=1)]
    advanced_permissions: StrictBool = False
    credits: Credits | None = None
    cors_origins: list[StrictStr] = []
    labels: Labels = {}


class ProjectUpdate(Request):
    name: Name | None = None
    advanced_permissions: StrictBool | None = None
    credits: Credits | None = None
    suspend: StrictBool | None = None
    cors_origins: list[StrictStr] | None = None
    labels: Labels | None = None


class ProjectDetail(Response):
    id: str
    name: str
    creation_date: datetime
    advanced_permissions: bool = False
    credits: float | None = None
    organization_name: str
    labels: dict[str, str] = {}
    suspended: bool = False
    suspended_reason: str | None = None
    cors_origins: list[str] = []


class ProjectUserCreate(Request):
    user_id: Annotated[StrictStr, Field(min_length=1, max_length=64)]


class ProjectUserDetail(Response):
    id: str
    email: str
    name: str | None = None
    surname: str | None = None


class ResourceUsage(Response):
    deployments: int
    deployment_versions: int
    pipelines: int = 0
    pipeline_versions: int = 0
    buckets: int = 0
    environments: int = 0
    services: int = 0
    instances: int = 0


class QuotaDetail(Response):
    resource: str
    quota: float | None = None
