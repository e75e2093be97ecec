"""What a service may be: the decisions on a service request that need nothing but the request. Pure."""

from typing import Any

from narthex.contracts import api
from narthex.contracts.errors import Forbidden, Invalid
from narthex.contracts.names import RESERVED_LABELS
from narthex_registry.fields import defaults_of, given

REQUIRED = frozenset({"name", "deployment", "port"})
DEFAULTS = defaults_of(
    api.ServiceDetail,
    (
        "description",
        "labels",
        "type",
        "cache_aware_llm_routing",
        "authentication_required",
        "authentication_method_token_enabled",
        "authentication_header_pass_through",
        "request_logging_excluded_paths",
        "request_logging_excluded_extensions",
        "rate_limit",
        "rate_limit_user_default",
        "concurrency_limit",
        "concurrency_limit_user_default",
        "imported_name",
        "imported_namespace",
        "imported_cluster_domain",
        "balancing",
        "affinity",
        "connect_timeout",
        "first_byte_timeout",
        "idle_timeout",
        "total_timeout",
        "max_body_bytes",
        "instance_concurrency_limit",
        "instance_max_wait",
    ),
)


def service_values(body: api.ServiceUpdate, *, allow_public: bool) -> dict[str, Any]:
    """The fields a request sets, under today's names, or the error that says what is wrong with them."""
    values = given(body, required=REQUIRED, defaults=DEFAULTS)
    if "rate_limit_token" in values:  # its name in clients up to 4.12
        values.setdefault("rate_limit_user_default", values.pop("rate_limit_token"))
        values.pop("rate_limit_token", None)
    if values.get("name") in RESERVED_LABELS:
        raise Invalid(f"name: {values['name']} is reserved")
    if values.get("type", "deployment") != "deployment":
        raise Invalid("type: must be deployment")
    if not values.get("authentication_required", True) and not allow_public:
        raise Forbidden(
            "authentication_required: services without authentication are not allowed in this installation; "
            "whoever runs it can allow them with NARTHEX_API_ALLOW_PUBLIC=true"
        )
    if pattern := values.get("request_logging_excluded_paths"):
        _compiles(pattern)
    return values


def _compiles(pattern: str) -> None:
    """The router matches it with RE2, whose time is linear: what RE2 cannot read is refused here."""
    import re2  # 6 MB that few installations need

    options = re2.Options()
    options.log_errors = False
    try:
        re2.compile(pattern, options)
    except re2.error as error:
        reason = error.args[0].decode() if error.args and isinstance(error.args[0], bytes) else error
        raise Invalid(f"request_logging_excluded_paths: must be an RE2 regular expression: {reason}") from None
