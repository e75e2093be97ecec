"""What a supervisor is told to run: values that can be handed to another process. Pure."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path


class Probe(StrEnum):
    """How a part is asked whether it is ready."""

    READYZ = "readyz"
    NATS = "nats"
    VALKEY = "valkey"


@dataclass(frozen=True)
class Spec:
    """One process to keep running. `port` is a service's admin port, or the only port of a child server."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    port: int
    probe: Probe = Probe.READYZ
    directory: str | None = None  # where it runs; None: where the supervisor does

    @property
    def admin_port(self) -> int | None:
        return self.port if self.probe is Probe.READYZ else None


@dataclass(frozen=True)
class Plan:
    """Everything to run. The services are started when all servers are ready."""

    servers: tuple[Spec, ...]
    services: tuple[Spec, ...]
    stop_order: tuple[str, ...]  # names; what is not named is stopped first
    directory: str  # for `supervisor.json` and `logs/`
    urls: Mapping[str, str]
    announcement: str  # printed when everything is ready
    profiles: Mapping[str, str]  # path -> text; written then, so that a start that fails takes nobody's command over

    @property
    def status(self) -> Path:
        return Path(self.directory, "supervisor.json")

    def log(self, part: str) -> Path:
        return Path(self.directory, "logs", f"{part}.log")


def encode(plan: Plan) -> str:
    return json.dumps(asdict(plan))


def decode(text: str) -> Plan:
    fields = json.loads(text)
    for group in ("servers", "services"):
        fields[group] = tuple(_spec(spec) for spec in fields[group])
    fields["stop_order"] = tuple(fields["stop_order"])
    return Plan(**fields)


def _spec(fields: dict[str, object]) -> Spec:
    command = fields.pop("command")
    probe = fields.pop("probe")
    assert isinstance(command, list)
    return Spec(**fields, command=tuple(command), probe=Probe(str(probe)))  # type: ignore[arg-type]
