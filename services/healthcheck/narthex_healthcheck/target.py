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
OTHER_INSTANCE = Outcome("other_instance", "probe: another instance answers at this address")
NO_IDENTITY = Outcome("no_identity", "probe: the answer does not say in x-narthex-instance which instance it is from")
_ANY_GOOD = ranges(ANY_GOOD)
_SHORTEST_S = 0.1  # an interval or timeout of 0 would be a busy loop


@dataclass(frozen=True, slots=True)
class Question:
    """What an HTTP probe sends, and which statuses are a good answer."""

    path: str = "/"
    method: str = "GET"
    headers: tuple[tuple[str, str], ...] = ()
    expected: Ranges = _ANY_GOOD
    identity: str | None = None  # what a good answer says in x-narthex-instance; None: nothing

    def outcome(self, status: int, instance: str | None = None) -> Outcome:
        """What an answer with this status says about the instance, and which instance it says it is from."""
        if not expects(self.expected, status):
            return Outcome(f"http_{status // 100}xx", f"probe: HTTP {status}")
        if self.identity is not None and instance != self.identity:
            return OTHER_INSTANCE if instance else NO_IDENTITY
        return Outcome(ANSWERED, f"probe: HTTP {status}")


@dataclass(frozen=True, slots=True)
class GrpcQuestion:
    """What a gRPC probe asks for: the health of a service, or of the server as a whole."""

    service: str = ""


@dataclass(frozen=True, slots=True)
class Tls:
    """How a probe speaks TLS."""

    verify: bool = True
    ca: str | None = None  # PEM; None: the CAs of the machine
    name: str | None = None  # in the certificate; None: the address


@dataclass(frozen=True, slots=True)
class Target:
    """Where and how an instance is probed: by a question when there is one, else by a TCP connect."""

    address: str
    port: int
    question: Question | GrpcQuestion | None
    interval_s: float
    timeout_s: float
    thresholds: Thresholds
    tls: Tls | None = None

    @property
    def authority(self) -> str:
        """Address and port as they stand in a URL (RFC 3986: an IPv6 address in brackets)."""
        return f"[{self.address}]:{self.port}" if ":" in self.address else f"{self.address}:{self.port}"

    def __str__(self) -> str:
        secure = "s" if self.tls is not None else ""
        if self.question is None:
            return f"connect {self.authority}{' over TLS' if secure else ''}"
        if isinstance(self.question, GrpcQuestion):
            return f"grpc{secure}://{self.authority}/{self.question.service}"
        return f"{self.question.method} http{secure}://{self.authority}{self.question.path}"


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
        _question(check, instance.identity),
        max(check.interval, _SHORTEST_S),
        max(check.timeout, _SHORTEST_S),
        Thresholds(check.failure_threshold, check.success_threshold),
        Tls(check.tls_verify, check.tls_ca, check.tls_name) if check.tls else None,
    )


def _question(check: HealthCheck, identity: str | None) -> Question | GrpcQuestion | None:
    """What is asked; None where a connect is enough. Without a type the path decides, and the identity."""
    if check.type is ProbeType.GRPC:
        return GrpcQuestion(check.grpc_service)
    if check.type is ProbeType.TCP or (check.type is None and check.path is None and identity is None):
        return None
    path, headers, expected = check.path or "/", tuple(check.headers.items()), ranges(check.expected_status)
    return Question(path, check.method, headers, expected, identity)


def _first_port(services: Collection[Service]) -> int | None:
    return min(services, key=lambda service: service.id).port if services else None
