"""What our own sources never do (THREATS T118-T120): deserialize objects, evaluate text, show secrets in `ps`."""

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from unit.embedded.test_parts import CREDENTIALS, services

from narthex.runtime.embedded.directory import DataDirectory
from narthex.runtime.embedded.parts import server_specs
from narthex.runtime.embedded.settings import UpSettings

ROOT = Path(__file__).parents[2]
SOURCES = [
    path
    for folder in ("libs", "services")
    for path in (ROOT / folder).rglob("*.py")
    if "node_modules" not in path.parts
]
NEVER_IMPORTED = {"pickle", "marshal", "shelve", "dill", "cloudpickle", "jsonpickle", "telnetlib", "ftplib", "xml"}
NEVER_CALLED = {"eval", "exec", "compile", "os.system", "os.popen", "yaml.unsafe_load", "yaml.full_load"}
# Loaders that are `yaml.SafeLoader` with a rule of their own besides.
SAFE_LOADERS = {"_UniqueKeys", "_Loader"}


def faults(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        yield from (f"{node.lineno} imports {name}" for name in names if name.split(".")[0] in NEVER_IMPORTED)
        if isinstance(node, ast.Call):
            yield from (f"{node.lineno} {what}" for what in _call(node))


def _call(call: ast.Call) -> Iterator[str]:
    name = ast.unparse(call.func)
    if name in NEVER_CALLED:
        yield f"calls {name}"
    if name in ("yaml.load", "yaml.load_all"):
        given = [*call.args[1:], *(keyword.value for keyword in call.keywords if keyword.arg == "Loader")]
        if not given or ast.unparse(given[0]) not in SAFE_LOADERS:
            yield f"calls {name} without a safe loader"
    for keyword in call.keywords:
        on = isinstance(keyword.value, ast.Constant) and keyword.value.value is True
        if on and (keyword.arg == "shell" or (keyword.arg == "debug" and name.endswith(("run", "Application")))):
            yield f"calls {name} with {keyword.arg}=True"
        if keyword.arg == "verify" and isinstance(keyword.value, ast.Constant) and keyword.value.value is False:
            yield f"calls {name} with verify=False"


def test_no_source_of_ours_makes_objects_or_code_of_what_it_is_sent() -> None:
    assert len(SOURCES) > 100
    found = [f"{path.relative_to(ROOT)}:{fault}" for path in SOURCES for fault in faults(path.read_text())]
    assert found == []


@pytest.mark.parametrize(
    "line",
    [
        "import pickle", "from xml.etree import ElementTree", "eval(text)", "yaml.load(text)",
        "yaml.load(text, Loader)",
        "subprocess.run(command, shell=True)", "web.Application(debug=True)", "asyncio.run(main(), debug=True)",
        "client.get(url, verify=False)", "os.system(text)",
    ],
)  # fmt: skip
def test_the_check_finds_each(line: str) -> None:
    assert list(faults(line)) != []


def test_no_secret_is_on_a_command_line() -> None:
    held = {*CREDENTIALS.nats.values(), *CREDENTIALS.valkey.values()}
    binaries = {"nats": Path("nats-server"), "valkey": Path("valkey-server")}
    specs = [*services(UpSettings()).values(), *server_specs(DataDirectory(Path("/data")), binaries, {}, count(1))]
    assert len(specs) == 7
    for spec in specs:
        assert not any(secret in word for word in spec.command for secret in held), spec.name


def test_hashes_of_bytes_cannot_be_foreseen() -> None:
    # Tables are dicts of what clients send: with a known hash their time would be anybody's to choose.
    assert sys.hash_info.algorithm.startswith("siphash")
    told = [sys.executable, "-c", "print(hash(b'svc.services.test'))"]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONHASHSEED"}
    assert len({subprocess.run(told, env=environment, capture_output=True, check=True).stdout for _ in range(3)}) > 1


def test_no_part_is_started_with_a_hash_that_is_known() -> None:
    assert not any("PYTHONHASHSEED" in spec.environment for spec in services(UpSettings(), dict(os.environ)).values())
