"""TLS: which certificate a client gets, chosen by the name it asks for (SNI)."""

import logging
import os
import ssl
import tempfile
from collections.abc import Callable, Mapping

from narthex_router.doors.certificate import Asked, asked
from narthex_router.facts import Certificate
from narthex_router.openssl import set_groups

log = logging.getLogger(__name__)

AT_ONCE = 50  # contexts that are made when their certificate comes: all of a small installation's
MOST = 2000  # contexts that are kept: 40 MB
GROUPS = "X25519:P-256:P-384"  # Mozilla's intermediate profile; OpenSSL would take P-521 and X448 besides
MOST_ASKING = 500  # those that ask for client certificates


class Handshake(ssl.SSLObject):
    """A connection's TLS."""

    again: "Context | None" = None  # it comes to nothing: the client's first bytes are for this context


class Context(ssl.SSLContext):
    """A context that knows the names its certificate covers, and whose certificates it asks clients for."""

    hosts: tuple[bytes, ...] = ()
    authorities: str = ""  # PEM; empty: it asks for none
    sslobject_class = Handshake


Asks = Callable[[bytes], str]  # the authorities whose certificates clients are asked for at a host; "": none


def covers(hosts: tuple[bytes, ...], name: bytes) -> bool:
    """Whether a certificate for `hosts` is good for `name`; `*.` stands for one label (RFC 6125 6.4.3)."""
    if name in hosts:
        return True
    _, dot, parent = name.partition(b".")
    return bool(dot) and b"*." + parent in hosts


def hosts_of(connection: ssl.SSLObject | None) -> tuple[bytes, ...]:
    """The names that the certificate of a connection covers."""
    context = connection.context if connection is not None else None
    return context.hosts if isinstance(context, Context) else ()


def asked_of(connection: ssl.SSLObject | None) -> Asked | None:
    """What a connection's handshake asked of the client."""
    context = connection.context if connection is not None else None
    if not isinstance(context, Context) or not context.authorities:
        return None
    assert connection is not None
    return asked(context.authorities, connection.getpeercert())


