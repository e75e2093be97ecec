"""What a service may be: the decisions on a service request that need nothing but the request. Pure."""

from typing import Any

from narthex.contracts import api
from narthex.contracts.errors import Forbidden, Invalid
from narthex.contracts.names import RESERVED_LABELS
from narthex_registry.authorities import bundle
from narthex_registry.fields import defaults_of, given

REQUIRED = frozenset({"name", "port"})
# What a service has a column for besides what it refers to; cleared, a field falls back to its default.
DEFAULTS = defaults_of(
    api.ServiceDetail,
    api.ServiceUpdate.model_fields.keys()
    - {"name", "deployment", "version", "port", "health_check", "rate_limit_token"},
)
TYPES = ("deployment", "imported")


def service_values(body: api.ServiceUpdate, *, allow_public: bool) -> dict[str, Any]:
    """The fields a request sets, under today's names, or the error that says what is wrong with them."""
    values = given(body, required=REQUIRED, defaults=DEFAULTS)
    if "rate_limit_token" in values:  # its name in clients up to 4.12
        values.setdefault("rate_limit_user_default", values.pop("rate_limit_token"))
        values.pop("rate_limit_token", None)
    if values.get("name") in RESERVED_LABELS:
        raise Invalid(f"name: {values['name']} is reserved")
    if values.get("type", "deployment") not in TYPES:
        raise Invalid(f"type: must be {' or '.join(TYPES)}")
    if not values.get("authentication_required", True) and not allow_public:
        raise Forbidden(
            "authentication_required: services without authentication are not allowed in this installation; "
            "whoever runs it can allow them with NARTHEX_API_ALLOW_PUBLIC=true"
        )
    for name in ("cors", "jwt", "client_certificates"):
        if values.get(name):  # with what it leaves to defaults, which may change
            values[name] = getattr(body, name).model_dump()
    if door := values.get("client_certificates"):
        door["authorities"] = bundle(door["authorities"])
    if pattern := values.get("request_logging_excluded_paths"):
        compiled("request_logging_excluded_paths", pattern)
    return values


def refers(values: dict[str, Any]) -> None:
    """See that a new service says what is behind it: a deployment, or a service of a cluster."""
    if values["type"] == "deployment":
        if values.get("deployment") is None:
            raise Invalid("deployment: is required")
        return
    for name in ("imported_name", "imported_namespace"):
        if not values[name]:
            raise Invalid(f"{name}: is required for a service of type imported")
    refers_to_no_deployment(values, values["imported_name"])


def refers_to_no_deployment(values: dict[str, Any], shown: str) -> None:
    """An imported service has none. Answers show its imported name there, so that may come back."""
    if values.pop("deployment", None) not in (None, shown):
        raise Invalid("deployment: must be left out for a service of type imported")
    if values.pop("version", None) is not None:
        raise Invalid("version: must be left out for a service of type imported")


def compiled(field: str, pattern: str) -> Any:
    """What is matched is matched with RE2, whose time is linear: what RE2 cannot read is refused here."""
    import re2  # 6 MB that few installations need

    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        reason = error.args[0].decode() if error.args and isinstance(error.args[0], bytes) else error
        raise Invalid(f"{field}: must be an RE2 regular expression: {reason}") from None
