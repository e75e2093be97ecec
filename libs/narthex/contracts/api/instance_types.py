"""Instance types and groups of them: kept for UbiOps clients."""

from datetime import datetime
from typing import Any

from narthex.contracts.api.base import Response


class InstanceType(Response):
    id: str
    time_created: datetime
    name: str
    display_name: str
    cpu: float | None = None
    memory: float | None = None
    storage: float | None = None
    accelerator: float | None = None
    credit_rate: float = 0.0
    dedicated_node: bool = False
    node_pool: dict[str, Any] | None = None


class InstanceTypeOfGroup(InstanceType):
    priority: int = 0
    schedule_timeout: int = 300


class InstanceTypeGroup(Response):
    id: str
    name: str
    time_created: datetime
    time_updated: datetime
    instance_types: list[InstanceTypeOfGroup]


class InstanceTypeGroupUse(Response):
    """A version that runs on a group's instance types."""

    id: str
    deployment: str
    version: str
    instance_type_group_id: str
    instance_type_group_name: str


class InstanceTypePage(Response):
    next: str | None = None
    previous: str | None = None
    results: list[InstanceType]


class InstanceTypeGroupPage(Response):
    next: str | None = None
    previous: str | None = None
    results: list[InstanceTypeGroup]


class InstanceTypeGroupUsePage(Response):
    next: str | None = None
    previous: str | None = None
    results: list[InstanceTypeGroupUse]
