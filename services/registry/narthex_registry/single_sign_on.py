"""Single sign-on for the web app: OpenID Connect's authorization code flow with PKCE, state and nonce.

Whoever the issuer says it is has to be a person of this installation, by an e-mail address that the issuer has
verified. What a browser carries meanwhile is signed, in a cookie of its own, and good for ten minutes.
"""

import asyncio
import base64
import hashlib
import hmac
import json
import secrets
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote_plus, urlencode, urlsplit

import aiohttp
import jwt
from aiohttp import ClientError, encode_basic_auth

from narthex.contracts.errors import NarthexError
from narthex.contracts.names import parse_email
from narthex.runtime.clock import Clock
from narthex_registry.config import SingleSignOnSettings

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
LASTS_S = 600  # at the issuer
LEEWAY_S = 60  # clocks differ
KEPT_S = 600.0  # what the issuer says of itself
ANEW_S = 60.0  # sooner for a key that is not known
WITHIN_S = 10.0
MOST_BYTES = 1024**2
_ISSUER = "narthex single sign-on"


class SignInFailed(NarthexError):
    """Somebody comes back from the issuer and is not signed in; `reason` is a word that the web app has a text for."""

    code = "single_sign_on"
    status = 401

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True)
class Errand:
    """What a browser carries to the issuer and back."""

    state: str
    nonce: str
    verifier: str
    target: str  # path to go on with

    @classmethod
    def new(cls, target: str) -> "Errand":
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        return cls(state, nonce, verifier, target)

    def challenge(self) -> str:
        digest = hashlib.sha256(self.verifier.encode()).digest()
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()

    def sealed(self, key: bytes, now: float) -> str:
        said = {"iss": _ISSUER, "exp": int(now + LASTS_S), **vars(self)}
        return jwt.encode(said, key, algorithm="HS256")


def errand(key: bytes, text: str, state: str) -> Errand:
    """The errand of a browser that comes back with a state. Raises SignInFailed."""
    options: jwt.types.Options = {"require": ["exp"], "verify_iat": False}
    try:
        said = jwt.decode(text, key, algorithms=["HS256"], issuer=_ISSUER, options=options)
        found = Errand(said["state"], said["nonce"], said["verifier"], said["target"])
    except (jwt.PyJWTError, KeyError):
        raise SignInFailed("expired", "the sign-in has expired, or was begun in another browser") from None
    if not hmac.compare_digest(found.state.encode(), state.encode()):
        raise SignInFailed("expired", "the sign-in was begun in another window, or by somebody else")
    return found


