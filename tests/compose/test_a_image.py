"""The image: small, of no use to who breaks in, and a list of what is in it."""

import json

from compose.engine import Engine
from compose.stack import EMBEDDED, IMAGE

MB = 1_000_000
NOT_COMPILED = """
import importlib, os, sys
importlib.import_module("narthex.runtime.service")
importlib.import_module("narthex_{part}.app")
specs = [module.__spec__ for module in list(sys.modules.values()) if getattr(module, "__spec__", None)]
print([spec.name for spec in specs if spec.has_location and spec.cached and not os.path.exists(spec.cached)])
"""


def test_it_is_small(docker: Engine) -> None:
    assert docker.image_bytes(IMAGE) < 350 * MB
    assert docker.image_bytes(EMBEDDED) < 800 * MB


def test_nobody_in_it_is_root_and_it_can_install_nothing(docker: Engine) -> None:
    for image in (IMAGE, EMBEDDED):
        assert docker.call("image", "inspect", "--format", "{{.Config.User}}", image) == "10001:10001"
        found = docker.call(
            "run",
            "--rm",
            "--entrypoint",
            "sh",
            image,
            "-c",
            "for p in pip pip3 gcc cc make; do command -v $p; done; true",
        )
        assert found == ""
        modules = "import importlib.util as u; print([m for m in ('pip', 'setuptools') if u.find_spec(m)])"
        assert docker.call("run", "--rm", "--entrypoint", "python", image, "-c", modules) == "[]"


def test_nothing_has_to_be_compiled_when_a_part_starts(docker: Engine) -> None:
    for part in ("registry", "router", "healthcheck", "certs", "audit"):
        said = docker.call("run", "--rm", "--entrypoint", "python", EMBEDDED, "-c", NOT_COMPILED.format(part=part))
        assert said == "[]", part


def test_the_engine_asks_it_whether_it_is_ready_and_tells_it_when_to_go(docker: Engine) -> None:
    config = json.loads(docker.call("image", "inspect", "--format", "{{json .Config}}", IMAGE))
    assert config["Healthcheck"]["Test"] == ["CMD", "python", "-IS", "/opt/narthex/healthy.py"]
    assert config["StopSignal"] == "SIGTERM"
    assert config["Entrypoint"] == ["narthex"]


def test_it_lists_what_is_in_it(docker: Engine) -> None:
    text = docker.call("run", "--rm", "--entrypoint", "cat", EMBEDDED, "/opt/narthex/sbom.cdx.json")
    named = {component["name"] for component in json.loads(text)["components"]}
    assert {"aiohttp", "chdb-core-lite", "uvloop"} <= named
    assert not {"pandas", "pytest"} & named


def test_it_runs_on_a_file_system_that_it_cannot_write_to(docker: Engine) -> None:
    said = docker.call(
        "run", "--rm", "--read-only", "--cap-drop", "ALL", "--network", "none", IMAGE, "version", "--json"
    )
    assert json.loads(said)["python"].startswith("3.")
