"""The file of the sealing keys. The first key seals; those after it open what was sealed under them.

A line a key: 64 hexadecimal digits, since when it seals, and `next` for one that does not seal yet. A file of 64 digits
alone, as secrets of containers are made, is one key. The file is replaced in one step, and who runs follows it.
"""

import hashlib
import logging
import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from prometheus_client import Gauge

from narthex.contracts.errors import Misconfigured
from narthex.runtime.clock import Clock
from narthex.runtime.sealing import KEY_BYTES

log = logging.getLogger(__name__)

LOOK_EVERY_S = 2.0  # whoever runs has the file's keys after so long
NEXT = "next"
_LINE = re.compile(r"([0-9A-Fa-f]{64})(?:\s+([0-9T:.+Z-]+))?(?:\s+(next))?")


# Told by the parts that seal everything anew when the keys have changed.
NOT_RENEWED = Gauge(
    "narthex_secrets_not_renewed", "Secrets that no sealing key opens, when all were to be sealed anew; 0: none"
)


@dataclass(frozen=True)
class SealingKey:
    """A key of the file."""

    secret: bytes
    since: datetime | None = None  # it seals, or sealed; None: nobody wrote that down
    next: bool = False  # waits until everybody can read with it

    @property
    def id(self) -> str:
        """What to call it without telling it."""
        return hashlib.sha256(self.secret).hexdigest()[:8]


def new_key(now: datetime) -> SealingKey:
    return SealingKey(os.urandom(KEY_BYTES), now)


def parse(text: str) -> tuple[SealingKey, ...]:
    """The keys of a file; ValueError when it has something else in it."""
    keys = []
    for line in filter(None, (line.strip() for line in text.splitlines())):
        found = _LINE.fullmatch(line)
        if found is None:
            raise ValueError("a line is not 64 hexadecimal digits, perhaps with the time and `next` after them")
        since = datetime.fromisoformat(found[2]) if found[2] else None
        keys.append(SealingKey(bytes.fromhex(found[1]), since, next=found[3] is not None))
    if not keys or keys[0].next:
        raise ValueError("there is no key that seals")
    return tuple(keys)


def lines(keys: Sequence[SealingKey]) -> str:
    """The keys as the file has them."""
    return "".join(
        " ".join(filter(None, (key.secret.hex(), _moment(key.since), NEXT if key.next else ""))) + "\n" for key in keys
    )


def staged(keys: Sequence[SealingKey], now: datetime) -> tuple[SealingKey, ...]:
    """The keys with a new one that everybody can read with, and nobody seals with yet."""
    if any(key.next for key in keys):
        raise Misconfigured("there is a new key already that waits for its turn")
    return (*keys, replace(new_key(now), next=True))


def promoted(keys: Sequence[SealingKey], now: datetime) -> tuple[SealingKey, ...]:
    """The keys with the one first that waited."""
    waiting = [replace(key, since=now, next=False) for key in keys if key.next]
    if not waiting:
        raise Misconfigured("there is no new key that waits for its turn")
    return (*waiting, *(key for key in keys if not key.next))


def without(keys: Sequence[SealingKey], id: str) -> tuple[SealingKey, ...]:
    """The keys but one, which must not be the one that seals."""
    if keys[0].id == id:
        raise Misconfigured(f"key {id} is the one that secrets are sealed under; rotate first")
    left = tuple(key for key in keys if key.id != id)
    if len(left) == len(keys):
        raise Misconfigured(f"there is no key {id}")
    return left


def read_keys(path: Path) -> tuple[SealingKey, ...]:
    """The keys in the file at `path`."""
    try:
        return parse(path.read_text())
    except (OSError, ValueError) as error:
        raise Misconfigured(
            f"cannot read the sealing key: {error}. Write 64 hexadecimal digits to {path} (NARTHEX_SEALING_KEY_FILE)"
        ) from None


def read_sealing_keys(path: Path) -> tuple[bytes, ...]:
    """The secrets of the keys in the file at `path`, the one that seals first."""
    return tuple(key.secret for key in read_keys(path))


def replace_keys(path: Path, keys: Sequence[SealingKey]) -> None:
    """Write the file anew in one step, for whom it belonged to before."""
    draft = _draft(path, lines(keys))
    try:
        held = path.stat()
        if (held.st_uid, held.st_gid) != (os.geteuid(), os.getegid()):
            os.chown(draft, held.st_uid, held.st_gid)
        draft.replace(path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise Misconfigured(f"cannot write the sealing keys: {error}") from None


def open_sealing_keys(path: Path, depends: str) -> tuple[bytes, ...]:
    """The keys, of which the first is made on an installation's first start and never silently made again.

    `depends` says what there is already that is worth nothing without the key; empty: nothing.
    """
    if not path.exists():
        if depends:
            raise Misconfigured(
                f"the sealing key {path} (NARTHEX_SEALING_KEY_FILE) is missing, and {depends}. Put it back"
            )
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_sealing_key(path)
        except OSError as error:
            raise Misconfigured(
                f"cannot write the sealing key: {error}. Make NARTHEX_SEALING_KEY_FILE a path that this user may write"
            ) from None
    return read_sealing_keys(path)


def write_sealing_key(path: Path) -> None:
    """Make a new key at `path`, readable by its owner only; an existing one stays.

    Parts that start together all try: the key appears whole and once (link), and nobody reads half of it.
    """
    draft = _draft(path, lines([new_key(datetime.now(UTC))]))
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink(missing_ok=True)


async def follow_keys(path: Path, held: Sequence[bytes], use: Callable[..., None], clock: Clock) -> None:
    """Call `use` with the file's keys whenever they have become others than those that are held. For ever."""
    told = ""
    while True:
        await clock.sleep(LOOK_EVERY_S)
        try:
            found = read_sealing_keys(path)
        except Misconfigured as error:  # what is held serves on
            if told != error.message:
                log.error("sealing keys not read again", extra={"fields": {"reason": error.message}})
            told = error.message
            continue
        told = ""
        if found != tuple(held):
            held = found
            use(*found)
            log.info("sealing keys read again", extra={"fields": {"keys": len(found)}})


def _draft(path: Path, text: str) -> Path:
    """The text in a file beside the path, for its owner only, and on the disk."""
    draft = path.with_name(f"{path.name}.{os.urandom(6).hex()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    return draft


def _moment(when: datetime | None) -> str:
    return when.isoformat(timespec="seconds") if when is not None else ""
