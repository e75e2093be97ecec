"""Instance types: sizes of machines to rent from UbiOps. Instances here run where their owner started them, so
there is one type that says so, in one group. Pure.
"""

from datetime import UTC, datetime
from uuid import NAMESPACE_URL, uuid5

from narthex.contracts import api
from narthex.contracts.errors import NotFound

_SINCE = datetime(2026, 1, 1, tzinfo=UTC)
TYPE = api.InstanceType(
    id=str(uuid5(NAMESPACE_URL, "narthex:instance-type:external")),
    time_created=_SINCE,
    name="external",
    display_name="Runs where its owner started it",
)
GROUP = api.InstanceTypeGroup(
    id=str(uuid5(NAMESPACE_URL, "narthex:instance-type-group:external")),
    name="external",
    time_created=_SINCE,
    time_updated=_SINCE,
    instance_types=[api.InstanceTypeOfGroup(**TYPE.model_dump())],
)
BRIEF = api.InstanceTypeBrief(id=TYPE.id, name=TYPE.name, display_name=TYPE.display_name)


def find_group(group_id: str) -> api.InstanceTypeGroup:
    if group_id != GROUP.id:
        raise NotFound(f"there is no instance type group {group_id}")
    return GROUP
