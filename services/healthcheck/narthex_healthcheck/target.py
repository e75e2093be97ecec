"""What a probe of an instance connects to, and how. Pure."""

from collections.abc import Collection
from dataclasses import dataclass

from narthex.contracts.entities import HealthCheck, Instance, Service
from narthex_healthcheck.verdict import Outcome, Thresholds

NO_PORT = Outcome(
    "no_port",
    "no port is known: give the instance or its health check a port, or create a service for the deployment",
)
_SHORTEST_S = 0.1  # an interval or timeout of 0 would be a busy loop


@dataclass(frozen=True, slots=True)
class Target:
    """Where and how an instance is probed: an HTTP GET when there is a path, else a TCP connect."""

    address: str
    port: int
    path: str | None
    interval_s: float
    timeout_s: float
    thresholds: Thresholds

    @property
    def authority(self) -> str:
        """Address and port as they stand in a URL (RFC 3986: an IPv6 address in brackets)."""
        return f"[{self.address}]:{self.port}" if ":" in self.address else f"{self.address}:{self.port}"

    def __str__(self) -> str:
        return f"connect {self.authority}" if self.path is None else f"GET http://{self.authority}{self.path}"


def resolve(instance: Instance, check: HealthCheck | None, services: Collection[Service]) -> Target | None:
    """The target of an instance, or None when no port is known.

    The port is the check's, else the instance's own, else that of the deployment's first service by id.
    """
    check = check or HealthCheck()
    port = check.port or instance.port or _first_port(services)
    if port is None:
        return None
    return Target(
        instance.address,
        port,
        check.path,
        max(check.interval, _SHORTEST_S),
        max(check.timeout, _SHORTEST_S),
        Thresholds(check.failure_threshold, check.success_threshold),
    )


def _first_port(services: Collection[Service]) -> int | None:
    return min(services, key=lambda service: service.id).port if services else None
