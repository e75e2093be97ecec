"""Names and addresses, parsed once at the edge.

Each parser returns the value in the form that the rest of the system uses, or raises `ValueError` with one
sentence that states the rule; pydantic turns that sentence into a 400 that names the field.
"""

import ipaddress
import re
from typing import Annotated, Any

from pydantic import AfterValidator, Field

MIN_SERVICE_PORT = 1025  # below are privileged ports, which an unprivileged application cannot hold
MAX_PORT = 65535

# Labels that would shadow the platform's own hosts, or that browsers and mail clients treat specially.
RESERVED_LABELS = frozenset(
    {"www", "api", "app", "admin", "mail", "localhost", "_acme-challenge", "autodiscover", "wpad", "services"}
)

_NAME = re.compile(r"[a-z][a-z0-9-]{0,63}")
_DEPLOYMENT = re.compile(r"[a-z][a-z0-9_-]{0,63}")
_VERSION = re.compile(r"[A-Za-z0-9_-]{1,64}")
_IDENTITY = re.compile(r"[A-Za-z0-9._~+/=-]{16,128}")
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_NAME_RULE = "must be 1 to 64 characters of lowercase letters, digits and dashes, starting with a letter"
_DEPLOYMENT_RULE = (
    "must be 1 to 64 characters of lowercase letters, digits, dashes and underscores, starting with a letter"
)
_VERSION_RULE = "must be 1 to 64 characters of letters, digits, underscores and dashes"


def parse_name(text: str) -> str:
    """A project or service name: 1 to 64 of a-z, 0-9 and dash, starting with a letter."""
    if not _NAME.fullmatch(text):
        raise ValueError(_NAME_RULE)
    return text


def parse_identity(text: str) -> str:
    """What an instance says when it is asked who it is: long enough that nobody guesses it."""
    if not _IDENTITY.fullmatch(text):
        raise ValueError("must be 16 to 128 letters, digits and ._~+/=-")
    return text


def parse_deployment_name(text: str) -> str:
    """A deployment name: as others, and with underscores, which UbiOps takes there too."""
    if not _DEPLOYMENT.fullmatch(text):
        raise ValueError(_DEPLOYMENT_RULE)
    return text


def parse_version_name(text: str) -> str:
    """A version name: 1 to 64 of letters, digits, underscore and dash (UbiOps accepts `v1`, `V_2`)."""
    if not _VERSION.fullmatch(text):
        raise ValueError(_VERSION_RULE)
    return text


def parse_service_port(port: int) -> int:
    """A port inside an instance: 1025 to 65535."""
    if not MIN_SERVICE_PORT <= port <= MAX_PORT:
        raise ValueError(f"must be between {MIN_SERVICE_PORT} and {MAX_PORT}")
    return port


def parse_hostname(text: str) -> str:
    """A DNS name in lower case without a trailing dot (RFC 1123 labels, 253 characters at most)."""
    host = text.lower().removesuffix(".")
    # Before it is in lower case: the Kelvin sign becomes a k.
    if (
        not text.isascii()
        or not host
        or len(host) > 253
        or not all(_LABEL.fullmatch(label) for label in host.split("."))
    ):
        raise ValueError(
            "must be a DNS name: labels of 1 to 63 letters, digits and inner dashes, separated by dots, "
            "253 characters at most"
        )
    return host


def parse_domain(text: str) -> str:
    """An installation's domain: a DNS name that is not an IP address."""
    host = parse_hostname(text)
    if re.fullmatch(r"[0-9.]+", host):
        raise ValueError("must be a DNS name, not an IP address")
    # `*.services.` and a 36 character id still have to fit in front of it.
    if len(host) > 253 - len("services.") - 37:
        raise ValueError("must leave room for <service-id>.services. in front: 207 characters at most")
    return host


def parse_instance_address(text: str) -> str:
    """Where an instance listens: an IPv4 or IPv6 address, or a DNS name; without scheme, port or path."""
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        pass
    if re.fullmatch(r"[0-9.]+", text):
        raise ValueError("must be an IP address or a DNS name, without scheme, port or path")
    try:
        return parse_hostname(text)
    except ValueError:
        raise ValueError("must be an IP address or a DNS name, without scheme, port or path") from None


def parse_email(text: str) -> str:
    """An e-mail address in lower case: one @, printable ASCII without spaces, 254 characters at most."""
    address = text.strip(" ").lower()
    well_formed = text.isascii() and re.fullmatch(r"[!-?A-~]{1,64}@[!-?A-~]{1,253}", address)
    if len(address) > 254 or not well_formed:
        raise ValueError("must be an e-mail address of at most 254 characters")
    return address


def parse_organization_name(text: str) -> str:
    """An organization's name: 1 to 64 of letters, digits, space, dot, underscore and dash."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,63}", text) or text.endswith(" "):
        raise ValueError(
            "must be 1 to 64 letters, digits, spaces, dots, underscores and dashes, starting with a letter or digit"
        )
    return text


def told(pattern: re.Pattern[str], rule: str) -> Any:
    """A rule as OpenAPI says it: forms check by the pattern and show the sentence (`x-rule`)."""
    return Field(json_schema_extra={"pattern": f"^{pattern.pattern}$", "x-rule": rule})


Name = Annotated[str, AfterValidator(parse_name), told(_NAME, _NAME_RULE)]
EmailAddress = Annotated[str, AfterValidator(parse_email)]
OrganizationName = Annotated[str, AfterValidator(parse_organization_name)]
DeploymentName = Annotated[str, AfterValidator(parse_deployment_name), told(_DEPLOYMENT, _DEPLOYMENT_RULE)]
VersionName = Annotated[str, AfterValidator(parse_version_name), told(_VERSION, _VERSION_RULE)]
ServicePort = Annotated[
    int,
    AfterValidator(parse_service_port),
    Field(json_schema_extra={"minimum": MIN_SERVICE_PORT, "maximum": MAX_PORT}),
]
Hostname = Annotated[str, AfterValidator(parse_hostname)]
InstanceAddress = Annotated[str, AfterValidator(parse_instance_address)]


def service_host(service_id: str, domain: str) -> str:
    """The host name under which a service is reached: `<service-id>.services.<domain>`."""
    return f"{service_id}.services.{domain}"
