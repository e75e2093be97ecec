"""Replacing a small file as a whole: a reader sees the old text or the new one, never a half."""

import os
from pathlib import Path


def write_atomically(path: Path, text: str, mode: int = 0o600) -> None:
    """Write a file; only its owner may read it unless `mode` says otherwise."""
    draft = path.with_name(f".{path.name}.draft")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "w") as file:
        draft.chmod(mode)  # whatever the umask
        file.write(text)
    draft.replace(path)
