"""How an HTTP connection to the API is set up: the same for both clients."""

import ipaddress
import ssl
from importlib.metadata import version
from pathlib import Path
from urllib.parse import urlsplit

import httpx2

from narthex.client.profiles import api_base
from narthex.contracts.errors import Misconfigured

CONNECT_TIMEOUT_S = 5.0
ANSWER_TIMEOUT_S = 20.0  # above what a list over a full table takes, below a person's patience
HEARTBEAT_TIMEOUT_S = 35.0  # three of the stream's heartbeats

TIMEOUT = httpx2.Timeout(ANSWER_TIMEOUT_S, connect=CONNECT_TIMEOUT_S)
STREAM_TIMEOUT = httpx2.Timeout(ANSWER_TIMEOUT_S, connect=CONNECT_TIMEOUT_S, read=HEARTBEAT_TIMEOUT_S)


def headers(token: str | None) -> dict[str, str]:
    """The headers of every request. Without a token one can sign in, and not much else."""
    return {
        **({} if token is None else {"authorization": f"Token {token}"}),
        "accept": "application/json",
        "content-type": "application/json",
        "user-agent": f"narthex-client/{version('narthex')}",
    }


def checked(api_url: str) -> str:
    """The API's address with its version prefix; Misconfigured when it is none."""
    base = api_base(api_url)
    try:
        httpx2.URL(base)
    except httpx2.InvalidURL as error:
        raise Misconfigured(f"{api_url!r} is not the address of an API: {error}") from None
    return base


def tls(api_url: str, ca_file: Path | None) -> ssl.SSLContext:
    """Whom to trust: the CA that is given, else what the machine trusts. Verification is never off."""
    if urlsplit(api_url).scheme == "http":
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # not used; loading the machine's CAs takes 20 ms
    if ca_file is None:
        return httpx2.create_ssl_context()
    try:
        return ssl.create_default_context(cafile=ca_file)
    except (OSError, ssl.SSLError) as error:
        raise Misconfigured(f"cannot use the CA file {ca_file}: {error}") from None


def through_proxies(api_url: str) -> bool:
    """Whether HTTP_PROXY and its kin apply: not to this machine, whatever NO_PROXY says."""
    host = urlsplit(api_url).hostname or ""
    try:
        return not ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host != "localhost" and not host.endswith(".localhost")


def patience(usual: httpx2.Timeout, waits_s: float) -> httpx2.Timeout:
    """The timeout of a call that asks the API to wait for something."""
    read = None if usual.read is None else usual.read + waits_s
    return httpx2.Timeout(connect=usual.connect, read=read, write=usual.write, pool=usual.pool)
