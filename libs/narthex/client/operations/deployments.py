"""Deployments: what runs behind services."""

from narthex.client.call import Call, Tagging
from narthex.client.operations.paths import Nothing, in_project, labels, of_deployment, switching
from narthex.contracts.api import DeploymentCreate, DeploymentDetail, DeploymentUpdate


def list_deployments(
    *, label: dict[str, str] | None = None, project: str | None = None
) -> Call[list[DeploymentDetail]]:
    """The deployments of a project."""
    return Call("GET", in_project(project, "deployments"), list[DeploymentDetail], query={"labels": labels(label)})


def get_deployment(name: str, *, project: str | None = None) -> Call[DeploymentDetail]:
    """One deployment by name."""
    return Call("GET", of_deployment(project, name), DeploymentDetail)


def get_tagged_deployment(name: str, *, project: str | None = None) -> Tagging[DeploymentDetail]:
    """One deployment with its ETag, for `if_match` of a later change."""
    return Tagging(get_deployment(name, project=project))


def find_deployment(name: str, *, project: str | None = None) -> Call[DeploymentDetail | None]:
    """As `get`, but None when there is none."""
    return Call("GET", of_deployment(project, name), DeploymentDetail, absent=True)


def create_deployment(body: DeploymentCreate, *, project: str | None = None) -> Call[DeploymentDetail]:
    """Make a deployment; it serves once it has a version with instances."""
    return Call("POST", in_project(project, "deployments"), DeploymentDetail, body=body)


def update_deployment(
    name: str,
    body: DeploymentUpdate,
    *,
    if_match: str | None = None,
    wait_s: float = 0.0,
    force: bool = False,
    project: str | None = None,
) -> Call[DeploymentDetail]:
    """Change the fields that are set in `body`; with `if_match` only if nobody was faster, else ApiError 412.

    Another default version must have a healthy instance: `wait_s` waits for one, `force` goes over without.
    """
    path, query = of_deployment(project, name), switching(wait_s, force)
    return Call("PATCH", path, DeploymentDetail, query=query, body=body, if_match=if_match, waits_s=wait_s)


def delete_deployment(name: str, *, if_match: str | None = None, project: str | None = None) -> Call[None]:
    """Remove a deployment with its versions and instances."""
    return Call("DELETE", of_deployment(project, name), Nothing, if_match=if_match)
