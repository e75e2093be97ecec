"""JSON Web Tokens of an issuer that a service trusts (RFC 7519, RFC 8725). Pure: the keys are at hand.

Only signatures of key pairs count: `none` and shared secrets are no algorithms here, and which one a key is for is
up to the key.
"""

import hashlib
from collections.abc import Collection, Mapping
from typing import Any

from narthex_router.doors.policy import Issuer
from narthex_router.doors.question import Refusal
from narthex_router.route import Caller, outsider, printable

ALGORITHMS = {
    "RSA": ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    "EC": ("ES256", "ES384", "ES512"),
    "OKP": ("EdDSA",),
}
SKEW_S = 60.0  # between the issuer's clock and ours
CHECKED_FOR_S = 300.0  # then it is verified again, so that a key that was withdrawn is worth nothing after that
LONGEST = 8192

Key = dict[str, Any]  # a JSON Web Key


def looks_like_one(credential: bytes) -> bool:
    return credential.count(b".") == 2


def key_of(credential: bytes, keys: Mapping[str, Key]) -> Key | None:
    """The key that it says it was signed with; None when the set has none like that. Raises Refusal."""
    import jwt

    if len(credential) > LONGEST:
        raise Refusal("token_invalid", f"the JWT is longer than {LONGEST} bytes")
    try:
        header = jwt.get_unverified_header(credential)
    except jwt.PyJWTError:
        raise Refusal("token_invalid", "the JWT cannot be read") from None
    if header.get("alg") not in {each for algorithms in ALGORITHMS.values() for each in algorithms}:
        raise Refusal("token_invalid", "the JWT must be signed with RS, PS, ES or EdDSA")
    kid = header.get("kid")
    if isinstance(kid, str):
        return keys.get(kid)
    return next(iter(keys.values())) if len(keys) == 1 else None


def verify(credential: bytes, key: Key, issuer: Issuer) -> dict[str, Any]:
    """What the issuer says of the caller. Raises Refusal."""
    import jwt  # with what it needs 4 MB that most workers never need

    algorithm = str(jwt.get_unverified_header(credential)["alg"])
    if algorithm not in ALGORITHMS.get(key.get("kty", ""), ()) or key.get("alg", algorithm) != algorithm:
        raise Refusal("token_invalid", "the JWT is signed with an algorithm that its key is not for")
    try:
        claims: dict[str, Any] = jwt.decode(
            credential,
            jwt.PyJWK(key, algorithm=algorithm),
            algorithms=[algorithm],
            issuer=issuer.issuer,
            audience=issuer.audience,
            leeway=SKEW_S,
            options={"require": ["exp", "iss", "aud"]},
        )
    except jwt.ExpiredSignatureError:
        raise Refusal("token_expired", "the JWT has expired; ask its issuer for a new one") from None
    except (jwt.PyJWTError, jwt.PyJWKError) as error:
        raise Refusal("token_invalid", f"the JWT is not good here: {error}") from None
    return claims


def caller_of(
    claims: Mapping[str, Any], issuer: Issuer, calling_roles: Collection[str], service_id: str, now: float
) -> Caller:
    """Who it is, and that they may call the service. Raises Refusal."""
    for path, wanted in issuer.required_claims.items():
        if not said(claims, path) & set(wanted):
            raise Refusal("permission_denied", f"the JWT's claim {path} must be one of: {', '.join(wanted)}")
    roles = roles_of(claims, issuer)
    if issuer.roles and not any(role in calling_roles for role in roles):
        raise Refusal("permission_denied", "the JWT's claims stand for no role that may call this service")
    user = claims.get(issuer.user_claim)
    if not isinstance(user, str) or not user:
        raise Refusal("token_invalid", f"the JWT must say who it is for, in the claim {issuer.user_claim}")
    identity = "jwt-" + hashlib.sha256(f"{issuer.issuer}\0{user}".encode()).hexdigest()[:32]
    expires_at = min(float(claims["exp"]) + SKEW_S, now + CHECKED_FOR_S)
    return outsider(identity, user, service_id, expires_at, b", ".join(map(printable, roles)))


def roles_of(claims: Mapping[str, Any], issuer: Issuer) -> list[str]:
    """The roles that somebody comes with, each once."""
    return sorted({each.role for each in issuer.roles if said(claims, each.claim) & set(each.values)})


def said(claims: Mapping[str, Any], path: str) -> set[str]:
    """The values at `path`, which may lead into objects (`realm_access.roles`); `scope` has several in one text."""
    value: Any = claims.get(path)
    if value is None:
        value = claims
        for part in path.split("."):
            value = value.get(part) if isinstance(value, dict) else None
    if isinstance(value, bool):
        return {"true" if value else "false"}
    if isinstance(value, str):
        return set(value.split(" ")) if path in ("scope", "scp") else {value}
    return {each for each in value if isinstance(each, str)} if isinstance(value, list) else set()
