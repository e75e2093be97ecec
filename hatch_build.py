"""A wheel carries the built web app: this builds it where that is not done yet. Editable installs are left alone."""

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class WebApp(BuildHookInterface):  # type: ignore[type-arg]  # of a configuration that has no options
    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        web = self._web()
        return [] if web.is_current() or web.node_folder() else [web.NODE_FROM_PYPI]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        web = self._web()
        if version == "editable" or web.is_current():
            return
        node = web.node_folder()
        if node is None:
            raise RuntimeError("the web app needs Node 20.19, 22.12 or newer to be built")
        web.build(node)

    def _web(self) -> ModuleType:
        spec = importlib.util.spec_from_file_location(
            "narthex_web_build", Path(self.root, "services/registry/web/build.py")
        )
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module
