"""The whole of /openapi.json against a live system: schemathesis makes the requests, right ones and wrong ones.

Here it makes a few of each operation, the same ones every time; `make fuzz-api` is the long run. What it finds it
prints with a curl command that does it again.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from narthex.testing.system import System, running_system

API = Path(__file__).parent / "api"
EXAMPLES = os.environ.get("FUZZ_EXAMPLES", "")  # of each operation, in the long run
CHECKS = (
    "the_api_does_not_fail",
    "an_error_is_one_sentence",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
)
SHORT = ("--phases", "fuzzing", "--max-examples", "2", "--generation-deterministic", "--seed", "1")
LONG = ("--phases", "examples,coverage,fuzzing,stateful", "--max-examples", EXAMPLES, "--generation-database", "none")


@pytest.fixture
def system(tmp_path: Path) -> Iterator[System]:
    """A system with one of everything that paths name."""
    with running_system(tmp_path, settings={"NARTHEX_API_REQUESTS_PER_MINUTE": "1000000"}) as running:
        running.cli("deployments", "create", "hello")
        running.cli("versions", "create", "hello", "v1")
        running.cli("services", "create", "web", "--deployment", "hello", "--port", "8080")
        yield running


@pytest.mark.timeout(0 if EXAMPLES else 180)
def test_no_request_that_the_document_can_think_of_makes_the_api_fail(system: System) -> None:
    command = [
        str(Path(sys.executable).with_name("schemathesis")), "--config-file", str(API / "schemathesis.toml"),
        "run", f"{system.api_url}/openapi.json", "--header", f"Authorization: Token {system.token}",
        "--checks", ",".join(CHECKS), "--continue-on-failure", "--no-color",
        "--warnings", "off", *(LONG if EXAMPLES else SHORT),
    ]  # fmt: skip
    found = subprocess.run(
        command,
        env=system.environment() | {"SCHEMATHESIS_HOOKS": "checks", "PYTHONPATH": str(API)},
        cwd=system.data_dir,
        capture_output=not EXAMPLES,
        text=True,
        check=False,
    )
    assert found.returncode == 0, f"{found.stdout}{found.stderr}"
