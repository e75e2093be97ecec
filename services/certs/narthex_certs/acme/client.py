"""The requests of an ACME client, each by itself; state is the account's address and a few nonces."""

import asyncio
import json
import re
from collections.abc import Sequence
from typing import Any, TypeVar

import aiohttp
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from multidict import MultiMapping
from pydantic import BaseModel, ValidationError

from narthex.runtime.clock import Clock
from narthex.runtime.release import VERSION
from narthex_certs.acme.messages import Account, Authorization, Challenge, Directory, Order, OrderList, RenewalInfo
from narthex_certs.acme.problem import CaAway, Problem, retry_after
from narthex_certs.acme.signing import AccountKey, Binding, base64url, renewal_id

USER_AGENT = f"narthex/{VERSION} (ACME; RFC 8555)"  # section 6.1: a CA wants to know whom it talks to
TIMEOUT_S = 45.0
MOST_BYTES = 1 << 20
NONCES_KEPT = 50
PAGES = 50  # of a list of orders
BAD_NONCES = 50  # in a row: a CA that refuses more is out of order

Read = TypeVar("Read", bound=BaseModel)


class Answer:
    """What the CA answered: status, headers, body."""

    def __init__(self, status: int, headers: MultiMapping[str], body: bytes) -> None:
        self.status = status
        self.headers = headers
        self.body = body


