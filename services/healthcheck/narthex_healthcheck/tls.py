"""How a probe speaks TLS: a context for each way that health checks ask for, and what its failures are called."""

import ssl
from functools import lru_cache

from narthex_healthcheck.target import Target, Tls
from narthex_healthcheck.verdict import Outcome

NO_TLS = Outcome("no_tls", "probe: no TLS is spoken there")
KEPT = 256  # contexts: each takes 10 ms to make where it has the machine's CAs


@lru_cache(maxsize=KEPT)
def context(tls: Tls, protocol: str) -> ssl.SSLContext:
    """The context for a protocol by its ALPN name. Raises ssl.SSLError or ValueError for CAs that are none."""
    made = ssl.create_default_context(cadata=tls.ca)
    if not tls.verify:
        made.check_hostname = False
        made.verify_mode = ssl.CERT_NONE
    made.set_alpn_protocols([protocol])
    return made


def server_name(target: Target) -> str:
    """The name that the certificate must have, and that is asked for."""
    return (target.tls.name if target.tls is not None else None) or target.address


def failure(error: ssl.SSLError) -> Outcome:
    """What a handshake that failed is called."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return Outcome("bad_certificate", f"probe: the certificate is not good: {error.verify_message.lower()}")
    if error.reason in ("WRONG_VERSION_NUMBER", "UNKNOWN_PROTOCOL", "RECORD_LAYER_FAILURE", "PACKET_LENGTH_TOO_LONG"):
        return NO_TLS
    said = (error.reason or "").replace("_", " ").lower()
    return Outcome(
        "tls_failed", f"probe: the TLS handshake failed: {said}" if said else "probe: the TLS handshake failed"
    )
