"""Writes libs/narthex/contracts/asyncapi.json: what every event on the bus looks like, for people who integrate.

    python tools/asyncapi.py

The registry serves the file at /asyncapi.json. A test fails when it is not what the event models say now.
faststream makes it here, so that no service has to carry faststream for it.
"""

import json
from pathlib import Path
from typing import Any

from faststream.nats import NatsBroker
from faststream.specification import AsyncAPI

from narthex.contracts.events import every_event

FILE = Path(__file__).parents[1] / "libs" / "narthex" / "contracts" / "asyncapi.json"
TITLE = "Narthex events"
VERSION = "1"  # of the subjects: narthex.v1.…
DESCRIPTION = (
    "Every change in a Narthex installation is an event on NATS JetStream. Connect as the user `monitor`, which "
    "may listen to all of them and say nothing. An event may come twice: its `id` stays the same, and its "
    "`revision` grows with every change of the entity `key`."
)


def document() -> dict[str, Any]:
    """The AsyncAPI 3 document of all events."""
    broker = NatsBroker("nats://localhost:4222", description="The NATS server of the installation")
    for kind in every_event():
        broker.publisher(kind.subject, schema=kind, title=kind.__name__, description=kind.__doc__)
    specification = AsyncAPI(broker, title=TITLE, version=VERSION, description=DESCRIPTION)
    found: dict[str, Any] = specification.to_specification().to_jsonable()
    for message in found["components"]["messages"].values():
        # faststream would have it in a header; ours is in the envelope.
        message["correlationId"] = {"location": "$message.payload#/correlation_id"}
    return found


def text() -> str:
    """The file's content. Sorted: faststream keeps its publishers in a set."""
    return json.dumps(document(), indent=1, sort_keys=True) + "\n"


if __name__ == "__main__":
    FILE.write_text(text())
