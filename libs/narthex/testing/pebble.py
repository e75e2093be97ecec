"""A CA for tests: Debian's pebble with its challenge test server, which is its DNS. Validates for real.

with pebble(tmp_path, http_port=…, tls_port=…) as ca:
    ca.directory, ca.ca_file        # where to order, and whom to trust for that
    ca.root()                       # what its certificates are verified by
    ca.log()                        # what it was asked
"""

import json
import os
import re
import shutil
import ssl
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from narthex.contracts.errors import Misconfigured
from narthex.testing.ca import ThrowAwayCA
from narthex.testing.servers import child, free_port

PROGRAMS = ("pebble", "pebble-challtestsrv")
UPDATE = ["apt-get", "update", "-qq"]
INSTALL = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", "pebble"]


@dataclass(frozen=True)
class Pebble:
    """A running CA."""

    directory: str
    ca_file: Path
    log_file: Path
    management: str
    dns_management: str
    port: int
    process: subprocess.Popen[bytes]

    def root(self, number: int = 0) -> str:
        """A root that its chains end at, as PEM; others than the first are those of alternative chains."""
        return self._get(f"{self.management}/roots/{number}")

    def log(self) -> str:
        return self.log_file.read_text(errors="replace")

    def orders(self) -> int:
        """How many orders were made."""
        return len(re.findall(r"Added order ", self.log()))

    def status(self, serial: str) -> str:
        return str(json.loads(self._get(f"{self.management}/cert-status-by-serial/{serial}"))["Status"])

    def set_txt(self, name: str, value: str) -> None:
        self.dns("set-txt", host=f"{name}.", value=value)

    def clear_txt(self, name: str) -> None:
        self.dns("clear-txt", host=f"{name}.")

    def dns(self, what: str, **fields: str) -> None:
        """Tell the DNS something."""
        body = json.dumps(fields).encode()
        with urllib.request.urlopen(f"{self.dns_management}/{what}", body, timeout=10) as answer:  # noqa: S310
            answer.read()

    def _get(self, url: str) -> str:
        context = ssl.create_default_context(cafile=str(self.ca_file))
        with urllib.request.urlopen(url, timeout=10, context=context) as answer:  # noqa: S310 - a URL of our own
            return str(answer.read().decode())


def missing() -> str:
    """Why there is no pebble here; empty when there is. Root on Debian gets it installed."""
    if not all(map(shutil.which, PROGRAMS)) and os.geteuid() == 0 and shutil.which("apt-get"):
        for command in (INSTALL, UPDATE, INSTALL):  # the lists may be old, or not there
            if not all(map(shutil.which, PROGRAMS)):
                subprocess.run(command, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=300)
    if absent := [program for program in PROGRAMS if shutil.which(program) is None]:
        return f"there is no {' and no '.join(absent)}; on Debian: apt-get install pebble"
    return ""


@contextmanager
def pebble(
    directory: Path,
    http_port: int,
    tls_port: int,
    *,
    port: int | None = None,
    dns: str = "",
    binding: tuple[str, str] | None = None,
    **environment: str,
) -> Iterator[Pebble]:
    """A pebble that looks at hosts on these ports of 127.0.0.1, without sleeping unless the environment says so."""
    if reason := missing():
        raise Misconfigured(reason)
    home = directory / "pebble"
    home.mkdir(parents=True, exist_ok=True)
    ports = [port or free_port(), free_port(), free_port(), free_port()]
    ca = _own_certificate(home)
    settings = {
        "listenAddress": f"127.0.0.1:{ports[0]}",
        "managementListenAddress": f"127.0.0.1:{ports[1]}",
        "certificate": str(home / "server.pem"),
        "privateKey": str(home / "server.key"),
        "httpPort": http_port,
        "tlsPort": tls_port,
        "externalAccountBindingRequired": binding is not None,
        "externalAccountMACKeys": {binding[0]: binding[1]} if binding is not None else {},
    }
    config = home / "pebble.json"
    config.write_text(json.dumps({"pebble": settings}))
    challenges = [
        "pebble-challtestsrv", "-http01", "", "-https01", "", "-tlsalpn01", "", "-defaultIPv6", "",
        "-dns01", f"127.0.0.1:{ports[2]}", "-management", f"127.0.0.1:{ports[3]}",
    ]  # fmt: skip
    variables = os.environ | {"PEBBLE_VA_NOSLEEP": "1", "PEBBLE_AUTHZREUSE": "0"} | environment
    log = home / f"pebble-{ports[0]}.log"
    with ExitStack() as stack:
        stack.enter_context(child(challenges, ports[3], home / "dns.log"))
        command = ["pebble", "-strict", "-config", str(config), "-dnsserver", dns or f"127.0.0.1:{ports[2]}"]
        process = stack.enter_context(child(command, ports[0], log, variables))
        management, dns_management = f"https://localhost:{ports[1]}", f"http://127.0.0.1:{ports[3]}"
        yield Pebble(f"https://localhost:{ports[0]}/dir", ca, log, management, dns_management, ports[0], process)


def _own_certificate(home: Path) -> Path:
    """The certificate of its own API; returns who is to be trusted for it."""
    file = home / "ca.pem"
    if file.exists():  # the same directory again is the same server, come back
        return file
    ca = ThrowAwayCA()
    issued = ca.issue("localhost")
    (home / "server.pem").write_text(issued.chain)
    (home / "server.key").write_bytes(issued.key)
    file.write_text(ca.root_pem)
    return file
