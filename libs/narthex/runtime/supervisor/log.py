"""The log file of a part: what it wrote to standard output and standard error."""

from pathlib import Path

KEPT_BYTES = 10 * 1024 * 1024
_TAIL_BYTES = 8192


def rotate(log: Path) -> None:
    """Put a log that has grown large aside, over the one put aside before."""
    if log.exists() and log.stat().st_size > KEPT_BYTES:
        log.replace(log.with_name(f"{log.name}.1"))


def note(log: Path, sentence: str) -> None:
    """Say something of our own in a part's log; what cannot be written is left out."""
    try:
        with log.open("a") as file:
            file.write(f"{sentence}\n")
    except OSError:
        pass


def last_line(log: Path) -> str:
    """The last line that says anything."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - _TAIL_BYTES))
            lines = file.read().decode(errors="replace").split("\n")
    except OSError:
        return ""
    return next((line.strip() for line in reversed(lines) if line.strip()), "")
