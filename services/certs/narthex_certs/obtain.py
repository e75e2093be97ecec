"""Takes an order from where it is to its certificate, writing down each step before the next.

It may be stopped anywhere: whoever has the lease next goes on with the same order. What a step did at the CA and
could not be written down any more is found out by asking the CA.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Protocol

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from narthex.runtime.clock import Clock
from narthex_certs.acme.client import Client
from narthex_certs.acme.messages import Challenge, Order, Status
from narthex_certs.acme.problem import CaAway, Problem
from narthex_certs.certificate import choose_chain, unfit
from narthex_certs.order import Action, OrderRecord, Proof, Step, challenge_of, next_action, refusal, why_invalid

FIRST_LOOK_S = 0.25
LAST_LOOK_S = 10.0
PATIENCE_S = 900.0  # for the CA to look, or to sign; then the order waits for its next try


class Answers(Protocol):
    """Shows a CA what it wants to see."""

    settle_s: float  # until it is seen everywhere

    async def publish(self, host: str, token: str, key_authorization: str) -> None: ...

    async def withdraw(self, host: str, token: str, key_authorization: str) -> None: ...


class Obtainer:
    """Does what orders need, with one account at one CA."""

    def __init__(
        self,
        client: Client,
        answers: Mapping[str, Answers],
        keep: Callable[[OrderRecord], Awaitable[None]],
        open_key: Callable[[OrderRecord], bytes],
        clock: Clock,
        *,
        profile: str = "",
        preferred_chain: str = "",
    ) -> None:
        self._client = client
        self._answers = answers
        self._keep = keep
        self._open_key = open_key
        self._clock = clock
        self._profile = profile
        self._preferred_chain = preferred_chain

    async def obtain(
        self, record: OrderRecord, *, resumed: bool = False, tell: Callable[[str], None] = lambda step: None
    ) -> OrderRecord:
        """The order with its chain. Raises Problem when it came to nothing, CaAway when it can go on later."""
        order: Order | None = None
        waited = 0.0
        while record.step is not Step.ISSUED:
            if not record.url:
                record, order = await self._begin(record, resumed=resumed)
                tell(f"ordered a certificate for {', '.join(record.hosts)}")
            if order is None:
                order = await self._client.order(record.url)
            match next_action(order):
                case Action.PROVE if record.step is Step.PROVEN:
                    waited = await self._wait(order, waited, "look at the challenges' answers")
                    order = None
                case Action.PROVE:
                    record = await self._prove(record, order)
                    tell(f"answered the {record.challenge} challenge")
                    order = None
                case Action.FINALIZE:
                    record = await self._withdraw(record)
                    order = await self._finalize(record, order)
                    tell("sent the certificate's key and names to be signed")
                case Action.WAIT:
                    waited = await self._wait(order, waited, "sign")
                    order = None
                case Action.DOWNLOAD:
                    record = await self._download(await self._withdraw(record), order)
                    tell("fetched the certificate and its chain")
                case Action.GIVE_UP:
                    authorizations = [await self._client.authorization(url) for url in order.authorizations]
                    raise why_invalid(order, authorizations)
        return record

    async def clear(self, record: OrderRecord) -> None:
        """Withdraw what an order that is given up has published."""
        await self._withdraw(record)

    async def _begin(self, record: OrderRecord, *, resumed: bool) -> tuple[OrderRecord, Order]:
        """Order; unless an earlier try did so and was stopped before it could write down where."""
        found = await self._begun_before(record) if resumed else None
        if found is None:
            found = await self._client.new_order(record.hosts, profile=self._profile, replaces=record.replaces)
        url, order = found
        return await self._kept(record, url=url, step=Step.ORDERED), order

    async def _begun_before(self, record: OrderRecord) -> tuple[str, Order] | None:
        for url in await self._client.known_orders():
            order = await self._client.order(url)
            names = {identifier.value for identifier in order.identifiers}
            if names == set(record.hosts) and order.status in (Status.PENDING, Status.READY):
                return url, order
        return None

    async def _prove(self, record: OrderRecord, order: Order) -> OrderRecord:
        """Publish the answers, then say that the CA may look."""
        answers = self._answers.get(record.challenge)
        if answers is None:
            raise refusal("unsupportedChallenge", f"{record.challenge} is not set up here")
        pending: dict[str, Challenge] = {}
        proofs = list(record.proofs)
        for url in order.authorizations:
            authorization = await self._client.authorization(url)
            if authorization.status is Status.PENDING:
                pending[url] = challenge_of(authorization, record.challenge)
                proof = Proof(type=record.challenge, host=authorization.identifier.value, token=pending[url].token)
                proofs += [proof] if proof not in proofs else []
        # Written down first: what was published is withdrawn again, whatever happens.
        record = await self._kept(record, step=Step.PROVING, proofs=tuple(proofs))
        for proof in proofs:
            await answers.publish(proof.host, proof.token, self._client.key.key_authorization(proof.token))
        if pending:
            await self._clock.sleep(answers.settle_s)
        for url, challenge in pending.items():
            if challenge.status is Status.PENDING:
                await self._let_look(url, challenge)
        return await self._kept(record, step=Step.PROVEN)

    async def _let_look(self, authorization_url: str, challenge: Challenge) -> None:
        try:
            await self._client.answer(challenge)
        except Problem:
            # A worker that was stopped may have said so before us: then the CA is looking, or has looked.
            found = await self._client.authorization(authorization_url)
            if found.status is Status.PENDING and challenge in found.challenges:
                raise

    async def _finalize(self, record: OrderRecord, order: Order) -> Order | None:
        key = load_pem_private_key(self._open_key(record), password=None)
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        try:
            return await self._client.finalize(order, signing_request(key, record.hosts))
        except Problem as problem:
            if problem.kind != "orderNotReady":
                raise
            return None  # somebody has finalized it: look where it is now

    async def _download(self, record: OrderRecord, order: Order) -> OrderRecord:
        chains = await self._client.chains(order.certificate, alternatives=bool(self._preferred_chain))
        chain = choose_chain(chains, self._preferred_chain)
        if reason := unfit(chain, record.hosts, self._open_key(record), self._clock.now()):
            raise refusal("badCertificate", f"what it issued cannot be used: {reason}")
        return await self._kept(record, step=Step.ISSUED, chain=chain)

    async def _withdraw(self, record: OrderRecord) -> OrderRecord:
        """Take back what was published for the CA."""
        if not record.proofs:
            return record
        for proof in record.proofs:
            authorization = self._client.key.key_authorization(proof.token)
            await self._answers[proof.type].withdraw(proof.host, proof.token, authorization)
        return await self._kept(record, proofs=())

    async def _wait(self, order: Order, waited: float, for_what: str) -> float:
        """Look again after a while: as long as the CA says, else twice as long each time."""
        if waited > PATIENCE_S:
            raise CaAway(f"the CA has taken {waited:.0f} s to {for_what}")
        pause = order.retry_after_s or min(LAST_LOOK_S, max(FIRST_LOOK_S, waited))
        await self._clock.sleep(pause)
        return waited + pause

    async def _kept(self, record: OrderRecord, **changes: object) -> OrderRecord:
        record = record.model_copy(update=changes)
        await self._keep(record)
        return record


def signing_request(key: ec.EllipticCurvePrivateKey, hosts: Sequence[str]) -> x509.CertificateSigningRequest:
    """Names in the SAN only, as the certificate will have them."""
    names = x509.SubjectAlternativeName([x509.DNSName(host) for host in hosts])
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    return builder.add_extension(names, critical=False).sign(key, SHA256())
