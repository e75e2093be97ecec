"""Every operation of the stock library: whether Narthex serves it (UBIOPS_API sections 0 to 11) or says 501.

`known()` reads the library itself, so that an operation which a new release adds cannot be forgotten.
"""

import inspect
import re
from typing import Any

import ubiops

_SERVED = """
service_status user_get user_create user_delete permissions_list
organizations_list organizations_get organizations_create organizations_update
organization_users_list organization_users_create organization_users_get organization_users_update
organization_users_delete
projects_list projects_create projects_get projects_update projects_delete projects_resource_usage quotas_list
project_users_list project_users_create project_users_get project_users_delete
service_users_list service_users_create service_users_get service_users_update service_users_delete
service_users_token
roles_list roles_create roles_get roles_update roles_delete
role_assignments_create role_assignments_per_object_list role_assignments_get role_assignments_delete
deployments_list deployments_create deployments_get deployments_update deployments_delete
deployment_versions_list deployment_versions_create deployment_versions_get deployment_versions_update
deployment_versions_delete deployment_audit_events_list
environments_list environments_get environment_tags_list environment_tags_get
project_environment_variables_list project_environment_variables_create project_environment_variables_get
project_environment_variables_update project_environment_variables_delete deployment_environment_variables_list
deployment_environment_variables_create deployment_environment_variables_get
deployment_environment_variables_update
deployment_environment_variables_delete deployment_version_environment_variables_list
deployment_version_environment_variables_create
deployment_version_environment_variables_get deployment_version_environment_variables_update
deployment_version_environment_variables_delete
deployment_environment_variables_copy deployment_version_environment_variables_copy
revisions_list revisions_get revisions_file_upload
services_list services_create services_get services_update services_delete services_status_get
services_user_rate_limit_list services_user_rate_limit_create services_user_rate_limit_get
services_user_rate_limit_update services_user_rate_limit_delete
services_user_concurrency_limit_list services_user_concurrency_limit_create services_user_concurrency_limit_get
services_user_concurrency_limit_update services_user_concurrency_limit_delete
deployment_requests_list deployment_requests_get deployment_requests_batch_get deployment_requests_input_get
deployment_requests_output_get deployment_requests_delete deployment_requests_batch_delete
deployment_requests_update deployment_requests_batch_cancel
deployment_version_requests_list deployment_version_requests_get deployment_version_requests_batch_get
deployment_version_requests_input_get deployment_version_requests_output_get deployment_version_requests_delete
deployment_version_requests_batch_delete deployment_version_requests_update
deployment_version_requests_batch_cancel project_requests_list
metrics_list metrics_create metrics_get metrics_update metrics_delete
time_series_data_list time_series_data_create time_series_data_aggregate time_series_search time_series_delete
project_audit_events_list project_events_list logs_list
instances_list instances_get instances_update instance_events_list
project_instances_list project_instances_get project_instances_update
instance_types_list instance_type_groups_list instance_type_groups_get instance_type_groups_usage
webhooks_list webhooks_create webhooks_get webhooks_update webhooks_delete webhook_tests_create webhook_tests_get
"""
SERVED = frozenset(_SERVED.split())

# What these begin with belongs to building, storing and chaining, which Narthex does not do: it exposes what runs.
NOT_SERVED = re.compile(
    r"pipeline|buckets_|files_|exports_|imports_|request_schedules_|environment|"
    r"(batch_)?deployment(_version)?_requests_create|revisions_(file_download|rebuild)|"
    r"instance_type_groups_(create|update|delete)|batch_|expressions_|template_deployments_|vouchers_|"
    r"(organizations|projects)_(resource_)?usage"
)


def known() -> frozenset[str]:
    """The names of the library's operations."""
    return frozenset(name for name, _ in inspect.getmembers(ubiops.CoreApi, inspect.isfunction) if name[0] != "_")


def unserved() -> list[str]:
    """The operations that are answered 501."""
    return sorted(known() - SERVED)


def call_with_anything(core: ubiops.CoreApi, operation: str, path: dict[str, str], file: str) -> Any:
    """Call an operation whose arguments do not matter, with a body of the type that its documentation names.

    `path` holds path parameters by name; the others are "x".
    """
    method = getattr(core, operation)
    arguments: dict[str, Any] = {}
    for name in list(inspect.signature(method).parameters)[:-1]:  # without **kwargs
        arguments[name] = _body(core, method) if name == "data" else path.get(name, "x")
    if " file " in (method.__doc__ or "") and operation in UPLOADS:
        arguments["file" if operation != "files_upload" else "data"] = file
    return method(**arguments)


UPLOADS = frozenset({"environment_tags_build", "imports_create"})


def _body(core: ubiops.CoreApi, method: Any) -> Any:
    """An empty object of the type `:param <type> data:` says."""
    found = re.search(r":param (\S+) data:", method.__doc__ or "")
    kind = found[1] if found else "object"
    if kind.startswith("list["):
        return ["x"]
    if kind == "object":
        return {"x": 1}
    return getattr(ubiops, kind)(local_vars_configuration=core.api_client.configuration)
