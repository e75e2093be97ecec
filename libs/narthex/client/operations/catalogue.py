"""Environments and instance types, which versions name and Narthex does not keep: for UbiOps scripts."""

from narthex.client.call import Call, Listing
from narthex.client.operations.paging import PAGE, by_cursor
from narthex.client.operations.paths import flag, in_project, labels
from narthex.contracts.api import (
    EnvironmentDetail,
    EnvironmentTag,
    InstanceType,
    InstanceTypeGroup,
    InstanceTypeGroupPage,
    InstanceTypeGroupUse,
    InstanceTypeGroupUsePage,
    InstanceTypePage,
)


def list_environments(
    *, label: dict[str, str] | None = None, system: bool | None = None, project: str | None = None
) -> Call[list[EnvironmentDetail]]:
    """The environments that are there in every project (`system`), and those that versions of this one name."""
    query = {"labels": labels(label), "system": flag(system)}
    return Call("GET", in_project(project, "environments"), list[EnvironmentDetail], query=query)


def get_environment(name: str, *, project: str | None = None) -> Call[EnvironmentDetail]:
    """One environment."""
    return Call("GET", in_project(project, "environments", name), EnvironmentDetail)


def list_environment_tags(name: str, *, project: str | None = None) -> Call[list[EnvironmentTag]]:
    """The tags of an environment."""
    return Call("GET", in_project(project, "environments", name, "tags"), list[EnvironmentTag])


def get_environment_tag(name: str, tag: str, *, project: str | None = None) -> Call[EnvironmentTag]:
    """One tag."""
    return Call("GET", in_project(project, "environments", name, "tags", tag), EnvironmentTag)


def list_instance_types(*, project: str | None = None) -> Listing[InstanceTypePage, InstanceType]:
    """The instance types."""
    path = in_project(project, "instance-types")
    return by_cursor(Call("GET", path, InstanceTypePage, query={"limit": PAGE}), InstanceType)


def list_instance_type_groups(*, project: str | None = None) -> Listing[InstanceTypeGroupPage, InstanceTypeGroup]:
    """The groups of instance types."""
    path = in_project(project, "instance-type-groups")
    return by_cursor(Call("GET", path, InstanceTypeGroupPage, query={"limit": PAGE}), InstanceTypeGroup)


def get_instance_type_group(id: str, *, project: str | None = None) -> Call[InstanceTypeGroup]:
    """One group."""
    return Call("GET", in_project(project, "instance-type-groups", id), InstanceTypeGroup)


def list_instance_type_group_uses(
    id: str, *, project: str | None = None
) -> Listing[InstanceTypeGroupUsePage, InstanceTypeGroupUse]:
    """The versions whose instances are of a group."""
    path = in_project(project, "instance-type-groups", id, "usage")
    return by_cursor(Call("GET", path, InstanceTypeGroupUsePage, query={"limit": PAGE}), InstanceTypeGroupUse)
