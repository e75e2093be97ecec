"""Answers to a CA that looks whether a host is ours, while certs has an order under way (RFC 8555, RFC 8737).

What is to be answered comes as entries of the routing table, so every router knows it within milliseconds. HTTP-01 is
a path that is answered before anything else on its host; whatever is not there goes the way of all requests, so a
service can have an ACME client of its own. TLS-ALPN-01 is a handshake in a protocol of its own: which one a client
wants is in its first bytes, which nobody looks at as long as there is nothing to prove.
"""

import asyncio
import ssl
from collections.abc import Callable, Mapping

from narthex_router.arrival import Arrival
from narthex_router.facts import Challenge
from narthex_router.plane import Connection
from narthex_router.responses import date_line
from narthex_router.secure import Secure
from narthex_router.tls import Context, load_pair, new_context

WELL_KNOWN = b"/.well-known/acme-challenge/"
PROTOCOL = "acme-tls/1"
OFFERED = b"\x0a" + PROTOCOL.encode()  # as it stands in a ClientHello: its length, its name (RFC 7301 section 3.1)


class Challenges:
    """What is to be proven now."""

    def __init__(self, unseal: Callable[[str, str], bytes]) -> None:
        self._unseal = unseal
        self._held: dict[str, Challenge] = {}
        self._answers: dict[tuple[bytes, bytes], bytes] = {}  # (host, target) -> body
        self._proofs: dict[bytes, Context] = {}  # host -> the context with its proof
        self._context: Context | None = None

    def __bool__(self) -> bool:
        """Whether there is anything to answer over HTTP."""
        return bool(self._answers)

    @property
    def proving(self) -> bool:
        """Whether there is anything to prove in a handshake."""
        return bool(self._proofs)

    def load(self, challenges: Mapping[str, Challenge]) -> None:
        """Take over what the table holds."""
        self._held = dict(challenges)
        self._answers = {
            (each.host.encode("ascii", "replace"), WELL_KNOWN + token.encode("ascii", "replace")): each.answer.encode()
            for token, each in challenges.items()
            if each.type == "http-01"
        }
        self._proofs = {
            each.host.encode("ascii", "replace"): context
            for token, each in challenges.items()
            if each.type == "tls-alpn-01" and (context := self._proof(token, each)) is not None
        }

    def answer(self, method: bytes, host: bytes, target: bytes) -> bytes | None:
        """The whole response to a CA's request; None when it is a request like any other."""
        body = self._answers.get((host, target)) if method == b"GET" else None
        if body is None:
            return None
        return (
            b"HTTP/1.1 200 OK\r\n%bcontent-type: application/octet-stream\r\ncache-control: no-store\r\n"
            b"connection: close\r\ncontent-length: %d\r\n\r\n%b" % (date_line(), len(body), body)
        )

    def prover(self, first: bytes) -> Context | None:
        """The context to shake hands with, when a client's first bytes offer the challenges' protocol."""
        if OFFERED not in first:
            return None
        if self._context is None:
            self._context = new_context()
            self._context.set_alpn_protocols([PROTOCOL])
            self._context.sni_callback = self._choose
        return self._context

    def _choose(self, connection: ssl.SSLObject | ssl.SSLSocket, name: str | None, _: ssl.SSLContext) -> int | None:
        context = self._proofs.get(name.lower().encode("ascii", "replace")) if name else None
        if context is None:
            return ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME
        connection.context = context
        return None

    def _proof(self, token: str, challenge: Challenge) -> Context | None:
        try:
            key = self._unseal(challenge.sealed_key, f"challenge:{token}")
            context = new_context()
            context.set_alpn_protocols([PROTOCOL])
            load_pair(context, challenge.chain.encode() + b"\n" + key)
        except (ValueError, OSError):  # the CA will say that it was not answered, which certs tells
            return None
        return context


class Doorman(Arrival):
    """Waits for a client's first bytes, and hands the connection to who speaks what they ask for."""

    def __init__(
        self, challenges: Challenges, usual: Callable[[], Secure], connections: set[Connection], deadline: float
    ) -> None:
        super().__init__(connections, deadline)
        self._challenges = challenges
        self._usual = usual

    def data_received(self, data: bytes) -> None:
        context = self._challenges.prover(data)
        if context is not None:
            self.hand_on(Secure(context, Farewell, self._connections, self._deadline), data)
        else:
            self.hand_on(self._usual(), data)


class Farewell(asyncio.Protocol):
    """After the proof there is nothing to say (RFC 8737 section 3)."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport.close()
