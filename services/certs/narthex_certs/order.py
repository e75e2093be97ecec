"""An order as it is remembered between two steps, and what comes next. Pure.

The CA's own state of the order decides what is done next, so a worker that finds an order half done, whoever began
it, asks the CA and goes on from there. What the CA does not know is here: the key that the certificate is for, and
what was published to answer its challenges.
"""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict

from narthex_certs.acme.messages import Authorization, Challenge, Order, Status
from narthex_certs.acme.problem import Problem


class Record(BaseModel):
    """Base of what is kept: frozen, and tolerant of what a newer release wrote."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Step(StrEnum):
    """How far an order has come, as far as we wrote it down."""

    BEGUN = "begun"  # noted in the ledger; perhaps the CA knows it already
    ORDERED = "ordered"
    PROVING = "proving"  # answers to challenges are published, or about to be
    PROVEN = "proven"
    ISSUED = "issued"  # the chain is here


class Proof(Record):
    """The answer to a challenge, as far as is needed to withdraw it."""

    type: str
    host: str
    token: str


class OrderRecord(Record):
    """An order under way."""

    id: str  # of the certificate
    hosts: tuple[str, ...]
    challenge: str
    sealed_key: str
    began: datetime
    note: str  # its line in the ledger
    replaces: str = ""  # the certificate that it renews, as the CA calls it
    step: Step = Step.BEGUN
    url: str = ""
    proofs: tuple[Proof, ...] = ()
    chain: str = ""


class Trouble(Record):
    """Why a certificate is not made or renewed just now, and when that is tried again."""

    id: str
    failures: int
    reason: str
    next_try: datetime
    problem: dict[str, Any] | None = None


class Action(StrEnum):
    """What an order in the CA's hands needs from us."""

    PROVE = "prove"
    FINALIZE = "finalize"
    WAIT = "wait"
    DOWNLOAD = "download"
    GIVE_UP = "give up"


NEXT = {
    Status.PENDING: Action.PROVE,
    Status.READY: Action.FINALIZE,
    Status.PROCESSING: Action.WAIT,
    Status.VALID: Action.DOWNLOAD,
}


def next_action(order: Order) -> Action:
    """A state that is not expected of an order is the end of it (RFC 8555 section 7.1.6)."""
    return NEXT.get(order.status, Action.GIVE_UP)


def challenge_of(authorization: Authorization, type: str) -> Challenge:
    """The challenge that we answer; Problem when the CA does not offer it for this name."""
    for challenge in authorization.challenges:
        if challenge.type == type:
            return challenge
    offered = ", ".join(challenge.type for challenge in authorization.challenges) or "none"
    name = ("*." if authorization.wildcard else "") + authorization.identifier.value
    raise refusal("unsupportedChallenge", f"it does not offer {type} for {name}, but {offered}")


def refusal(kind: str, detail: str) -> Problem:
    """A problem of ours in the form of the CA's, so that both are shown alike."""
    return Problem(0, {"type": f"urn:ietf:params:acme:error:{kind}", "detail": detail})


def why_invalid(order: Order, authorizations: Sequence[Authorization]) -> Problem:
    """Why an order came to nothing: the challenges' errors say more than the order's own."""
    found = [
        {**challenge.error, "identifier": {"type": "dns", "value": authorization.identifier.value}}
        for authorization in authorizations
        for challenge in authorization.challenges
        if challenge.error
    ]
    if len(found) == 1:
        return Problem(403, found[0])
    if found:
        return Problem(403, {"type": "compound", "detail": "several names were not proven", "subproblems": found})
    document = order.error or {"type": "orderNotReady", "detail": f"the order is {order.status}"}
    return Problem(403, document)
