"""What each part has in memory when nothing is asked of it: libraries are taken without what they take unasked."""

import subprocess
import sys

import pytest

# Of each 3 to 12 MB. opentelemetry comes in where a collector is configured, aiohttp where a CA is.
UNASKED = {"aiohttp", "opentelemetry", "pygments"}
ORDERS = {"narthex_certs.steward", "narthex_certs.acme.client", "jwt", "dns", "publicsuffixlist"}


def loaded(program: str) -> set[str]:
    command = [sys.executable, "-c", f"import sys; {program}; print(*sys.modules)"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    return set(done.stdout.split())


@pytest.mark.parametrize("part", ["router", "healthcheck", "certs", "audit"])
def test_a_part_carries_nothing_that_its_libraries_take_unasked(part: str) -> None:
    found = loaded(f"import narthex.runtime.service, narthex_{part}.app")
    assert {"nats", "prometheus_client"} <= found
    assert not found & UNASKED


def test_a_worker_carries_nothing_that_its_libraries_take_unasked() -> None:
    found = loaded("import narthex_router.nursery")
    assert "redis" in found
    assert not found & (UNASKED | {"nats"})


def test_an_installation_with_its_own_ca_carries_nothing_of_acme() -> None:
    found = loaded("import narthex_certs.app")
    assert "narthex_certs.keeper" in found
    assert not found & ORDERS


def test_what_was_hidden_from_one_import_is_there_for_the_next() -> None:
    found = loaded("import narthex.bus, narthex.routing, aiohttp, opentelemetry.sdk.trace")
    assert {"aiohttp", "opentelemetry", "nats", "redis"} <= found