class SingleSignOn:
    """Knows the issuer."""

    def __init__(self, settings: SingleSignOnSettings, http: aiohttp.ClientSession, clock: Clock) -> None:
        self.settings = settings
        self._http = http
        self._clock = clock
        self._about: dict[str, Any] = {}
        self._keys: dict[str, jwt.PyJWK] = {}
        self._read_at = float("-inf")
        self._reading = asyncio.Lock()

    async def way(self, sent: Errand, redirect_uri: str) -> str:
        """Where a browser goes to sign in."""
        about = await self._issuer()
        query = {
            "response_type": "code",
            "client_id": self.settings.client_id,
            "redirect_uri": redirect_uri,
            "scope": self.settings.scopes,
            "state": sent.state,
            "nonce": sent.nonce,
            "code_challenge": sent.challenge(),
            "code_challenge_method": "S256",
        }
        endpoint = str(about["authorization_endpoint"])
        return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(query)}"

    async def email(self, sent: Errand, code: str, redirect_uri: str) -> str:
        """Who has signed in, by what a code is worth. Raises SignInFailed."""
        about = await self._issuer()
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "client_id": self.settings.client_id,
            "code_verifier": sent.verifier,
        }
        answer = await self._json("POST", str(about["token_endpoint"]), data=form, headers=self._credential())
        return verified_email(await self._claims(str(answer.get("id_token", "")), sent.nonce))

    def _credential(self) -> dict[str, str]:
        """Who asks; RFC 6749, section 2.3.1: both parts are encoded before they are put together."""
        secret = self.settings.client_secret.get_secret_value()
        if not secret:
            return {}
        return {"Authorization": encode_basic_auth(quote_plus(self.settings.client_id), quote_plus(secret))}

    async def _claims(self, token: str, nonce: str) -> dict[str, Any]:
        """What a genuine ID token of the issuer's says (OpenID Connect Core 1.0, section 3.1.3.7)."""
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                await self._key(token),
                algorithms=list(ALGORITHMS),
                audience=self.settings.client_id,
                issuer=self.settings.issuer,
                leeway=LEEWAY_S,
                options={"require": ["exp", "iat", "sub", "aud", "iss"]},
            )
        except jwt.PyJWTError as error:
            raise SignInFailed("failed", f"the issuer's answer is not genuine: {error}") from None
        if not hmac.compare_digest(str(claims.get("nonce", "")).encode(), nonce.encode()):
            raise SignInFailed("failed", "the issuer's answer is to another question")
        if claims.get("azp", self.settings.client_id) != self.settings.client_id:
            raise SignInFailed("failed", "the issuer's answer is for another program")
        return claims

    async def _key(self, token: str) -> jwt.PyJWK:
        """The key that a token says it is signed with; one that is not known may be new."""
        name = str(jwt.get_unverified_header(token).get("kid", ""))
        if name not in self._keys and self._clock.monotonic() - self._read_at > ANEW_S:
            self._read_at = float("-inf")
        await self._issuer()
        if not name and len(self._keys) == 1:
            return next(iter(self._keys.values()))
        if name not in self._keys:
            raise SignInFailed("failed", "the issuer's answer is signed with a key that it does not name")
        return self._keys[name]

    async def _issuer(self) -> dict[str, Any]:
        """What the issuer says of itself; with its keys."""
        async with self._reading:
            if self._clock.monotonic() - self._read_at > KEPT_S:
                issuer = self.settings.issuer
                about = await self._json("GET", f"{issuer.removesuffix('/')}/.well-known/openid-configuration")
                if about.get("issuer") != issuer:
                    raise SignInFailed("failed", f"the issuer calls itself {about.get('issuer')!r}, not {issuer!r}")
                if not {"authorization_endpoint", "token_endpoint", "jwks_uri"} <= about.keys():
                    raise SignInFailed("failed", "the issuer does not say where to sign in")
                keys = jwt.PyJWKSet.from_dict(await self._json("GET", str(about["jwks_uri"]))).keys
                self._keys = {key.key_id or "": key for key in keys if key.key_type != "oct"}
                self._about, self._read_at = about, self._clock.monotonic()
        return self._about

    async def _json(self, method: str, url: str, **more: Any) -> dict[str, Any]:
        """An answer of the issuer's, over TLS unless it is on this machine."""
        parts = urlsplit(url)
        if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _THIS_MACHINE):
            raise SignInFailed("failed", f"{url} is not https")
        try:
            async with self._http.request(method, url, allow_redirects=False, **more) as response:
                if response.status != 200:
                    raise SignInFailed("failed", f"{parts.hostname} answered {response.status}")
                content = b""
                async for chunk in response.content.iter_chunked(64 * 1024):
                    content += chunk
                    if len(content) > MOST_BYTES:
                        raise SignInFailed("failed", f"{parts.hostname} answered more than {MOST_BYTES} bytes")
        except (ClientError, TimeoutError, OSError) as error:
            raise SignInFailed("away", f"the issuer cannot be reached: {type(error).__name__}") from None
        return json_object(content)


_THIS_MACHINE = frozenset({"127.0.0.1", "::1", "localhost"})


def json_object(content: bytes) -> dict[str, Any]:
    try:
        found = json.loads(content)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise SignInFailed("failed", "the issuer answered something that is no JSON object")
    return found


def verified_email(claims: dict[str, Any]) -> str:
    """The address that an issuer vouches for."""
    email = claims.get("email")
    if not isinstance(email, str) or not email or claims.get("email_verified") is not True:
        raise SignInFailed("unverified_email", "the issuer names no e-mail address that it has verified")
    try:
        return parse_email(email)  # not just in lower case: that would make the Kelvin sign a k, and somebody else
    except ValueError as error:
        raise SignInFailed("unverified_email", f"the issuer names an e-mail address that {error}") from None
