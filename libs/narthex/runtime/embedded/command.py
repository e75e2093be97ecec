"""The command: checks, prepares the data directory, and turns into the supervisor."""

import os
import sys
import tempfile
from collections.abc import Mapping

from narthex.bus.permissions import nats_config
from narthex.client.stored import installation_profiles
from narthex.contracts.errors import Misconfigured
from narthex.runtime.atomic_write import write_atomically
from narthex.runtime.embedded import preflight
from narthex.runtime.embedded.credentials import Credentials, keep_credentials
from narthex.runtime.embedded.directory import DataDirectory
from narthex.runtime.embedded.parts import STOP_ORDER, server_specs, service_specs, urls, valkey_config
from narthex.runtime.embedded.ports import free_ports
from narthex.runtime.embedded.settings import UpSettings
from narthex.runtime.key_file import write_sealing_key
from narthex.runtime.supervisor import lock
from narthex.runtime.supervisor.plan import Plan, encode


def up(settings: UpSettings) -> int:
    """Run the installation in the foreground until Ctrl-C or SIGTERM.

    Returns 2 after one sentence on standard error when it cannot start. Otherwise this process becomes the
    supervisor, and does not come back: its exit code is 0 after an orderly stop.
    """
    directory = DataDirectory(settings.data_dir.absolute())
    try:
        preflight.check(settings)
        held, plan = _hold_and_prepare(settings, directory)
    except Misconfigured as error:
        print(f"narthex up: {error}", file=sys.stderr)  # noqa: T201 - for who started it
        return 2
    become_supervisor(plan, held)
    return 0


def _hold_and_prepare(settings: UpSettings, directory: DataDirectory) -> tuple[int, Plan]:
    try:
        directory.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        return lock.hold(directory.root), prepare(settings, directory, os.environ)
    except OSError as error:  # what no check could foresee: a full disk, a file system with rules of its own
        where = error.filename or directory.root
        raise Misconfigured(f"cannot write to {where}: {error.strerror}; choose another with --data-dir") from None


def prepare(settings: UpSettings, directory: DataDirectory, inherited: Mapping[str, str]) -> Plan:
    """Write what the parts read and choose their ports; returns what to run."""
    directory.root.chmod(0o700)
    for path in (directory.logs, directory.home("nats"), directory.home("valkey")):
        path.mkdir(mode=0o700, exist_ok=True)
    write_sealing_key(directory.sealing_key)
    credentials = keep_credentials(directory)
    addresses = urls(settings)
    profiles = installation_profiles(
        directory.root, addresses["api"], token_file=directory.admin_token, ca_file=directory.root_certificate
    )
    binaries = {"nats": preflight.nats_binary(), "valkey": preflight.valkey_binary()}
    ports = free_ports({settings.http_port, settings.https_port, settings.api_port})
    servers = server_specs(directory, binaries, inherited, ports)
    server_ports = {spec.name: spec.port for spec in servers}
    _configure_servers(directory, credentials, server_ports)
    return Plan(
        servers=servers,
        services=service_specs(settings, directory, credentials, server_ports, inherited, ports),
        stop_order=STOP_ORDER,
        directory=str(directory.root),
        urls=addresses,
        announcement=announcement(directory, addresses),
        profiles={str(path): text for path, text in profiles.items()},
    )


def announcement(directory: DataDirectory, addresses: Mapping[str, str]) -> str:
    """What the user is told when everything is ready."""
    return (
        "Narthex is ready\n"
        f"  Web app           {addresses['api']}/\n"
        f"  API               {addresses['api']}/v2.1\n"
        f"  Services          {addresses['https']}/\n"
        f"  Token             {directory.admin_token}\n"
        f"  Root certificate  {directory.root_certificate}\n"
        f"  Logs              {directory.logs}\n"
        "Press Ctrl-C to stop"
    )


def become_supervisor(plan: Plan, lock_descriptor: int) -> None:
    """Replace this process, and all it has imported, by the supervisor; it keeps the lock and the process id."""
    with tempfile.TemporaryFile("w+") as file:
        file.write(encode(plan))
        file.flush()
        file.seek(0)
        for descriptor in (file.fileno(), lock_descriptor):
            os.set_inheritable(descriptor, True)
        arguments = [str(file.fileno()), str(lock_descriptor)]
        sys.stdout.flush()
        os.execv(sys.executable, [sys.executable, "-P", "-m", "narthex.runtime.supervisor", *arguments])  # noqa: S606


def _configure_servers(directory: DataDirectory, credentials: Credentials, ports: Mapping[str, int]) -> None:
    write_atomically(directory.home("nats") / "nats.conf", nats_config(ports["nats"], "store", credentials.nats))
    write_atomically(directory.home("valkey") / "valkey.conf", valkey_config(ports["valkey"], credentials.valkey))
