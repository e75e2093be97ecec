"""What must not leave the router is taken out of headers, queries and bodies before they are written down. Pure.

Where fields of bodies are to be taken out, a body that cannot be read as a whole (cut, broken, of another type) is
left out: nobody could say what is in it.
"""

from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_plus

from msgspec import DecodeError, json

REDACTED = "[redacted]"
# Those that say who somebody is, by themselves.
CREDENTIALS = frozenset(
    {"authorization", "proxy-authorization", "cookie", "set-cookie", "x-api-key", "api-key", "x-auth-token"}
)
_WITH_URLS = frozenset({"referer", "location", "content-location", "link"})
_DEEPEST = 200  # levels of a body that are looked through


class Unreadable(Exception):
    """A body of which nobody can say what is in it."""


@dataclass(frozen=True)
class Redaction:
    """Names of headers and of fields whose values are taken out, in lower case."""

    headers: frozenset[str] = CREDENTIALS
    fields: frozenset[str] = frozenset()

    @classmethod
    def of(cls, headers: tuple[str, ...], fields: tuple[str, ...]) -> "Redaction":
        return cls(
            headers=CREDENTIALS | {name.lower() for name in headers}, fields=frozenset(name.lower() for name in fields)
        )

    def query(self, text: str) -> str:
        """A query string, or a form."""
        if not self.fields or not text:
            return text
        return "&".join(self._pair(part) for part in text.split("&"))

    def header(self, name: str, value: str) -> str:
        """The value of a header."""
        lowered = name.lower()
        if lowered in self.headers or lowered in self.fields:
            return REDACTED
        if self.fields and lowered in _WITH_URLS:
            before, mark, query = value.partition("?")
            return f"{before}{mark}{self.query(query)}"
        return value

    def body(self, content: bytes, content_type: str, *, cut: bool) -> bytes:
        """A body as it may be kept; raises Unreadable when none of it may."""
        if not self.fields or not content:
            return content
        if cut:
            raise Unreadable
        media = content_type.partition(";")[0].strip().lower()
        if media == "application/x-www-form-urlencoded":
            return self.query(content.decode("latin-1")).encode("latin-1")
        if media in ("text/event-stream", "application/x-ndjson", "application/jsonl"):
            return b"\n".join(self._line(line) for line in content.split(b"\n"))
        return self._json(content)

    def _pair(self, part: str) -> str:
        name, equals, _ = part.partition("=")
        return f"{name}={REDACTED}" if equals and self._named(unquote_plus(name)) else part

    def _named(self, name: str) -> bool:
        """`password`, and what frameworks make of it in forms: `user[password]`, `user.password`."""
        lowered = name.lower()
        return lowered in self.fields or lowered.rstrip("]").replace("[", ".").rpartition(".")[2] in self.fields

    def _line(self, line: bytes) -> bytes:
        """A line of a stream: `data: {...}`, or just JSON. Anything else in one is a word of the protocol's."""
        start = 5 if line.startswith(b"data:") else 0
        content = line[start:].strip()
        if content in (b"", b"[DONE]") or (not start and content.startswith((b"event:", b"id:", b"retry:", b":"))):
            return line
        return line[:start] + self._json(content)

    def _json(self, content: bytes) -> bytes:
        try:
            value = json.decode(content)
        except (DecodeError, RecursionError, UnicodeDecodeError):
            raise Unreadable from None
        without, found = self._without(value, 0)
        return json.encode(without) if found else content

    def _without(self, value: Any, depth: int) -> tuple[Any, bool]:
        """A value with its secret fields taken out, and whether there were any."""
        if depth > _DEEPEST:
            raise Unreadable
        if isinstance(value, dict):
            pairs = {
                name: (REDACTED, True) if name.lower() in self.fields else self._without(each, depth + 1)
                for name, each in value.items()
            }
            return {name: each for name, (each, _) in pairs.items()}, any(found for _, found in pairs.values())
        if isinstance(value, list):
            items = [self._without(each, depth + 1) for each in value]
            return [each for each, _ in items], any(found for _, found in items)
        return value, False


NO_REDACTION = Redaction()
