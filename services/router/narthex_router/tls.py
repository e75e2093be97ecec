"""TLS: which certificate a client gets, chosen by the name it asks for (SNI)."""

import os
import ssl
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any


class Context(ssl.SSLContext):
    """A context that knows the names its certificate covers."""

    hosts: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class Loaded:
    """A certificate ready for handshakes."""

    context: Context
    fingerprint: str


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

    Session tickets belong to the listening context, so all workers take over one that was made before they were.
    """

    def __init__(self, listening: Context, unseal: Callable[[str, str], bytes]) -> None:
        self._unseal = unseal
        self._loaded: dict[str, Loaded] = {}  # certificate id -> ready
        self._by_host: dict[bytes, Loaded] = {}
        self.failures: dict[str, str] = {}  # certificate id -> why it could not be loaded
        listening.sni_callback = self._choose

    def load(self, certificates: Mapping[str, Mapping[str, Any]]) -> None:
        """Take over what the table holds; live connections keep the context they were made with."""
        for certificate_id, data in certificates.items():
            held = self._loaded.get(certificate_id)
            fingerprint = str(data.get("chain", ""))[:4096] + str(data.get("sealed_key", ""))[:64]
            if held is not None and held.fingerprint == fingerprint:
                continue
            try:
                self._loaded[certificate_id] = self._make(certificate_id, data, fingerprint)
                self.failures.pop(certificate_id, None)
            except (ValueError, KeyError, OSError, ssl.SSLError) as error:
                self.failures[certificate_id] = str(error)  # the one that is held stays
        for certificate_id in self._loaded.keys() - certificates.keys():
            del self._loaded[certificate_id]
        self._by_host = {host: loaded for loaded in self._loaded.values() for host in loaded.context.hosts}

    def ready(self) -> bool:
        return bool(self._loaded)

    def find(self, name: bytes) -> Loaded | None:
        """The certificate for a host: its own, or the wildcard of its parent."""
        exact = self._by_host.get(name)
        if exact is not None:
            return exact
        _, _, parent = name.partition(b".")
        return self._by_host.get(b"*." + parent)

    def _choose(self, connection: ssl.SSLObject | ssl.SSLSocket, name: str | None, _: ssl.SSLContext) -> int | None:
        try:
            loaded = self.find(name.lower().encode("ascii")) if name else None
        except UnicodeEncodeError:
            loaded = None
        if loaded is None:
            return ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME
        connection.context = loaded.context
        return None

    def _make(self, certificate_id: str, data: Mapping[str, Any], fingerprint: str) -> Loaded:
        key = self._unseal(data["sealed_key"], f"certificate:{certificate_id}")
        context = new_context()
        _load_pair(context, data["chain"].encode() + b"\n" + key)
        context.hosts = tuple(host.encode("ascii") for host in data["hosts"])
        return Loaded(context, fingerprint)


def new_context() -> Context:
    """Server side, TLS 1.2 and 1.3, forward secrecy with authenticated encryption only (RFC 9325)."""
    context = Context(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("ECDHE+AESGCM:ECDHE+CHACHA20")
    context.set_alpn_protocols(["http/1.1"])
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
    return context


def _load_pair(context: ssl.SSLContext, pem: bytes) -> None:
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
