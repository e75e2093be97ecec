"""TLS: which certificate a client gets, chosen by the name it asks for (SNI)."""

import logging
import os
import ssl
import tempfile
from collections.abc import Callable, Mapping

from narthex_router.facts import Certificate

log = logging.getLogger(__name__)

AT_ONCE = 50  # contexts that are made when their certificate comes: all of a small installation's
MOST = 2000  # contexts that are kept: 40 MB


class Context(ssl.SSLContext):
    """A context that knows the names its certificate covers."""

    hosts: tuple[bytes, ...] = ()


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


class Certificates:
    """The contexts of all certificates; the one that listens hands over to them.

    A context costs 0.7 ms and 20 KiB, so beyond the first few it is made when a client first asks for it. Session
    tickets belong to the listening context, so all workers take over one that was made before they were.
    """

    def __init__(self, listening: Context, unseal: Callable[[str, str], bytes]) -> None:
        self._unseal = unseal
        self._held: Mapping[str, Certificate] = {}
        self._contexts: dict[str, Context] = {}  # certificate id -> ready; the one asked for last is the last
        self._by_host: dict[bytes, str] = {}  # host -> certificate id
        self.failures: dict[str, str] = {}  # certificate id -> why it could not be loaded
        listening.sni_callback = self._choose

    def load(self, certificates: Mapping[str, Certificate]) -> None:
        """Take over what the table holds; live connections keep the context they were made with."""
        before, self._held = self._held, dict(certificates)
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
        certificate_id = self._by_host.get(name) or self._by_host.get(b"*." + name.partition(b".")[2])
        if certificate_id is None:
            return None
        context = self._contexts.pop(certificate_id, None)
        if context is None:
            return self._make(certificate_id) if certificate_id not in self.failures else None
        self._contexts[certificate_id] = context
        return context

    def _choose(self, connection: ssl.SSLObject | ssl.SSLSocket, name: str | None, _: ssl.SSLContext) -> int | None:
        try:
            context = self.find(name.lower().encode("ascii")) if name else None
        except UnicodeEncodeError:
            context = None
        if context is None:
            return ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME
        connection.context = context
        return None

    def _make(self, certificate_id: str) -> Context | None:
        certificate = self._held[certificate_id]
        try:
            key = self._unseal(certificate.sealed_key, f"certificate:{certificate_id}")
            context = new_context()
            load_pair(context, certificate.chain.encode() + b"\n" + key)
            context.hosts = tuple(host.encode("ascii") for host in certificate.hosts)
        except (ValueError, OSError) as error:  # an SSLError is an OSError
            self.failures[certificate_id] = str(error)
            log.error("certificate not loaded", extra={"fields": {"id": certificate_id, "reason": str(error)}})
            return None
        self._contexts[certificate_id] = context
        if len(self._contexts) > MOST:
            del self._contexts[next(iter(self._contexts))]
        return context


def new_context() -> Context:
    """Server side, TLS 1.2 and 1.3, forward secrecy with authenticated encryption only (RFC 9325)."""
    context = Context(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("ECDHE+AESGCM:ECDHE+CHACHA20")
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
