"""What the security pages say follows from the code, and what they name is there."""

import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
sys.path.insert(0, str(ROOT / "tools"))
import security  # noqa: E402

PAGES = [ROOT / "SECURITY.md", ROOT / "docs" / "security.md"]
READMES = "".join(path.read_text() for path in (ROOT / "services").glob("*/README.md"))


def test_the_tables_of_rights_are_todays() -> None:
    page = security.PAGE.read_text()
    assert security.page(page) == page, "run: python tools/security.py"
    assert "| registry | every stored event<br>`$JS." in page


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_file_that_is_named_is_there(page: Path) -> None:
    for link in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
        assert (page.parent / link).exists(), link
    for name in re.findall(r"`(tests/[a-z0-9_/*.]+|deploy/[a-z/*.]+)`", page.read_text()):
        assert list(ROOT.glob(name)), name
    tests = {path.name for path in (ROOT / "tests").rglob("test_*.py")}
    for name in re.findall(r"`(test_[a-z0-9_]+\.py)`", page.read_text()):
        assert name in tests, name


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_setting_and_target_that_is_named_is_there(page: Path) -> None:
    # READMEs write `NARTHEX_ROUTER_BIND`, `_HTTP_PORT`: the name or its end.
    settings = set(re.findall(r"_?[A-Z][A-Z0-9_]+", READMES))
    written = page.read_text().partition(security.BEGIN)[0]
    for name in set(re.findall(r"NARTHEX_[A-Z_]+", written)):
        assert name in settings or any(name.endswith(end) for end in settings if end.startswith("_")), name
    makefile = (ROOT / "Makefile").read_text()
    for target in set(re.findall(r"`make ([a-z-]+)", page.read_text())):
        assert re.search(rf"^{target}:", makefile, re.M), target


def test_every_attack_is_part_of_a_promise() -> None:
    text = PAGES[0].read_text()
    promised: set[str] = set()
    for letter, first, last in re.findall(r"\b([PT])(\d+)(?:-[PT](\d+))?\b", text.split("## Promises")[1]):
        promised |= {f"{letter}{number}" for number in range(int(first), int(last or first) + 1)}
    assert promised >= {f"T{number}" for number in range(1, 121)} | {f"P{number}" for number in range(1, 16)}
