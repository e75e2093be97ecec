"""Writes the locks of the image, `deploy/requirements/*.lock`: each package at one version, with its files' hashes.

    make lock                   # what is locked stays where it still fits
    make lock UPGRADE=--upgrade # everything as new as pyproject.toml lets it be

No lock names the index that it was made with.
"""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
FOLDER = Path("deploy", "requirements")
PYTHON = "3.11"  # of the image

# Lock -> what is resolved, and what is left out of it.
LOCKS: dict[str, list[str]] = {
    "server": ["pyproject.toml", "--extra", "server", "--extra", "traces"],
    "embedded": [
        *("pyproject.toml", "--extra", "server", "--extra", "traces", "--extra", "embedded"),
        # Data frames, 250 MB: chdb names them and the log store keeps them from being imported (narthex_audit.engine).
        *("--no-emit-package", "numpy", "--no-emit-package", "pandas", "--no-emit-package", "pyarrow"),
    ],
    "build": [str(FOLDER / "build.in"), "--no-strip-extras"],
}


def command(name: str, extra: list[str]) -> list[str]:
    return [
        *("uv", "pip", "compile", *LOCKS[name], "--universal", "--python-version", PYTHON, "--generate-hashes"),
        *("--no-annotate", "--no-header", "--no-emit-index-url", "--no-emit-find-links", "--quiet"),
        *("--output-file", str(FOLDER / f"{name}.lock"), *extra),
    ]


def main() -> None:
    for name in LOCKS:
        subprocess.run(command(name, sys.argv[1:]), cwd=ROOT, check=True)


if __name__ == "__main__":
    main()
