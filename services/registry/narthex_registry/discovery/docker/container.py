"""What the engine says of a container, and which instance that is. Pure."""

from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_pascal

from narthex_registry.discovery.found import Found
from narthex_registry.discovery.labels import IDENTITY, NETWORK, PORT, PROJECT, number, target, weight


class _Model(BaseModel):
    model_config = ConfigDict(alias_generator=to_pascal)


class Health(_Model):
    status: str = "none"


class ContainerState(_Model):
    running: bool = False
    paused: bool = False
    restarting: bool = False
    health: Health | None = None


class ContainerConfig(_Model):
    labels: dict[str, str] | None = None
    stop_signal: str | None = None
    stop_timeout: int | None = None


class Endpoint(_Model):
    ipv4: str = Field("", alias="IPAddress")
    ipv6: str = Field("", alias="GlobalIPv6Address")


class Published(_Model):
    host_port: str = ""


class NetworkSettings(_Model):
    networks: dict[str, Endpoint | None] | None = None
    ports: dict[str, list[Published] | None] | None = None


class HostConfig(_Model):
    network_mode: str = ""


class Inspected(_Model):
    """The part of `GET /containers/{id}/json` that matters."""

    id: str
    name: str = ""
    state: ContainerState
    config: ContainerConfig
    host_config: HostConfig = HostConfig()
    network_settings: NetworkSettings = NetworkSettings()

    @property
    def labels(self) -> dict[str, str]:
        return self.config.labels or {}

    @property
    def serves(self) -> bool:
        """Whether it may be sent requests: it runs, and its own health check, if it has one, has passed."""
        state = self.state
        healthy = state.health is None or state.health.status in ("healthy", "none", "")
        return state.running and not state.paused and not state.restarting and healthy

    @property
    def stop_signals(self) -> frozenset[str]:
        """The signals that end it, as events name them: by number."""
        own = self.config.stop_signal or "SIGTERM"
        return frozenset({"9", _NUMBERS.get(own.removeprefix("SIG"), own)})

    @property
    def stop_within_s(self) -> int:
        """How long the engine waits between asking it to stop and killing it."""
        return self.config.stop_timeout if self.config.stop_timeout is not None else 10


_NUMBERS = {"HUP": "1", "INT": "2", "QUIT": "3", "KILL": "9", "USR1": "10", "USR2": "12", "TERM": "15", "WINCH": "28"}


@dataclass(frozen=True)
class Reading:
    """How containers are read."""

    project: str
    host_address: str
    projects: frozenset[str] = frozenset()  # that labels may name besides; none: any

    def found(self, container: Inspected, *, stopping: bool) -> Found:
        """The instance that a container is. Raises ValueError."""
        labels = container.labels
        port = number(labels, PORT)
        project = labels.get(PROJECT) or self.project
        if self.projects and project not in self.projects | {self.project}:
            raise ValueError(f"NARTHEX_DISCOVERY_DOCKER_PROJECTS lacks the project of the label {PROJECT}")
        address, port = self._published(container, port) if self.host_address else (_address(container), port)
        return Found(
            target=target(labels, project),
            id=container.id,
            address=address,
            port=port,
            weight=weight(labels),
            draining=stopping,
            identity=labels.get(IDENTITY) or None,
            metadata={"docker.container": container.name.removeprefix("/")[:200]},
        )

    def _published(self, container: Inspected, port: int | None) -> tuple[str, int]:
        if port is None:
            raise ValueError(f"the label {PORT} is missing, which a published port needs")
        if container.host_config.network_mode == "host":
            return self.host_address, port
        for each in (container.network_settings.ports or {}).get(f"{port}/tcp") or ():
            if each.host_port.isascii() and each.host_port.isdigit():
                return self.host_address, int(each.host_port[:6])
        raise ValueError(f"the port of the label {PORT} is not published")


def inspected(raw: dict[str, Any]) -> Inspected:
    """Raises ValueError."""
    try:
        return Inspected.model_validate(raw)
    except ValidationError as error:
        raise ValueError(f"the engine's answer is not understood: {error.errors()[0]['loc']}") from None


def _address(container: Inspected) -> str:
    """The container's address in its network, or in the one that the label names."""
    networks = container.network_settings.networks or {}
    there = {name: each.ipv4 or each.ipv6 for name, each in networks.items() if each is not None}
    there = {name: address for name, address in there.items() if address}
    if (wanted := container.labels.get(NETWORK)) is not None:
        if wanted not in there:
            raise ValueError(f"it has no address in the network of its label {NETWORK}")
        return there[wanted]
    if not there:
        raise ValueError("it has no address of its own; NARTHEX_DISCOVERY_DOCKER_HOST_ADDRESS serves published ports")
    if len(there) > 1:
        raise ValueError(f"it is in several networks; the label {NETWORK} must name one")
    return next(iter(there.values()))
