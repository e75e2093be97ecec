"""`make bench-certs`: certificates for many services from a CA that validates each, and swaps under load.

The whole system runs as a user starts it; the CA is Debian's pebble on the same machine, with its sleeps off and
nonces refused as it does by default. What it prints is for people; it exits with 1 when a promise is not kept.

    one       creation of a service to its first HTTPS request, a few times
    many      SERVICES services that are there at once: until all have their certificate, and the routers' memory
    scan      what sslyze and openssl say of the listening side; sslyze is asked for where it is installed
    swap      100 connections held and handshakes as fast as a client can, 500 a second and more, through renewals
"""

import asyncio
import os
import re
import shutil
import ssl
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from narthex.client import AsyncClient
from narthex.contracts.api import DeploymentCreate, ServiceCreate, VersionCreate
from narthex.testing.pebble import Pebble, missing, pebble
from narthex.testing.servers import free_port
from narthex.testing.system import System, running_system

SERVICES = int(os.environ.get("SERVICES", "1000"))
DOMAIN = "narthex.test"
ROWS = ("one", "many", "swap", "scan")
AT_ONCE = 50
HELD = 100
RATE = 500.0
RENEWALS = 5


@dataclass
class Stage:
    system: System
    ca: Pebble
    https_port: int
    api: AsyncClient
    trust: ssl.SSLContext

    async def make(self, name: str) -> str:
        """A service; returns its host."""
        made = await self.api.services.create(ServiceCreate(name=name, deployment="app", port=9000))
        return f"{made.id}.services.{DOMAIN}"

    async def shake(self, host: str) -> dict[str, Any]:
        _, writer = await asyncio.open_connection("127.0.0.1", self.https_port, ssl=self.trust, server_hostname=host)
        peer = dict(writer.get_extra_info("peercert"))
        writer.close()
        return peer

    async def wait_for(self, host: str) -> float:
        """Seconds until a client that trusts the CA has had an answer from the host."""
        began = time.monotonic()
        while True:
            try:
                reader, writer = await asyncio.open_connection(
                    "127.0.0.1", self.https_port, ssl=self.trust, server_hostname=host
                )
            except (ssl.SSLError, OSError):
                await asyncio.sleep(0.02)
                continue
            writer.write(f"GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
            answer = await reader.read()
            writer.close()
            if answer.startswith(b"HTTP/1.1 401"):  # the service's own: there is no token
                return time.monotonic() - began
            await asyncio.sleep(0.02)

    def workers(self) -> dict[int, int]:
        """Resident memory of the router's workers in KiB, by process."""
        found = subprocess.run(
            ["ps", "-eo", "pid,ppid,rss,args"], capture_output=True, text=True, check=True
        ).stdout.splitlines()[1:]
        rows = [line.split(None, 3) for line in found]
        mains = {row[0] for row in rows if "serve router" in row[3] and str(self.system.data_dir) in _cwd(row[0])}
        nurseries = {row[0] for row in rows if row[1] in mains}
        return {int(row[0]): int(row[2]) for row in rows if row[1] in nurseries}


def _cwd(pid: str) -> str:
    try:
        return Path(f"/proc/{pid}/environ").read_text(errors="replace")
    except OSError:
        return ""


async def one(stage: Stage) -> bool:
    times = []
    for number in range(5):
        host = await stage.make(f"one-{number}")
        times.append(await stage.wait_for(host))
    print(f"one: creation to first HTTPS answer {', '.join(f'{each:.2f}' for each in times)} s (promise: under 10)")
    return max(times) < 10


async def many(stage: Stage) -> bool:
    await _warm(stage)
    before = stage.workers()
    began = time.monotonic()
    hosts: list[str] = []
    for start in range(0, SERVICES, AT_ONCE):
        names = [f"many-{number}" for number in range(start, min(start + AT_ONCE, SERVICES))]
        hosts += await asyncio.gather(*(stage.make(name) for name in names))
    made = time.monotonic() - began
    wanted, good = set(hosts), 0
    while good < SERVICES:
        await asyncio.sleep(2)
        states = await stage.api.certificates.states()
        good = sum(1 for state in states if state.certificate is not None and state.id in wanted)
        if time.monotonic() - began > 1200:
            break
    took = time.monotonic() - began
    unused = stage.workers()
    for start in range(0, len(hosts), AT_ONCE):
        peers = await asyncio.gather(*(stage.shake(host) for host in hosts[start : start + AT_ONCE]))
        for host, peer in zip(hosts[start:], peers, strict=False):
            assert peer["subjectAltName"] == (("DNS", host),), peer
    # Every worker has to have had every host: what was not its turn is made up for.
    for _ in range(4):
        for start in range(0, len(hosts), AT_ONCE):
            await asyncio.gather(*(stage.shake(host) for host in hosts[start : start + AT_ONCE]))
    used = stage.workers()
    held, each = _per_certificate(before, unused), _per_certificate(before, used)
    print(f"many: {SERVICES} services made in {made:.0f} s, all certificates after {took:.0f} s (promise: under 600)")
    print(f"many: orders at the CA {stage.ca.orders()}; each host's certificate verified in a handshake")
    print(f"many: a worker's memory a certificate: {held:.1f} KiB held, {each:.1f} KiB used (promise: under 40)")
    return good == SERVICES and took < 600 and each < 40


async def _warm(stage: Stage) -> None:
    """What handshakes cost a worker once is not counted to the certificates."""
    host = await stage.make("warm")
    await stage.wait_for(host)
    for _ in range(40):
        await asyncio.gather(*(stage.shake(host) for _ in range(AT_ONCE)))


def _per_certificate(before: dict[int, int], after: dict[int, int]) -> float:
    grown = [after[pid] - rss for pid, rss in before.items() if pid in after]
    return max(grown) / SERVICES if grown else 0.0


async def swap(stage: Stage) -> bool:
    host = await stage.make("swapped")
    await stage.wait_for(host)
    held = [
        await asyncio.open_connection("127.0.0.1", stage.https_port, ssl=stage.trust, server_hostname=host)
        for _ in range(HELD)
    ]
    failed: list[str] = []
    serials: dict[str, int] = {}
    ended = asyncio.Event()

    async def once() -> None:
        try:
            serial = (await stage.shake(host))["serialNumber"]
            serials[serial] = serials.get(serial, 0) + 1
        except (ssl.SSLError, OSError) as error:
            failed.append(str(error))

    async def load() -> float:
        began, due = time.monotonic(), 0
        async with asyncio.TaskGroup() as group:
            while not ended.is_set():
                due += 1
                group.create_task(once())
                await asyncio.sleep(max(0.0, began + due / RATE - time.monotonic()))
        return time.monotonic() - began

    async with asyncio.TaskGroup() as group:
        loading = group.create_task(load())
        for number in range(RENEWALS):
            await stage.api.certificates.renew(host)
            while len(serials) < number + 2:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        ended.set()
    rate = sum(serials.values()) / loading.result()
    broken = 0
    for reader, writer in held:
        writer.write(f"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        broken += not (await reader.readuntil(b"\r\n")).startswith(b"HTTP/1.1 401")
        writer.close()
    print(
        f"swap: {RENEWALS} renewals, {sum(serials.values())} handshakes at {rate:.0f}/s: {len(failed)} failed; "
        f"{HELD} connections held: {broken} broken (promise: none)"
    )
    if failed:
        print(f"swap: {failed[0]}")
    return not failed and not broken


async def scan(stage: Stage) -> bool:
    host = await stage.make("scanned")
    await stage.wait_for(host)
    root = stage.ca.log_file.with_name("root.pem")
    root.write_text(stage.ca.root())
    s_client = ["openssl", "s_client", "-connect", f"127.0.0.1:{stage.https_port}", "-servername", host]
    verify = ["-verify_hostname", host, "-CAfile", str(root), "-x509_strict", "-verify_return_error"]
    good = True
    for version, served in (("tls1", False), ("tls1_1", False), ("tls1_2", True), ("tls1_3", True)):
        done = await _run([*s_client, *verify, f"-{version}", "-cipher", "DEFAULT:@SECLEVEL=0"])
        taken = "Verify return code: 0 (ok)" in done and "Cipher is (NONE)" not in done
        good &= taken is served
        print(f"scan: openssl {version}: {'verified' if taken else 'refused'}")
    if shutil.which("sslyze") is None:
        print("scan: there is no sslyze here; pip install it into an environment of its own and put that on PATH")
        return good
    target = f"{host}:{stage.https_port}{{127.0.0.1}}"
    said = await _run(["sslyze", "--mozilla_config", "intermediate", "--certinfo_ca_file", str(root), target])
    weak = [line.strip() for line in said.splitlines() if re.search("(?<!NOT )VULNERABLE", line)]
    print("scan: sslyze: " + (" | ".join(weak) or "no weakness"))
    print("\n".join(f"      {line}" for line in said.splitlines() if "Mozilla" in line or line.strip().startswith("*")))
    return good and not weak


async def _run(command: list[str]) -> str:
    process = await asyncio.create_subprocess_exec(
        *command, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    said, _ = await process.communicate()
    return said.decode(errors="replace")


async def run(system: System, ca: Pebble, https_port: int, rows: list[str]) -> bool:
    trust = ssl.create_default_context(cadata=ca.root())
    trust.verify_flags |= ssl.VERIFY_X509_STRICT
    async with AsyncClient(f"{system.api_url}/v2.1", system.token) as api:
        stage = Stage(system, ca, https_port, api, trust)
        await api.deployments.create(DeploymentCreate(name="app"))
        await api.versions.create("app", VersionCreate(version="v1"))
        kept = [await {"one": one, "many": many, "swap": swap, "scan": scan}[row](stage) for row in rows]
    return all(kept)


def main() -> int:
    rows = sys.argv[1:] or list(ROWS)
    if reason := missing():
        print(reason, file=sys.stderr)
        return 2
    http_port, https_port = free_port(), free_port()
    with tempfile.TemporaryDirectory() as text, pebble(Path(text), http_port, https_port) as ca:
        settings = {
            "NARTHEX_CERTS_ISSUER": "acme",
            "NARTHEX_CERTS_ACME_DIRECTORY": ca.directory,
            "NARTHEX_CERTS_ACME_CA_FILE": str(ca.ca_file),
            # The CA's limits are what pebble has none of; the ledger would spread a thousand over months.
            "NARTHEX_CERTS_ACME_LIMIT_DOMAIN_WEEK": "100000",
            "NARTHEX_CERTS_ACME_LIMIT_ACCOUNT_THREE_HOURS": "100000",
            "NARTHEX_CERTS_ACME_LIMIT_SAME_WEEK": "100000",
        }
        flags = ["--domain", DOMAIN, "--http-port", str(http_port), "--https-port", str(https_port)]
        with running_system(Path(text) / "system", *flags, settings=settings) as system:
            return 0 if asyncio.run(run(system, ca, https_port, rows)) else 1


if __name__ == "__main__":
    sys.exit(main())
