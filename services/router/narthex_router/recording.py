"""What is written down of a service's requests, by the settings of the service and of the version behind it. Pure.

Decided when records are made, after the answer; only what needs the bodies is looked at before (`captures`).
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import unquote_to_bytes
from zlib import crc32

from narthex_router.redaction import NO_REDACTION, Redaction

NONE, METADATA, FULL = "none", "metadata", "full"

# What a media type is called where people write extensions; the rest is its subtype: `png`, `json`, `html`.
_EXTENSIONS = {
    "text/plain": frozenset({"txt", "text", "plain"}),
    "text/javascript": frozenset({"js", "mjs", "javascript"}),
    "application/javascript": frozenset({"js", "mjs", "javascript"}),
    "text/html": frozenset({"html", "htm"}),
    "image/jpeg": frozenset({"jpg", "jpeg"}),
    "image/svg+xml": frozenset({"svg"}),
    "image/x-icon": frozenset({"ico"}),
    "image/vnd.microsoft.icon": frozenset({"ico"}),
    "audio/mpeg": frozenset({"mp3", "mpeg"}),
    "text/markdown": frozenset({"md", "markdown"}),
    "application/gzip": frozenset({"gz", "gzip"}),
    "application/yaml": frozenset({"yaml", "yml"}),
}


@dataclass(frozen=True, eq=True)
class Recording:
    """The settings. Equal ones are one object in a table, so that an expression is compiled once."""

    mode: str = METADATA
    keep_s: int = 604_800
    sample: float = 1.0
    excluded_paths: str = ""  # RE2
    excluded_extensions: frozenset[str] = frozenset()
    max_body: int = 65_536
    redaction: Redaction = NO_REDACTION

    @cached_property
    def usual(self) -> bool:
        """Whether every request is written down: nothing needs to be looked at."""
        return self.mode != NONE and self.sample >= 1.0 and not self.excluded_paths and not self.excluded_extensions

    @cached_property
    def captures(self) -> bool:
        """Whether heads have to be held until the record is made."""
        return self.mode == FULL or (self.mode != NONE and bool(self.excluded_extensions))

    @cached_property
    def room(self) -> int:
        """Bytes of a body that are held, each way."""
        return self.max_body if self.mode == FULL else 0

    def logs(self, request_id: bytes, path: bytes, content_types: tuple[bytes, ...]) -> bool:
        """Whether a request is written down; else it is only counted."""
        if self.mode == NONE or not self._sampled(request_id):
            return False
        if self.excluded_paths and any(map(self._is_excluded, forms(path))):
            return False
        return not any(self.excluded_extensions & extensions(each) for each in content_types if each)

    def _sampled(self, request_id: bytes) -> bool:
        """By a digest of the id: the same everywhere, and nobody can choose an id."""
        return self.sample >= 1.0 or crc32(request_id) < self.sample * (1 << 32)

    @cached_property
    def _is_excluded(self) -> Callable[[str], Any]:
        """RE2, whose time is linear; what it cannot read was refused by the API, so such a path excludes nothing."""
        import re2  # 6 MB that few installations need

        options = re2.Options()
        options.log_errors = False
        try:
            found: Callable[[str], Any] = re2.compile(self.excluded_paths, options).search
        except re2.error:
            return lambda path: None
        return found


USUAL = Recording()


def recording(
    *,
    mode: str,
    keep_s: int,
    sample: float,
    excluded_paths: str,
    excluded_extensions: tuple[str, ...],
    max_body: int,
    redact_headers: tuple[str, ...],
    redact_fields: tuple[str, ...],
) -> Recording:
    """The recording that settings amount to."""
    usual = not (excluded_paths or excluded_extensions or redact_headers or redact_fields)
    if usual and (mode, keep_s, sample, max_body) == (METADATA, USUAL.keep_s, 1.0, USUAL.max_body):
        return USUAL
    return Recording(
        mode=mode,
        keep_s=keep_s,
        sample=sample,
        excluded_paths=excluded_paths,
        excluded_extensions=frozenset(each.lower().lstrip(".") for each in excluded_extensions),
        max_body=max_body,
        redaction=Redaction.of(redact_headers, redact_fields),
    )


def forms(path: bytes) -> list[str]:
    """A path as it was sent and as applications may read it: what is left out must not hang on its spelling.

    `/%68ealth`, `//health`, `/./health`, `/health/` and `/health;a=b` are all `/health` to one or the other.
    """
    sent = path.decode("latin-1")
    # Twice: a proxy in between may decode once more.
    decoded = unquote_to_bytes(unquote_to_bytes(path)).decode("latin-1").replace("\\", "/")
    steps: list[str] = []
    for step in decoded.split("/"):
        name = step.partition(";")[0]
        if name == "..":
            del steps[-1:]
        elif name not in ("", "."):
            steps.append(name)
    read = "/" + "/".join(steps)
    return [sent] if read == sent else [sent, decoded, read]


def extensions(content_type: bytes) -> frozenset[str]:
    """What a Content-Type is called as an extension: `application/problem+json` is problem+json, problem and json."""
    media = content_type.partition(b";")[0].strip(b" \t").lower().decode("latin-1")
    subtype = media.partition("/")[2]
    return frozenset({subtype, *subtype.removeprefix("x-").split("+")}) | _EXTENSIONS.get(media, frozenset())
