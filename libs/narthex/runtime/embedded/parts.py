"""What `narthex up` runs: each part's command, environment and ports. Pure.

The child servers run inside their own directory, so that their configuration names no path that would have
to be quoted.
"""

import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from narthex.routing.users import valkey_users
from narthex.runtime.embedded.credentials import Credentials
from narthex.runtime.embedded.directory import DataDirectory
from narthex.runtime.embedded.settings import UpSettings
from narthex.runtime.supervisor.plan import Probe, Spec

SERVERS = ("nats", "valkey")
SERVICES = ("registry", "router", "healthcheck", "certs", "audit")

# The router first: it finishes its requests while everything it may need is alive.
STOP_ORDER = ("router", "healthcheck", "certs", "registry", "audit", "valkey", "nats")

# What a process needs to find its libraries, its language and its proxy; nothing else of the user's is inherited.
INHERITED = (
    "PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR", "LD_LIBRARY_PATH",
    "SSL_CERT_FILE", "SSL_CERT_DIR", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy",
)  # fmt: skip

# Parts that instances are registered at, or that connect to them.
CONNECTING = ("registry", "router", "healthcheck")

# Settings of every part that a user may have in the environment of `narthex up`.
SHARED_SETTINGS = ("NARTHEX_TRACES_",)

# Settings of one part that a user may have in the environment of `narthex up`; no other part sees them.
OWN_SETTINGS = {
    "registry": (
        *("NARTHEX_REGISTRY_", "NARTHEX_DATABASE_", "NARTHEX_API_"),
        *("NARTHEX_SIGN_IN_", "NARTHEX_SINGLE_SIGN_ON_", "NARTHEX_WEBHOOKS_", "NARTHEX_INSTANCES_"),
        *("NARTHEX_DISCOVERY_", "NARTHEX_NATS_REQUESTS_MAX_BYTES"),
    ),
    "router": ("NARTHEX_ROUTER_", "NARTHEX_INSTANCES_"),
    "healthcheck": ("NARTHEX_HEALTHCHECK_", "NARTHEX_INSTANCES_"),
    "certs": ("NARTHEX_CERTS_",),
    "audit": ("NARTHEX_AUDIT_",),
}


def urls(settings: UpSettings) -> dict[str, str]:
    """Where the installation is reached."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.bind, settings.bind)
    host = f"[{host}]" if ":" in host else host
    services = f"<service-id>.services.{settings.domain}"
    return {
        "api": f"http://{host}:{settings.api_port}",
        "https": f"https://{services}:{settings.https_port}",
        "http": f"http://{services}:{settings.http_port}",
    }


def server_specs(
    directory: DataDirectory, binaries: Mapping[str, Path], inherited: Mapping[str, str], ports: Iterator[int]
) -> tuple[Spec, ...]:
    """The child servers, as processes."""
    environment = _inherit(inherited)
    arguments = {"nats": ("--config", "nats.conf"), "valkey": ("valkey.conf",)}
    return tuple(
        Spec(
            name,
            (str(binaries[name]), *arguments[name]),
            environment,
            next(ports),
            Probe(name),
            str(directory.home(name)),
        )
        for name in SERVERS
    )


def service_specs(
    settings: UpSettings,
    directory: DataDirectory,
    credentials: Credentials,
    server_ports: Mapping[str, int],
    inherited: Mapping[str, str],
    ports: Iterator[int],
) -> tuple[Spec, ...]:
    """The five services, as processes."""
    specs = []
    admin_ports = {name: next(ports) for name in SERVICES}
    taken = own_ports(settings, (*server_ports.values(), *admin_ports.values()), inherited)
    for name, port in admin_ports.items():
        environment = {
            **_inherit(inherited, (*SHARED_SETTINGS, *OWN_SETTINGS[name])),
            **_common_environment(name, settings, directory, credentials, server_ports["nats"], port),
            **({"NARTHEX_INSTANCES_DENY": taken} if name in CONNECTING else {}),
            **_own_environment(name, settings),
        }
        if name in credentials.valkey:
            environment["NARTHEX_REDIS_URL"] = (
                f"redis://{name}:{credentials.valkey[name]}@127.0.0.1:{server_ports['valkey']}/0"
            )
        # -P: a file of the user's that is named like a library must not be imported instead of it.
        command = (sys.executable, "-P", "-m", "narthex", "serve", name)
        specs.append(Spec(name, command, environment, port))
    return tuple(specs)


def own_ports(settings: UpSettings, loopback: Iterable[int], inherited: Mapping[str, str]) -> str:
    """Where no instance may be: what listens here is ours, and a user's own list."""
    host = f"[{settings.bind}]" if ":" in settings.bind else settings.bind
    public = (f"{host}:{port}" for port in (settings.api_port, settings.http_port, settings.https_port))
    own = (*public, *(f"127.0.0.1:{port}" for port in loopback))
    return ", ".join((*filter(None, [inherited.get("NARTHEX_INSTANCES_DENY", "")]), *own))


def valkey_config(port: int, passwords: Mapping[str, str]) -> str:
    """A valkey-server configuration: loopback, append-only file here, one user a part, no default user."""
    return (
        f"bind 127.0.0.1\nport {port}\nprotected-mode no\ndaemonize no\n"
        'dir .\nappendonly yes\nappendfsync everysec\nsave ""\n'
        f"{valkey_users(passwords)}"
    )


def _common_environment(
    name: str,
    settings: UpSettings,
    directory: DataDirectory,
    credentials: Credentials,
    nats_port: int,
    admin_port: int,
) -> dict[str, str]:
    return {
        "NARTHEX_DATA_DIR": str(directory.root),
        "NARTHEX_DOMAIN": settings.domain,
        "NARTHEX_LOG_LEVEL": settings.log_level,
        "NARTHEX_ADMIN_BIND": "127.0.0.1",
        "NARTHEX_ADMIN_PORT": str(admin_port),
        "NARTHEX_NATS_URL": f"nats://127.0.0.1:{nats_port}",
        "NARTHEX_NATS_USER": name,
        "NARTHEX_NATS_PASSWORD": credentials.nats[name],
        "NARTHEX_SEALING_KEY_FILE": str(directory.sealing_key),
    }


def _own_environment(name: str, settings: UpSettings) -> dict[str, str]:
    if name == "registry":
        return {
            "NARTHEX_API_BIND": settings.bind,
            "NARTHEX_API_PORT": str(settings.api_port),
            "NARTHEX_API_ALLOW_PUBLIC": "true" if settings.allow_public else "false",
            "NARTHEX_API_PUBLIC_HTTPS_PORT": str(settings.https_port),
        }
    if name == "router":
        return {
            "NARTHEX_ROUTER_NAME": "router",
            "NARTHEX_ROUTER_BIND": settings.bind,
            "NARTHEX_ROUTER_HTTP_PORT": str(settings.http_port),
            "NARTHEX_ROUTER_HTTPS_PORT": str(settings.https_port),
            "NARTHEX_ROUTER_WORKERS": str(settings.router_workers),
            "NARTHEX_ROUTER_SIGN_IN_URL": f"{urls(settings)['api']}/sign-in",
        }
    return {}


def _inherit(inherited: Mapping[str, str], prefixes: tuple[str, ...] = ()) -> dict[str, str]:
    return {
        name: value
        for name, value in inherited.items()
        if name in INHERITED or (prefixes and name.startswith(prefixes))
    }
