"""An issuer of OpenID Connect for tests: it signs in whoever it is told to, and remembers what it was asked."""

import base64
import hashlib
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import ec

CLIENT, SECRET = "narthex", "s3cret: with a space"


@dataclass
class Issuer:
    """What it says of who has signed in, and how it signs."""

    url: str = ""
    claims: dict[str, Any] = field(default_factory=dict)  # in place of the right ones, or besides
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    signs_with: Any = None  # another key than the one it publishes
    asked: dict[str, dict[str, str]] = field(default_factory=dict)  # code -> the authorization request
    forms: list[dict[str, str]] = field(default_factory=list)

    def code(self, location: str) -> str:
        """Sign in by an authorization URL; the code to come back with."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}
        code = f"code-{len(self.asked)}"
        self.asked[code] = asked
        return code

    async def authorize(self, request: web.Request) -> web.Response:
        """Sends a browser back at once: whoever comes is let in."""
        code = self.code(str(request.url))
        asked = self.asked[code]
        query = urlencode({"code": code, "state": asked["state"]})
        raise web.HTTPFound(f"{asked['redirect_uri']}?{query}")

    async def about(self, request: web.Request) -> web.Response:
        return web.json_response(
            {
                "issuer": self.url,
                "authorization_endpoint": f"{self.url}/authorize",
                "token_endpoint": f"{self.url}/token",
                "jwks_uri": f"{self.url}/keys",
            }
        )

    async def keys(self, request: web.Request) -> web.Response:
        public = jwt.algorithms.ECAlgorithm.to_jwk(self.key.public_key(), as_dict=True)
        return web.json_response({"keys": [{**public, "kid": "one", "alg": "ES256", "use": "sig"}]})

    async def token(self, request: web.Request) -> web.Response:
        form = {name: str(value) for name, value in (await request.post()).items()}
        self.forms.append({**form, "authorization": request.headers.get("Authorization", "")})
        asked = self.asked.pop(form["code"], None)
        if asked is None:
            return web.json_response({"error": "invalid_grant"}, status=400)
        digest = base64.urlsafe_b64encode(hashlib.sha256(form["code_verifier"].encode()).digest()).rstrip(b"=")
        if digest.decode() != asked["code_challenge"] or form["redirect_uri"] != asked["redirect_uri"]:
            return web.json_response({"error": "invalid_grant"}, status=400)
        now = int(time.time())
        claims = {"iss": self.url, "aud": CLIENT, "sub": "1", "iat": now, "exp": now + 300, "nonce": asked["nonce"]}
        claims |= {"email": "ada@people.test", "email_verified": True} | self.claims
        signed = jwt.encode(
            {name: value for name, value in claims.items() if value is not None},
            self.signs_with or self.key,
            algorithm="ES256" if not isinstance(self.signs_with, str) else "HS256",
            headers={"kid": "one"},
        )
        return web.json_response({"access_token": "x", "token_type": "Bearer", "id_token": signed})


@asynccontextmanager
async def issuing() -> AsyncIterator[Issuer]:
    issuer = Issuer()
    app = web.Application()
    app.add_routes(
        [
            web.get("/.well-known/openid-configuration", issuer.about),
            web.get("/authorize", issuer.authorize),
            web.get("/keys", issuer.keys),
            web.post("/token", issuer.token),
        ]
    )
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        issuer.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield issuer
    finally:
        await runner.cleanup()
