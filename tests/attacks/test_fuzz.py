"""The fuzzer's targets hold on its corpus, on what was once found, and on a short run from a fixed seed."""

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from attacks import fuzz_targets
from attacks.fuzz_targets import CORPUS, TARGETS

from narthex_router.bodies import ChunkedBody

RUNS = 4000
TESTS = Path(__file__).parents[1]


@pytest.mark.parametrize("path", sorted(CORPUS.glob("*/*")), ids=lambda path: f"{path.parent.name}-{path.name}")
def test_what_is_in_the_corpus_has_one_meaning_or_is_refused(path: Path) -> None:
    TARGETS[path.parent.name](path.read_bytes())


def test_every_target_has_a_corpus() -> None:
    assert {path.parent.name for path in CORPUS.glob("*/*")} == set(TARGETS)


def test_a_target_sees_a_parser_that_is_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    def careless(self: ChunkedBody, line: bytes) -> None:
        read(self, line.removeprefix(b"0x"))

    read = ChunkedBody._size_line
    monkeypatch.setattr(ChunkedBody, "_size_line", careless)
    with pytest.raises(AssertionError):
        fuzz_targets.chunked(b"0x5\r\nhello\r\n0\r\n\r\n")


@pytest.mark.skipif(find_spec("atheris") is None, reason="atheris has no wheel for this platform")
@pytest.mark.parametrize("name", TARGETS)
def test_a_short_run_from_a_fixed_seed_finds_nothing(name: str, tmp_path: Path) -> None:
    found = subprocess.run(
        [sys.executable, "-P", "-m", "attacks.fuzz", name, f"-runs={RUNS}", "-seed=1", "-max_len=512"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(TESTS)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert found.returncode == 0, found.stdout + found.stderr
    assert f"stat::number_of_executed_units: {RUNS}" in found.stderr
