"""Environment variables of a project (neither deployment nor version given), a deployment or a version."""

from narthex.client.call import Call
from narthex.client.operations.paths import Nothing, Path, in_project, of_deployment, of_version
from narthex.contracts.api import EnvironmentVariable, EnvironmentVariableCopy, EnvironmentVariableCreate


def list_variables(
    deployment: str | None = None, version: str | None = None, *, project: str | None = None
) -> Call[list[EnvironmentVariable]]:
    """The variables, with those that are inherited; the values of secret ones are not shown."""
    return Call("GET", _path(project, deployment, version), list[EnvironmentVariable])


def get_variable(
    id: str, deployment: str | None = None, version: str | None = None, *, project: str | None = None
) -> Call[EnvironmentVariable]:
    """One variable by id."""
    return Call("GET", _path(project, deployment, version, id), EnvironmentVariable)


def create_variable(
    body: EnvironmentVariableCreate,
    deployment: str | None = None,
    version: str | None = None,
    *,
    project: str | None = None,
) -> Call[EnvironmentVariable]:
    """Set a variable that is not there yet."""
    return Call("POST", _path(project, deployment, version), EnvironmentVariable, body=body)


def update_variable(
    id: str,
    body: EnvironmentVariableCreate,
    deployment: str | None = None,
    version: str | None = None,
    *,
    project: str | None = None,
) -> Call[EnvironmentVariable]:
    """Change a variable; a value that is left out stays."""
    return Call("PATCH", _path(project, deployment, version, id), EnvironmentVariable, body=body)


def delete_variable(
    id: str, deployment: str | None = None, version: str | None = None, *, project: str | None = None
) -> Call[None]:
    """Remove a variable."""
    return Call("DELETE", _path(project, deployment, version, id), Nothing)


def copy_variables(
    body: EnvironmentVariableCopy, deployment: str, version: str | None = None, *, project: str | None = None
) -> Call[list[EnvironmentVariable]]:
    """Take over the variables of another deployment or version."""
    path = _owner(project, deployment, version, "copy-environment-variables")
    return Call("POST", path, list[EnvironmentVariable], body=body)


def _path(project: str | None, deployment: str | None, version: str | None, *more: str) -> Path:
    return _owner(project, deployment, version, "environment-variables", *more)


def _owner(project: str | None, deployment: str | None, version: str | None, *more: str) -> Path:
    if deployment is None:
        return in_project(project, *more)
    return (
        of_deployment(project, deployment, *more)
        if version is None
        else of_version(project, deployment, version, *more)
    )
