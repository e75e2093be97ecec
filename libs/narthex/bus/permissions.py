"""Who may say and hear what on NATS: the narrowest lists that let each part do its work (THREATS T110).

Derived from what each part publishes, consumes, asks and answers; `nats_config` renders them for the embedded
server, `nats_users` for a deployment's own (`narthex prepare`).
"""

from collections.abc import Mapping
from dataclasses import dataclass

from narthex.bus.streams import DEAD_LETTER_PREFIX, DEAD_LETTERS, EVENTS, REQUESTS, Stream
from narthex.contracts import events, queries
from narthex.contracts.events import Event


@dataclass(frozen=True)
class Role:
    """What one part does on the bus."""

    publishes: tuple[type[Event], ...] = ()
    tells: tuple[type[Event], ...] = ()
    consumes: tuple[Stream, ...] = ()
    listens: tuple[type[Event], ...] = ()
    sees: tuple[Stream, ...] = ()  # how far they go
    asks: tuple[str, ...] = ()
    answers: tuple[str, ...] = ()
    owns_streams: bool = False


EVERY_FACT = tuple(kind for kind in events.BY_SUBJECT.values() if kind is not events.RequestsServed)

ROLES: dict[str, Role] = {
    "registry": Role(
        publishes=events.REGISTRY_FACTS,
        consumes=(EVENTS,),
        listens=(*EVERY_FACT, events.RequestsServed),  # webhooks about requests
        asks=(*queries.AUDIT_SUBJECTS, *queries.CERTIFICATE_SUBJECTS, queries.LIMIT_USE_SUBJECT),
        answers=(queries.SNAPSHOT_SUBJECT,),
        owns_streams=True,
    ),
    "router": Role(
        publishes=(
            *(events.RouterStarted, events.RouterDrained, events.RequestsServed),
            *(events.LimitReached, events.InstanceReleased),
        ),
        tells=(events.RouteApplied, events.UpstreamEvidence, events.InstanceBusy, events.VersionsCompared),
        consumes=(EVENTS,),
        listens=(events.ProberAlive,),
        asks=(queries.SNAPSHOT_SUBJECT,),
        answers=(queries.LIMIT_USE_SUBJECT,),
    ),
    "healthcheck": Role(
        publishes=(events.ReplicaHealthChanged,),
        tells=(events.ProberAlive,),
        listens=(
            *events.REGISTRY_FACTS,
            *(events.ReplicaHealthChanged, events.UpstreamEvidence, events.ProberAlive),
        ),
        asks=(queries.SNAPSHOT_SUBJECT,),
    ),
    "certs": Role(
        publishes=(events.CertRequested, events.CertIssued, events.CertRenewalFailed, events.CertExpiring),
        consumes=(EVENTS,),
        asks=(queries.SNAPSHOT_SUBJECT,),
        answers=queries.CERTIFICATE_SUBJECTS,
    ),
    "audit": Role(consumes=(EVENTS, REQUESTS), sees=(REQUESTS,), answers=queries.AUDIT_SUBJECTS),
    # For people who integrate monitoring: hears every event, says nothing.
    "monitor": Role(listens=EVERY_FACT),
}


def may_publish(name: str, role: Role) -> list[str]:
    """The subjects a part may publish to. Its durables are named after it (`name` or `name-…`)."""
    subjects = [kind.subject for kind in (*role.publishes, *role.tells)]
    subjects += role.asks
    if role.owns_streams:
        subjects += [f"$JS.API.STREAM.{verb}.*" for verb in ("CREATE", "UPDATE", "INFO")]
        subjects += ["$JS.API.CONSUMER.LIST.*"]
        subjects += [f"$JS.API.STREAM.MSG.{verb}.{DEAD_LETTERS.name}" for verb in ("GET", "DELETE")]
        subjects += [f"$JS.API.STREAM.MSG.GET.{EVENTS.name}"]  # what a dead letter says was there
        subjects += [*EVENTS.subjects, *REQUESTS.subjects]  # dead letters are published again
    for stream in role.consumes:
        subjects += [
            f"$JS.API.CONSUMER.DURABLE.CREATE.{stream.name}.{name}",
            f"$JS.API.CONSUMER.CREATE.{stream.name}.{name}",
            f"$JS.API.CONSUMER.MSG.NEXT.{stream.name}.{name}",
            f"$JS.API.CONSUMER.RESET.{stream.name}.{name}",
            f"$JS.ACK.{stream.name}.{name}.>",
            f"{DEAD_LETTER_PREFIX}.{name}",
        ]
    subjects += [f"$JS.API.STREAM.INFO.{stream.name}" for stream in role.sees]
    # Replies go to the asker's private inbox. (`_INBOX_*.>` would not do: a wildcard is a whole token.)
    subjects += [f"_INBOX_{asker}.>" for asker, other in ROLES.items() if set(role.answers) & set(other.asks)]
    return sorted(set(subjects))


def may_subscribe(name: str, role: Role) -> list[str]:
    """The subjects a part may subscribe to: its private inbox, what it answers, what it listens to."""
    return sorted({f"_INBOX_{name}.>", *role.answers, *(kind.subject for kind in role.listens)})


def nats_users(passwords: Mapping[str, str]) -> str:
    """The part of a nats-server configuration that says who may do what: one user a part."""
    users = ",\n".join(
        f'    {{ user: "{name}", password: "{passwords[name]}", permissions: {{ '
        f"publish: {_list(may_publish(name, role))}, subscribe: {_list(may_subscribe(name, role))} }} }}"
        for name, role in ROLES.items()
    )
    return f"authorization {{\n  users: [\n{users}\n  ]\n}}\n"


def nats_config(port: int, store_dir: str, passwords: Mapping[str, str]) -> str:
    """A nats-server configuration: loopback, JetStream on files synced at every write, one user a part."""
    return (
        f'listen: "127.0.0.1:{port}"\n'
        f'jetstream {{ store_dir: "{store_dir}", sync_interval: always }}\n'
        "max_payload: 8MB\n"
        f"{nats_users(passwords)}"
    )


def _list(subjects: list[str]) -> str:
    return "[" + ", ".join(f'"{subject}"' for subject in subjects) + "]" if subjects else '{ deny: ">" }'
