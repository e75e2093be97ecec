"""A whole order at the CA's staging directory, of which nothing is kept: does it work before it counts?"""

from collections.abc import Mapping

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from narthex.contracts.errors import NarthexError
from narthex.contracts.queries import CertificateRehearsed
from narthex.runtime.clock import Clock
from narthex_certs.account import Accounts
from narthex_certs.acme.problem import Problem
from narthex_certs.obtain import Answers, Obtainer
from narthex_certs.order import OrderRecord


async def rehearse(
    accounts: Accounts,
    answers: Mapping[str, Answers],
    directory: str,
    hosts: tuple[str, ...],
    challenge: str,
    clock: Clock,
) -> CertificateRehearsed:
    """Order, prove, sign, fetch: with a key and an account that are thrown away."""
    steps: list[str] = []
    key = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )  # fmt: skip
    order = OrderRecord(id=hosts[0], hosts=hosts, challenge=challenge, sealed_key="", began=clock.now(), note="")

    async def keep(now: OrderRecord) -> None:
        nonlocal order
        order = now

    obtainer: Obtainer | None = None
    try:
        client = await accounts.client(directory, lasting=False)
        steps.append(f"made an account at {directory}")
        obtainer = Obtainer(client, answers, keep, lambda _: key, clock)
        await obtainer.obtain(order, tell=steps.append)
    except NarthexError as error:
        problem = error.document if isinstance(error, Problem) else None
        return CertificateRehearsed(passed=False, steps=tuple(steps), reason=error.message, problem=problem)
    finally:
        if obtainer is not None and order.proofs:
            await obtainer.clear(order)
    return CertificateRehearsed(passed=True, steps=tuple(steps))
