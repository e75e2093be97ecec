"""HTTP statuses that a health check takes for a good answer: `200-399`, `200,204`, `200-299,401`. Pure."""

import re

ANY_GOOD = "200-399"
_MOST_PARTS = 20

Ranges = tuple[tuple[int, int], ...]


def parse_statuses(text: str) -> str:
    """Statuses and ranges separated by commas, in the form that the rest of the system uses."""
    return ",".join(str(low) if low == high else f"{low}-{high}" for low, high in ranges(text))


def ranges(text: str) -> Ranges:
    """The lowest and highest status of each part."""
    parts = [part.strip(" ") for part in text.split(",")]
    if len(parts) > _MOST_PARTS:
        raise ValueError(f"must have at most {_MOST_PARTS} parts")
    return tuple(_range(part) for part in parts)


def expects(wanted: Ranges, status: int) -> bool:
    return any(low <= status <= high for low, high in wanted)


def _range(part: str) -> tuple[int, int]:
    found = re.fullmatch(r"([1-5][0-9]{2})(?:-([1-5][0-9]{2}))?", part)
    if found is None or int(found[1]) > int(found[2] or found[1]):
        raise ValueError("must be statuses from 100 to 599 or ranges of them, e.g. 200-399 or 200,204")
    return int(found[1]), int(found[2] or found[1])
