"""The web app's types and rules are what the API's description says now."""

import importlib.util
from pathlib import Path

ROOT = Path(__file__).parents[3]


def test_the_web_apps_types_and_rules_are_current() -> None:
    spec = importlib.util.spec_from_file_location("web_api_tool", ROOT / "tools" / "web_api.py")
    assert spec is not None
    assert spec.loader is not None
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    for file, content in tool.files().items():
        assert file.read_text() == content, "run: python tools/web_api.py"
