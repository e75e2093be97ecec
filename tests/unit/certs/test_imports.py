"""What certs has in memory where nothing is ordered from a CA."""

import subprocess
import sys


def test_an_installation_with_its_own_ca_carries_nothing_of_acme() -> None:
    program = "import sys, narthex_certs.app; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=30)
    loaded = set(done.stdout.split())
    assert "narthex_certs.keeper" in loaded
    assert not loaded & {"narthex_certs.steward", "narthex_certs.acme.client", "jwt", "dns", "publicsuffixlist"}
