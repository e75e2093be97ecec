"""Writes a golden sample of each event type that has none yet: tests/contract/golden/<Type>.json.

    python tools/golden.py

A sample that exists is never changed: it is what a router or a monitor of an earlier release has seen. When the
contract test says that a sample is no longer read as it was written, the change is a breaking one.
"""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from narthex.contracts import entities
from narthex.contracts.events import Event, every_event

FOLDER = Path(__file__).parents[1] / "tests" / "contract" / "golden"
WHEN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def identity(number: int) -> str:
    return f"019b7d2a-0000-7000-8000-{number:012x}"


SAMPLES: dict[type[Any], Any] = {
    entities.Project: entities.Project(id=identity(1), name="default"),
    entities.Deployment: entities.Deployment(
        id=identity(2), project_id=identity(1), name="hello", default_version_id=identity(3)
    ),
    entities.Version: entities.Version(
        id=identity(3),
        project_id=identity(1),
        deployment_id=identity(2),
        name="v1",
        health_check=entities.HealthCheck(path="/healthz", port=9000, failure_threshold=3),
    ),
    entities.Instance: entities.Instance(
        id=identity(4),
        project_id=identity(1),
        deployment_id=identity(2),
        version_id=identity(3),
        address="127.0.1.1",
        port=9000,
        identity="nonce",
    ),
    entities.Service: entities.Service(
        id=identity(5), project_id=identity(1), name="hello", deployment_id=identity(2), port=9000, rate_limit=60
    ),
    entities.Token: entities.Token(id=identity(6), subject_id=identity(7), digest="ab" * 32, expires_at=WHEN),
    entities.Access: entities.Access(id=identity(7), name="a@example.org", projects=(identity(1),)),
    entities.ReplicaHealth: entities.ReplicaHealth(
        id=identity(4), health=entities.Health.UNHEALTHY, reason="probe: HTTP 503"
    ),
    entities.Domain: entities.Domain(
        id=identity(11), project_id=identity(1), service_id=identity(5), host="models.example.org"
    ),
    entities.Certificate: entities.Certificate(
        id="*.services.example.org",
        hosts=("*.services.example.org",),
        issuer="CN=Narthex issuing CA",
        serial="01",
        fingerprint="cd" * 32,
        not_before=WHEN,
        not_after=WHEN,
    ),
}
OTHERS: dict[str, Any] = {
    "before": entities.Health.HEALTHY,
    "evidence": ("probe: HTTP 503",),
    "hosts": ("*.services.example.org",),
    "reason": "lease expired",
    "router": "router-1",
    "worker": "router-1/0",
    "workers": 2,
    "applied_sequence": 41,
    "dropped": 3,
    "kind": "rate_limit_user",
    "limit": 60,
    "refused": 12,
    "shadowed": 0,
    "instances": (
        entities.SeenOfInstance(
            instance_id=identity(4),
            address="127.0.1.1",
            port=9000,
            refused=3,
            failed_for_ms=180,
            failed_ago_ms=2,
            successes=40,
            progress_ago_ms=12,
        ),
    ),
    "versions": (
        entities.SeenOfVersion(
            service_id=identity(5),
            rollout_id=identity(12),
            version_id=identity(3),
            requests=40,
            errors=1,
            latencies=((26, 39), (40, 1)),
        ),
    ),
    "in_flight": 1,
    "open": (entities.OpenRequest(id=identity(8), service_id=identity(5), websocket=True, age_s=12.5),),
    "leaving": True,
    "records": (
        entities.RequestRecord(
            id=identity(8),
            time=WHEN,
            service_id=identity(5),
            method="GET",
            path="/a",
            status=200,
            attempts=(entities.Attempt(instance_id=identity(4), address="127.0.1.1:9000", outcome="answered"),),
        ),
    ),
}


def sample(kind: type[Event]) -> Event:
    """An event of a type with every field of its own set."""
    fields: dict[str, Any] = {}
    for name, field in kind.model_fields.items():
        if name == "entity":
            fields[name] = SAMPLES[field.annotation]  # type: ignore[index]
        elif name in OTHERS:
            fields[name] = OTHERS[name]
    return kind(
        id=identity(9), time=WHEN, sequence=42, project=identity(1), key=identity(5), revision=7,
        correlation_id=identity(10), traceparent="00-" + "1" * 32 + "-" + "2" * 16 + "-01", **fields,
    )  # fmt: skip


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    for kind in every_event():
        path = FOLDER / f"{kind.__name__}.json"
        if not path.exists():
            path.write_text(json.dumps(sample(kind).model_dump(mode="json"), indent=1) + "\n")


if __name__ == "__main__":
    main()
