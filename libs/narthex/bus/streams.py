"""The streams, and which subjects each keeps."""

from dataclasses import dataclass

from nats.js.api import DiscardPolicy, RetentionPolicy, StorageType, StreamConfig

from narthex.contracts.events import (
    BY_SUBJECT,
    InstanceBusy,
    ProberAlive,
    RequestsServed,
    RouteApplied,
    UpstreamEvidence,
)

DAY_S = 86_400.0
DEAD_LETTER_PREFIX = "narthex.dead"

# Volatile facts: told to whoever listens now, kept nowhere.
VOLATILE = frozenset(kind.subject for kind in (RouteApplied, UpstreamEvidence, InstanceBusy, ProberAlive))


@dataclass(frozen=True)
class Stream:
    """A JetStream stream: its name, its subjects, how long it keeps what."""

    name: str
    subjects: tuple[str, ...]
    # A message is gone once its one consumer has it. When the stream is full it takes no more: who publishes knows
    # what is lost then, while nobody could say what was in the oldest.
    work_queue: bool = False
    max_age_s: float = 7 * DAY_S  # 0: for ever


EVENTS = Stream(
    "NARTHEX_EVENTS",
    tuple(subject for subject in BY_SUBJECT if subject not in VOLATILE | {RequestsServed.subject}),
)
REQUESTS = Stream("NARTHEX_REQUESTS", (RequestsServed.subject,), work_queue=True, max_age_s=0.0)
DEAD_LETTERS = Stream("NARTHEX_DEAD_LETTERS", (f"{DEAD_LETTER_PREFIX}.>",), max_age_s=30 * DAY_S)


@dataclass(frozen=True)
class Extent:
    """Which messages a stream has: their numbers, the first above the last where it has none."""

    created: str  # when: one that is made anew numbers anew
    first: int
    last: int


def stream_config(stream: Stream, replicas: int, max_bytes: int = -1) -> StreamConfig:
    """The server-side configuration of a stream. Where events are kept for readers, the oldest go when it is full."""
    return StreamConfig(
        name=stream.name,
        subjects=list(stream.subjects),
        retention=RetentionPolicy.WORK_QUEUE if stream.work_queue else RetentionPolicy.LIMITS,
        storage=StorageType.FILE,
        discard=DiscardPolicy.NEW if stream.work_queue else DiscardPolicy.OLD,
        max_age=stream.max_age_s,
        max_bytes=max_bytes,
        num_replicas=replicas,
        duplicate_window=120.0,  # seconds in which a repeated event id is dropped
    )
