"""What a probe of an instance connects to, and how. Pure."""

from collections.abc import Collection
from dataclasses import dataclass

from narthex.contracts.entities import HealthCheck, Instance, ProbeType, Service
from narthex.contracts.statuses import ANY_GOOD, Ranges, expects, ranges
from narthex_healthcheck.verdict import ANSWERED, Outcome, Thresholds

NO_PORT = Outcome(
    "no_port",
    "no port is known: give the instance or its health check a port, or create a service for the deployment",
)
_ANY_GOOD = ranges(ANY_GOOD)
_SHORTEST_S = 0.1  # an interval or timeout of 0 would be a busy loop


@dataclass(frozen=True, slots=True)
class Question:
    """What an HTTP probe sends, and which statuses are a good answer."""

    path: str = "/"
    method: str = "GET"
    headers: tuple[tuple[str, str], ...] = ()
    expected: Ranges = _ANY_GOOD

    def outcome(self, status: int) -> Outcome:
        """What an answer with this status says about the instance."""
        cause = ANSWERED if expects(self.expected, status) else f"http_{status // 100}xx"
        return Outcome(cause, f"probe: HTTP {status}")


@dataclass(frozen=True, slots=True)
class Target:
    """Where and how an instance is probed: over HTTP when there is a question, else by a TCP connect."""

    address: str
    port: int
    question: Question | None
    interval_s: float
    timeout_s: float
    thresholds: Thresholds

    @property
    def authority(self) -> str:
        """Address and port as they stand in a URL (RFC 3986: an IPv6 address in brackets)."""
        return f"[{self.address}]:{self.port}" if ":" in self.address else f"{self.address}:{self.port}"

    def __str__(self) -> str:
        if self.question is None:
            return f"connect {self.authority}"
        return f"{self.question.method} http://{self.authority}{self.question.path}"


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
        _question(check),
        max(check.interval, _SHORTEST_S),
        max(check.timeout, _SHORTEST_S),
        Thresholds(check.failure_threshold, check.success_threshold),
    )


def _question(check: HealthCheck) -> Question | None:
    """What is asked over HTTP; None where a connect is enough. Without a type the path decides."""
    if check.type is ProbeType.TCP or (check.type is None and check.path is None):
        return None
    return Question(check.path or "/", check.method, tuple(check.headers.items()), ranges(check.expected_status))


def _first_port(services: Collection[Service]) -> int | None:
    return min(services, key=lambda service: service.id).port if services else None
