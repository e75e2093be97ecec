"""On which origin a browser asks, and whether a page of that origin does: what a cookie's worth depends on. Pure.

Services are siblings of the web app's host and may be hostile, and `SameSite` does not hold between siblings. So a
cookie counts only for requests that the browser itself says come from the same origin, and for changes only with a
header that no page of another origin can send without being asked for permission, which this API never gives.
"""

from collections.abc import Mapping
from urllib.parse import urlsplit

from narthex.contracts.names import service_host

APP_HEADER = "X-Narthex-App"  # what the web app sends with everything that changes something
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


def is_secure(scheme: str, headers: Mapping[str, str]) -> bool:
    """Whether the browser asks over TLS, maybe through a proxy that ends it: whose cookies it marks is its own loss."""
    return headers.get("X-Forwarded-Proto", scheme).split(",")[0].strip().lower() == "https"


def of_a_service(host: str, domain: str) -> bool:
    """Whether a host is one that services are reached under."""
    name = urlsplit(f"//{host}").hostname or ""
    return name.removesuffix(".").endswith(service_host("", domain))


def foreign(method: str, host: str, headers: Mapping[str, str]) -> str:
    """Why a request must not be done by cookie; empty when it may."""
    if not same_origin(method, host, headers):
        return "a page of another origin may not do this in the name of who has signed in here"
    if method not in SAFE and APP_HEADER not in headers:
        return f"with a cookie, what changes something needs the header {APP_HEADER}; programs send a token instead"
    return ""


def same_origin(method: str, host: str, headers: Mapping[str, str]) -> bool:
    """Whether the browser says that a page of this very origin asks, or its user by hand."""
    site, origin = headers.get("Sec-Fetch-Site"), headers.get("Origin")
    if site is not None:  # no page can set it, and it holds where a proxy has changed the host
        return site == "same-origin" or (site == "none" and method in SAFE)
    if origin is not None:
        return urlsplit(origin).netloc == host
    return method in SAFE  # browsers without either send no Origin with these; SameSite=Strict holds then