class Client:
    """One account at one CA. `register` comes before everything that is signed for it."""

    def __init__(
        self, session: aiohttp.ClientSession, directory_url: str, key: AccountKey, clock: Clock, account_url: str = ""
    ) -> None:
        self._session = session
        self._directory_url = directory_url
        self._clock = clock
        self._directory: Directory | None = None
        self._nonces: list[str] = []
        self.key = key
        self.account_url = account_url
        self.requests = 0

    # -- the account ----------------------------------------------------------------------------------------

    async def directory(self) -> Directory:
        if self._directory is None:
            answer = await self._send("GET", self._directory_url)
            self._check(answer)
            self._directory = _read(answer, Directory)
        return self._directory

    async def register(self, contact: Sequence[str], binding: Binding | None) -> str:
        """The account of the key, made when there is none; the CA's terms are agreed to (section 7.3)."""
        directory = await self.directory()
        wanted: dict[str, Any] = {"termsOfServiceAgreed": True, "contact": list(contact)}
        if binding is not None:
            wanted["externalAccountBinding"] = self.key.bind(binding, directory.new_account)
        answer = await self._post(directory.new_account, wanted, as_account=False)
        self.account_url = _location(answer)
        return self.account_url

    async def find(self) -> bool:
        """Whether the CA knows an account by this key (section 7.3.1)."""
        try:
            answer = await self._post(
                (await self.directory()).new_account, {"onlyReturnExisting": True}, as_account=False
            )
        except Problem as problem:
            if problem.kind == "accountDoesNotExist":
                return False
            raise
        self.account_url = _location(answer)
        return True

    async def change_key(self, key: AccountKey) -> None:
        """Have the account go on with another key (section 7.3.5)."""
        url = (await self.directory()).key_change
        await self._post(url, self.key.prove_successor(key, url, self.account_url))
        self.key = key

    async def known_orders(self) -> tuple[str, ...]:
        """The account's orders, where the CA lists them (section 7.1.2.1: those that are not over)."""
        page = _read(await self._post(self.account_url), Account).orders
        found: list[str] = []
        for _ in range(PAGES):
            if not page:
                break
            try:
                answer = await self._post(page)
                found += _read(answer, OrderList).orders
            except (Problem, CaAway):
                break  # Let's Encrypt names such a list and has none
            page = next(iter(_links(answer, "next")), "")
        return tuple(found)

    # -- an order -------------------------------------------------------------------------------------------

    async def new_order(self, hosts: Sequence[str], *, profile: str = "", replaces: str = "") -> tuple[str, Order]:
        """Order a certificate for these hosts; returns the order's address and state."""
        directory = await self.directory()
        wanted: dict[str, Any] = {"identifiers": [{"type": "dns", "value": host} for host in hosts]}
        if profile:
            wanted["profile"] = profile
        if replaces and directory.renewal_info:
            wanted["replaces"] = replaces  # RFC 9773 section 5: it is then no new certificate to the CA's limits
        answer = await self._post(directory.new_order, wanted)
        return _location(answer), self._order(answer)

    async def order(self, url: str) -> Order:
        return self._order(await self._post(url))

    async def authorization(self, url: str) -> Authorization:
        return _read(await self._post(url), Authorization)

    async def answer(self, challenge: Challenge) -> None:
        """Say that the CA may look (section 7.5.1)."""
        await self._post(challenge.url, {})

    async def finalize(self, order: Order, request: x509.CertificateSigningRequest) -> Order:
        return self._order(await self._post(order.finalize, {"csr": base64url(request.public_bytes(Encoding.DER))}))

    async def chains(self, url: str, *, alternatives: bool) -> list[str]:
        """The certificate with its chain, as PEM; and the other chains that the CA offers (section 7.4.2)."""
        answer = await self._post(url)
        others = [await self._post(link) for link in _links(answer, "alternate")] if alternatives else []
        return [each.body.decode("ascii", "replace") for each in (answer, *others)]

    # -- a certificate --------------------------------------------------------------------------------------

    async def revoke(self, certificate: x509.Certificate, reason: int) -> None:
        directory = await self.directory()
        body = {"certificate": base64url(certificate.public_bytes(Encoding.DER)), "reason": reason}
        await self._post(directory.revoke, body)

    async def renewal_info(self, certificate: x509.Certificate) -> RenewalInfo | None:
        """When the CA would like it renewed; None where it has no opinion (RFC 9773)."""
        base, name = (await self.directory()).renewal_info, renewal_id(certificate)
        if not base or not name:
            return None
        answer = await self._send("GET", f"{base.rstrip('/')}/{name}")
        self._check(answer)
        return _read(answer, RenewalInfo).model_copy(update={"retry_after_s": self._wait(answer)})

    # -- steps ----------------------------------------------------------------------------------------------

    def _order(self, answer: Answer) -> Order:
        return _read(answer, Order).model_copy(update={"retry_after_s": self._wait(answer)})

    async def _post(self, url: str, payload: dict[str, Any] | None = None, *, as_account: bool = True) -> Answer:
        """A signed request. A nonce that is refused is replaced by that of the refusal (section 6.5)."""
        account = self.account_url if as_account else ""
        assert account or not as_account, "register() comes first"
        for _ in range(BAD_NONCES):
            body = self.key.sign(payload, url, await self._nonce(), account)
            answer = await self._send("POST", url, body)
            try:
                self._check(answer)
            except Problem as problem:
                if problem.kind != "badNonce":
                    raise
            else:
                return answer
        raise CaAway(f"the CA refused {BAD_NONCES} nonces in a row")

    async def _nonce(self) -> str:
        if not self._nonces:
            answer = await self._send("HEAD", (await self.directory()).new_nonce)
            if not self._nonces:
                raise CaAway(f"the CA gave no nonce (HTTP {answer.status})", self._wait(answer))
        return self._nonces.pop()

    async def _send(self, method: str, url: str, body: dict[str, str] | None = None) -> Answer:
        self.requests += 1
        headers = {"User-Agent": USER_AGENT}
        data = None
        if body is not None:
            headers["Content-Type"] = "application/jose+json"
            data = json.dumps(body).encode()
        try:
            async with (
                asyncio.timeout(TIMEOUT_S),
                self._session.request(method, url, data=data, headers=headers, allow_redirects=False) as response,
            ):
                text = b"" if method == "HEAD" else await _bounded(response)
                found = Answer(response.status, response.headers, text)
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise CaAway(f"the CA at {url} is away: {str(error) or type(error).__name__}") from error
        nonce = found.headers.get("Replay-Nonce", "")
        if nonce and len(self._nonces) < NONCES_KEPT:
            self._nonces.append(nonce)
        return found

    def _check(self, answer: Answer) -> None:
        """Raise what the CA says is wrong."""
        if 200 <= answer.status < 300:
            return
        wait = self._wait(answer)
        try:
            document = json.loads(answer.body)
        except ValueError:
            document = None
        if not isinstance(document, dict) or "type" not in document:
            raise CaAway(f"the CA answered HTTP {answer.status} without a problem document", wait)
        problem = Problem(answer.status, document, wait)
        if answer.status >= 500 and problem.kind in ("serverInternal", "about:blank"):
            raise CaAway(problem.message, wait)
        raise problem

    def _wait(self, answer: Answer) -> float:
        return retry_after(answer.headers.get("Retry-After"), self._clock.now())


async def _bounded(response: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    async for piece in response.content.iter_chunked(65536):
        body += piece
        if len(body) > MOST_BYTES:
            raise ValueError(f"an answer of more than {MOST_BYTES} bytes")
    return bytes(body)


def _links(answer: Answer, relation: str) -> list[str]:
    """Where the answer's links of a relation lead. aiohttp's own `links` keeps one of each."""
    return [
        target
        for header in answer.headers.getall("Link", [])
        for target, parameters in re.findall(r"<([^>]*)>((?:\s*;[^,<]*)*)", header)
        if re.search(rf"""rel\s*=\s*"?{relation}\b""", parameters)
    ]


def _location(answer: Answer) -> str:
    url = answer.headers.get("Location", "")
    if not url:
        raise CaAway("the CA did not say where what it made is")
    return url


def _read(answer: Answer, model: type[Read]) -> Read:
    try:
        return model.model_validate_json(answer.body)
    except ValidationError as error:
        first = error.errors()[0]
        raise CaAway(f"the CA's {model.__name__} is not readable: {first['loc']} {first['msg']}") from None
