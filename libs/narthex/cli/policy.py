"""The options of a service's policy, the same for making and changing one."""

from narthex.cli.fields import (
    choice,
    clearable,
    document,
    fraction,
    number,
    pairs,
    seconds,
    several,
    switch,
    text,
    whole,
)
from narthex.contracts.entities import Balancing, LimitPolicy, WhenUnknown

LIMITS = (
    number("rate_limit", "rate_limit", "Requests a minute, of all callers."),
    number("rate_limit_user", "rate_limit_user_default", "Requests a minute, of each token."),
    number("concurrency_limit", "concurrency_limit", "Requests in flight, of all callers."),
    number("concurrency_limit_user", "concurrency_limit_user_default", "Requests in flight, of each token."),
    choice("limit_policy", "limit_policy", "Refuse, or only count what would be.", [*LimitPolicy]),
    number("limit_max_wait_ms", "limit_max_wait_ms", "How long a request waits for its turn."),
    choice("limit_when_unknown", "limit_when_unknown", "When nobody can be asked.", [*WhenUnknown]),
)

POLICY = (
    switch(
        "public", "authentication_required", "--public/--authenticated", "Whether callers need no token.", inverted=True
    ),
    switch(
        "token_method",
        "authentication_method_token_enabled",
        "--token-method/--no-token-method",
        "Whether tokens are a way in.",
    ),
    switch(
        "pass_authorization",
        "authentication_header_pass_through",
        "--pass-authorization/--strip-authorization",
        "Whether the application sees Authorization.",
    ),
    switch(
        "browser_sign_in", "browser_sign_in", "--browser-sign-in/--no-browser-sign-in", "Whether browsers get a form."
    ),
    several("ip_allow", "ip_allow", "Only callers from these networks; repeatable.", metavar="NETWORK"),
    several("ip_deny", "ip_deny", "No callers from these; repeatable.", metavar="NETWORK"),
    document("cors", "cors", "Which pages of other origins may read answers, as JSON."),
    document("jwt", "jwt", "Whose JSON Web Tokens are a way in, as JSON."),
    text("description", "description", "Free text, 400 characters at most."),
    pairs("label", "labels", "A label; repeatable."),
    *LIMITS,
    choice("balancing", "balancing", "Which instance gets a request.", [*Balancing]),
    clearable("affinity", "affinity", "What makes a session: header:<name> or cookie:<name>."),
    seconds("connect_timeout", "connect_timeout", "To connect to an instance."),
    seconds("first_byte_timeout", "first_byte_timeout", "Until the answer begins."),
    seconds("idle_timeout", "idle_timeout", "Without a byte either way."),
    seconds("total_timeout", "total_timeout", "For the whole exchange."),
    number("max_body_bytes", "max_body_bytes", "Of a request.", metavar="BYTES"),
    number(
        "instance_concurrency_limit",
        "instance_concurrency_limit",
        "Requests in flight, of each instance.",
    ),
    seconds("slow_start", "slow_start", "Until an instance that became healthy has its whole share."),
    seconds("instance_max_wait", "instance_max_wait", "That a request waits for an instance."),
    switch(
        "cache_aware_llm_routing",
        "cache_aware_llm_routing",
        "--cache-aware-llm-routing/--no-cache-aware-llm-routing",
        "Kept for UbiOps scripts.",
    ),
    text(
        "not_logged",
        "request_logging_excluded_paths",
        "Requests to these paths are not logged.",
        metavar="REGEX",
    ),
    several(
        "not_logged_extension",
        "request_logging_excluded_extensions",
        "Nor those to paths that end so; repeatable.",
    ),
    fraction("log_sample", "request_logging_sample", "The share of good requests that is logged, 0 to 1."),
    whole("log_max_body", "request_logging_max_body", "Of each body that is kept.", metavar="BYTES"),
    several("redact_header", "request_logging_redact_headers", "Whose value is not kept; repeatable.", metavar="NAME"),
    several("redact_field", "request_logging_redact_fields", "Of JSON bodies, likewise.", metavar="NAME"),
    text("imported_name", "imported_name", "The Kubernetes service, or a host name."),
    text("imported_namespace", "imported_namespace", "Its namespace."),
    text("imported_cluster_domain", "imported_cluster_domain", "Its cluster's domain."),
)
