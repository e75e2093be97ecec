"""`narthex ca`: the root certificates of an installation that issues its own.

What is done to this machine is planned first, as commands that a person could type, and shown when it is not done.
"""

import os
import re
import shutil
import ssl
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from narthex.cli.output import notice
from narthex.cli.session import session_of
from narthex.contracts.errors import Misconfigured

app = typer.Typer(no_args_is_help=True, help="The root certificates of an installation that issues its own.")

NICKNAME = "Narthex root CA"
FILE_NAME = "narthex-root"
_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----\n", re.DOTALL)


@dataclass(frozen=True)
class Step:
    """Something to do to one trust store."""

    store: str
    commands: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Machine:
    """What this machine has."""

    platform: str
    directories: frozenset[str]  # those of the system's trust stores that exist
    programs: frozenset[str]
    nss: tuple[str, ...]  # NSS databases: of Chromium, and one a Firefox profile


SYSTEMS = (  # where the certificate is put, and what reads it from there
    ("/usr/local/share/ca-certificates", ("update-ca-certificates",)),  # Debian, Alpine
    ("/etc/pki/ca-trust/source/anchors", ("update-ca-trust", "extract")),  # Fedora
    ("/etc/ca-certificates/trust-source/anchors", ("trust", "extract-compat")),  # Arch
)


def plan(roots: Sequence[Path], machine: Machine) -> list[Step]:
    """What has to be done so that programs on this machine trust the roots, of which each file has one. Pure."""
    steps = []
    if machine.platform == "darwin":
        add = ("security", "add-trusted-cert", "-d", "-r", "trustRoot", "-k", "/Library/Keychains/System.keychain")
        steps.append(Step("system", tuple((*add, str(root)) for root in roots)))
    for directory, refresh in SYSTEMS:
        if directory in machine.directories and refresh[0] in machine.programs:
            copies = (("cp", str(root), f"{directory}/{_numbered(FILE_NAME, n)}.crt") for n, root in enumerate(roots))
            steps.append(Step("system", (*copies, refresh)))
            break
    for database in machine.nss if "certutil" in machine.programs else ():
        into = ("certutil", "-A", "-d", f"sql:{database}", "-t", "C,,")
        named = ((*into, "-n", _numbered(NICKNAME, n), "-i", str(root)) for n, root in enumerate(roots))
        steps.append(Step("nss", tuple(named)))
    return steps


def _numbered(name: str, number: int) -> str:
    """The first of a name has no number."""
    return f"{name}-{number + 1}" if number else name


@contextmanager
def each_root(file: Path) -> Iterator[tuple[Path, ...]]:
    """The file's certificates in a file each while the block lasts: trust stores take one at a time."""
    certificates = _CERTIFICATE.findall(file.read_text())
    if len(certificates) < 2:
        yield (file,)
        return
    with tempfile.TemporaryDirectory(prefix="narthex-roots-") as directory:
        roots = tuple(Path(directory) / _numbered("root", n) for n in range(len(certificates)))
        for root, certificate in zip(roots, certificates, strict=True):
            root.write_text(certificate)
        yield roots


def this_machine(home: Path) -> Machine:
    """What is here."""
    nss = [home / ".pki/nssdb", *home.glob(".mozilla/firefox/*/cert9.db"), *home.glob("snap/firefox/**/cert9.db")]
    found = [path.parent if path.name == "cert9.db" else path for path in nss if path.exists()]
    programs = {refresh[0] for _, refresh in SYSTEMS} | {"certutil"}
    return Machine(
        platform=sys.platform,
        directories=frozenset(directory for directory, _ in SYSTEMS if Path(directory).is_dir()),
        programs=frozenset(program for program in programs if shutil.which(program)),
        nss=tuple(str(path) for path in found),
    )


@app.command("trust")
def trust(
    context: typer.Context,
    install: Annotated[bool, typer.Option("--install", help="Do it; the system's own store needs root.")] = False,
    bundle: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write the system's roots and this one to FILE, for Python programs."),
    ] = None,
) -> None:
    """Print the root certificates and how to trust them; or have the system, Firefox and Chromium trust them."""
    file = _root(context)
    if bundle is not None:
        write_bundle(file, bundle)
        notice(f"for Python programs: export SSL_CERT_FILE={bundle} REQUESTS_CA_BUNDLE={bundle}")
    with each_root(file) as roots:
        steps = plan(roots, this_machine(Path.home()))
        if install:
            if not steps:
                raise Misconfigured(f"no trust store that is known was found here; trust {file} by hand")
            for step in steps:
                _carry_out(step)
            return
    if bundle is None:
        print(file.read_text(), end="")
        notice(f"# {file}: good for this installation's domain only. To trust it here: narthex ca trust --install")
        if len(roots) > 1:
            notice(f"# These are {len(roots)} roots, of which one follows the other: trust all of them")
        else:
            for command in (command for step in steps for command in step.commands):
                notice(" ".join(command))
        notice("# Python programs: narthex ca trust --bundle FILE")


def write_bundle(root: Path, bundle: Path) -> None:
    """The roots that Python trusts now, and ours: programs take one file in place of the system's."""
    usual = ssl.get_default_verify_paths().cafile or ssl.get_default_verify_paths().openssl_cafile
    held = Path(usual).read_text() if usual and Path(usual).exists() else ""
    bundle.write_text(f"{held.rstrip()}\n{root.read_text()}".lstrip())


def _root(context: typer.Context) -> Path:
    profile = session_of(context).profile()
    if profile.ca_file is None or not profile.ca_file.exists():
        raise Misconfigured(f"the profile from {profile.source or 'here'} names no root certificate; give --ca-file")
    return profile.ca_file.absolute()


def _carry_out(step: Step) -> None:
    for command in step.commands:
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        except OSError as error:
            raise Misconfigured(f"{command[0]}: {error}") from None
        if done.returncode != 0:
            hint = " (as root: sudo)" if step.store == "system" and os.geteuid() != 0 else ""
            raise Misconfigured(f"{' '.join(command)} failed{hint}: {done.stderr.strip() or done.stdout.strip()}")
    notice(f"trusted by {step.store}: {step.commands[0][-1] if step.store == 'system' else step.commands[0][3]}")