class Certificates:
    """The contexts of all certificates; the one that listens hands over to them.

    A context costs 0.7 ms and 20 KiB, so beyond the first few it is made when a client first asks for it. Session
    tickets belong to the listening context, so all workers take over one that was made before they were.

    Where clients are asked for certificates, the handshake is begun again in a context that does (`Secure`): OpenSSL
    decides on verification and on resumption by the context that a connection was made with, so changing it in the
    middle would ask for nothing, and take sessions that were made elsewhere.
    """

    def __init__(self, listening: Context, unseal: Callable[[str, str], bytes], asks: Asks = lambda name: "") -> None:
        self._unseal = unseal
        self._asks = asks
        self._asking: dict[tuple[str, str], Context | None] = {}  # (certificate id, authorities); None: cannot be made
        self._held: Mapping[str, Certificate] = {}
        self._contexts: dict[str, Context] = {}  # certificate id -> ready; the one asked for last is the last
        self._by_host: dict[bytes, str] = {}  # host -> certificate id
        self.failures: dict[str, str] = {}  # certificate id -> why it could not be loaded
        listening.sni_callback = self._choose

    def load(self, certificates: Mapping[str, Certificate]) -> None:
        """Take over what the table holds; live connections keep the context they were made with."""
        before, self._held = self._held, dict(certificates)
        for key in [key for key in self._asking if before.get(key[0]) != certificates.get(key[0])]:
            del self._asking[key]
        for certificate_id, certificate in certificates.items():
            if before.get(certificate_id) == certificate:
                continue
            self.failures.pop(certificate_id, None)
            # One that is in use is replaced at once, so that one that cannot be loaded leaves the one before.
            if certificate_id in self._contexts or len(self._contexts) < AT_ONCE:
                self._make(certificate_id)
        for certificate_id in self._contexts.keys() - certificates.keys():
            del self._contexts[certificate_id]
        self._by_host = {
            host.encode("ascii", "replace"): certificate_id
            for certificate_id, certificate in certificates.items()
            for host in certificate.hosts
        }

    def ready(self) -> bool:
        return bool(self._contexts)

    def find(self, name: bytes) -> Context | None:
        """The certificate for a host: its own, or the wildcard of its parent."""
        certificate_id = self._id_of(name)
        if certificate_id is None:
            return None
        context = self._contexts.pop(certificate_id, None)
        if context is None:
            return self._make(certificate_id) if certificate_id not in self.failures else None
        self._contexts[certificate_id] = context
        return context

    def _choose(self, connection: ssl.SSLObject | ssl.SSLSocket, name: str | None, _: ssl.SSLContext) -> int | None:
        try:
            host = name.lower().encode("ascii") if name else b""
        except UnicodeEncodeError:
            host = b""
        context = self.find(host) if host else None
        if context is None:
            return ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME
        if (authorities := self._asks(host)) and (again := self._asking_context(host, authorities)) is not None:
            assert isinstance(connection, Handshake)
            connection.again = again
            return ssl.ALERT_DESCRIPTION_USER_CANCELLED  # which nobody gets to see
        connection.context = context
        return None

    def _id_of(self, name: bytes) -> str | None:
        return self._by_host.get(name) or self._by_host.get(b"*." + name.partition(b".")[2])

    def _asking_context(self, host: bytes, authorities: str) -> Context | None:
        """The context for a host whose clients are asked for certificates; None when there can be none, so that they
        are asked for nothing and other doors stay."""
        certificate_id = self._id_of(host)
        assert certificate_id is not None
        key = (certificate_id, authorities)
        if key not in self._asking:
            if len(self._asking) >= MOST_ASKING:
                del self._asking[next(iter(self._asking))]
            self._asking[key] = self._make_asking(certificate_id, authorities)
        return self._asking[key]

    def _make_asking(self, certificate_id: str, authorities: str) -> Context | None:
        try:
            context = self._loaded(certificate_id)
            ask_for_certificates(context, authorities)
        except (ValueError, OSError) as error:
            about = {"id": certificate_id, "reason": str(error)}
            log.error("client certificates are not asked for", extra={"fields": about})
            return None
        return context

    def _make(self, certificate_id: str) -> Context | None:
        try:
            context = self._loaded(certificate_id)
        except (ValueError, OSError) as error:  # an SSLError is an OSError
            self.failures[certificate_id] = str(error)
            log.error("certificate not loaded", extra={"fields": {"id": certificate_id, "reason": str(error)}})
            return None
        self._contexts[certificate_id] = context
        if len(self._contexts) > MOST:
            del self._contexts[next(iter(self._contexts))]
        return context

    def _loaded(self, certificate_id: str) -> Context:
        """A new context with a certificate. Raises ValueError or OSError, which an SSLError is."""
        certificate = self._held[certificate_id]
        key = self._unseal(certificate.sealed_key, f"certificate:{certificate_id}")
        context = new_context()
        load_pair(context, certificate.chain.encode() + b"\n" + key)
        context.hosts = tuple(host.encode("ascii") for host in certificate.hosts)
        return context


def ask_for_certificates(context: Context, authorities: str) -> None:
    """Ask clients for a certificate that one of these authorities has signed; one that is not ends the handshake.

    TLS 1.3 only, which sends it encrypted, and no tickets, no sessions: each connection shows it anew.
    """
    context.load_verify_locations(cadata=authorities)
    context.verify_mode = ssl.CERT_OPTIONAL  # who shows none may have another way in
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN  # an issuing authority without its root is one, too
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.options |= ssl.OP_NO_TICKET
    context.num_tickets = 0
    context.authorities = authorities


def new_context() -> Context:
    """Server side, TLS 1.2 and 1.3, forward secrecy with authenticated encryption only (RFC 9325)."""
    context = Context(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("ECDHE+AESGCM:ECDHE+CHACHA20")
    set_groups(context, GROUPS)
    context.set_alpn_protocols(["http/1.1"])
    context.num_tickets = 1  # as Go does: a client of HTTP/1.1 has one to spare from each of its connections
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
    return context


def load_pair(context: ssl.SSLContext, pem: bytes) -> None:
    """Give a context its key and chain. OpenSSL wants a file: an anonymous one in memory, where there is one."""
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("certificate", os.MFD_CLOEXEC)
        try:
            os.write(descriptor, pem)
            context.load_cert_chain(f"/proc/self/fd/{descriptor}")
        finally:
            os.close(descriptor)
        return
    with tempfile.NamedTemporaryFile() as file:
        file.write(pem)
        file.flush()
        context.load_cert_chain(file.name)
