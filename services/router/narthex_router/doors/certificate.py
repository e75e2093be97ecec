"""Client certificates: who somebody is by the certificate that their connection's handshake has verified. Pure.

A certificate counts for services that trust the very authorities it was verified by, and for nobody else's: one that
A's authority has signed is nothing at B, over the same connection too.
"""

import hashlib
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from narthex_router.doors.policy import ClientCertificates
from narthex_router.doors.question import Refusal
from narthex_router.route import Caller, Route, outsider

# What may be the caller's name, and where Python's `getpeercert` has it.
_ALTERNATIVE = {"email": "email", "dns": "DNS", "uri": "URI"}
COMMON_NAME = "common_name"


@dataclass(frozen=True, slots=True)
class Asked:
    """What a connection's handshake asked of the client, and what it got."""

    authorities: str  # by which a certificate was, or would have been, verified
    names: Mapping[str, tuple[str, ...]] | None  # by kind; None: the client has shown no certificate
    expires_at: float = 0.0  # Unix seconds


def authorities(route: Route) -> str:
    """Whose certificates clients of a service are asked for, as PEM; empty: they are asked for none."""
    door = route.doors.client_certificates if route.doors is not None and route.authentication_required else None
    return door.authorities if door is not None else ""


def asked(authorities: str, certificate: Mapping[str, Any] | None) -> Asked:
    """What a handshake came to; `certificate` is what `getpeercert` says of one that was verified."""
    if not certificate:
        return Asked(authorities, None)
    others = certificate.get("subjectAltName", ())
    names = {kind: tuple(each[1] for each in others if each[0] == theirs) for kind, theirs in _ALTERNATIVE.items()}
    subject = [pair for part in certificate.get("subject", ()) for pair in part]
    names[COMMON_NAME] = tuple(value for name, value in subject if name == "commonName")
    return Asked(authorities, names, float(ssl.cert_time_to_seconds(certificate["notAfter"])))


def holder(route: Route, door: ClientCertificates, shown: Asked) -> Caller:
    """Who has shown a certificate, and that it lets them in. Raises Refusal."""
    name = name_of(door, shown.names or {})
    identity = "cert-" + hashlib.sha256(f"{route.service_id}\0{name}".encode()).hexdigest()[:32]
    return outsider(identity, name, route.service_id, shown.expires_at)


def name_of(door: ClientCertificates, names: Mapping[str, tuple[str, ...]]) -> str:
    """The caller's name: the one that the service lets in, else the only one. Raises Refusal."""
    found = names.get(door.user, ())
    if door.names:
        allowed = [name for name in found if name in door.names]
        if not allowed:
            raise Refusal("permission_denied", "This service lets in other client certificates, by name; not this one")
        return allowed[0]
    if len(found) != 1 or not found[0]:
        raise Refusal("token_invalid", f"The client certificate must say in one {door.user} whose it is")
    return found[0]
