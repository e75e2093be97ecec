"""Bytes that reach ever more of the parsers, by atheris: `make fuzz`, or

    python -P -m attacks.fuzz request -max_total_time=60

What breaks a rule is written to `crash-…` in the current directory, and the run ends with it; mended, it is added to
`corpus/`. Further words are libFuzzer's own; what reached something new is written to a first directory among them.
"""

import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["narthex_router.http1", "narthex_router.bodies"]):
    import narthex_router.bodies
    import narthex_router.http1  # noqa: F401 - instrumented before anybody else imports it

from attacks.fuzz_targets import CORPUS, MOST, TARGETS


def main() -> None:
    name, *words = sys.argv[1:]
    with tempfile.TemporaryDirectory() as directory:
        new = [] if any(Path(word).is_dir() for word in words) else [directory]  # never into the repository
        atheris.enabled_hooks.add("RegEx")
        own = [f"-max_len={MOST}", "-timeout=10", "-verbosity=0", "-print_final_stats=1"]
        atheris.Setup([sys.argv[0], *own, *words, *new, str(CORPUS / name)], TARGETS[name])
        atheris.Fuzz()


if __name__ == "__main__":
    main()
