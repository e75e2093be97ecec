"""Follow Narthex from your own monitoring: each change of health, limit that was reached and certificate in trouble.

    pip install nats-py
    NATS_URL=nats://127.0.0.1:4222 NATS_PASSWORD=… python monitor.py [subject …]

The user `monitor` hears every event but the request log, and may say nothing. The subjects and what is in each stand
in /asyncapi.json of the API. Nothing is kept for a monitor that is away: what it missed is in the project's events.
"""

import asyncio
import json
import os
import sys

import nats

SUBJECTS = sys.argv[1:] or [
    "narthex.v1.replica.health_changed",
    "narthex.v1.limit.reached",
    "narthex.v1.cert.renewal_failed",
    "narthex.v1.cert.expiring",
]


async def main() -> None:
    client = await nats.connect(
        os.environ["NATS_URL"],
        user="monitor",
        password=os.environ["NATS_PASSWORD"],
        inbox_prefix="_INBOX_monitor",  # the only inbox that this user may have
    )

    async def show(message: nats.aio.msg.Msg) -> None:
        event = json.loads(message.data)
        what = event.get("entity") or {key: event[key] for key in event.keys() & {"kind", "reason", "hosts", "limit"}}
        print(json.dumps({"time": event["time"], "subject": message.subject, "key": event["key"], **what}), flush=True)

    for subject in SUBJECTS:
        await client.subscribe(subject, cb=show)
    await client.flush()
    print("listening", file=sys.stderr, flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
