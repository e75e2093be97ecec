"""What is on record of the requests that clients have had answers to."""

import json
from collections.abc import Collection, Mapping
from datetime import UTC, datetime

from compose.load import Account
from compose.stack import Stack, wait_until


def missing(stack: Stack, account: Account, but: Collection[str] = ()) -> Mapping[str, float]:
    """The answered requests that have no record, with the time of their answer."""
    client = stack.client()
    since = datetime.fromtimestamp(account.began - 1, UTC)
    listed = client.requests.list("hello", since=since, page=500)
    known = {record.id for record in listed}
    return {id: when for id, when in account.answered.items() if id not in known and id not in but}


def settled(stack: Stack) -> None:
    """Until no event and no record is under way any more, and none was given up."""
    wait_until("the streams are read to their ends", lambda: not backlog(stack), within_s=60)


def backlog(stack: Stack) -> dict[str, int]:
    """Messages that somebody has still to deal with, by stream and consumer, and dead letters."""
    text = stack.compose(
        "exec", "--no-TTY", "nats", "wget", "-qO-", "http://127.0.0.1:8222/jsz?streams=true&consumers=true"
    )
    waiting: dict[str, int] = {}
    for account in json.loads(text).get("account_details", []):
        for stream in account.get("stream_detail", []):
            if stream["name"] == "NARTHEX_DEAD_LETTERS":
                waiting[stream["name"]] = stream["state"]["messages"]
            for consumer in stream.get("consumer_detail") or []:
                count = consumer["num_pending"] + consumer["num_ack_pending"]
                waiting[f"{stream['name']}/{consumer['name']}"] = count
    return {name: count for name, count in waiting.items() if count}
