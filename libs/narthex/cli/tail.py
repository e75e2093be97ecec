"""`narthex tail SERVICE`: requests as they come, by asking the log again and again."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Annotated

import typer

from narthex.cli.moments import ago
from narthex.cli.options import Json, Project, ServiceName, Since
from narthex.cli.output import plain, show_line
from narthex.cli.session import connect
from narthex.client.client import Client
from narthex.contracts.api import RequestRecord

POLL_S = 1.0  # records are written in batches about as often
LATE = timedelta(seconds=30)  # a record of a long request begins long before it is written
MOST = 1000  # between two questions; of a service that is busier than that, the newest are shown


class Seen:
    """Which records were shown already. A record's time is when its request began, so it can be written after one
    that began later: the last `LATE` are asked for again each time."""

    def __init__(self, since: datetime) -> None:
        self._since = since
        self._shown: dict[str, datetime] = {}

    @property
    def since(self) -> datetime:
        return self._since

    def new(self, records: list[RequestRecord]) -> list[RequestRecord]:
        """Those that were not shown yet, oldest first."""
        fresh = [record for record in reversed(records) if record.id not in self._shown]
        self._shown |= {record.id: record.time for record in fresh}
        if fresh:
            newest = max(record.time for record in fresh)
            self._since = max(self._since, newest - LATE)
            self._shown = {id: time for id, time in self._shown.items() if time >= self._since}
        return fresh


def tail(
    context: typer.Context,
    service: ServiceName,
    since: Since = None,
    status: Annotated[str | None, typer.Option(help="Only this status (404) or class (5xx).")] = None,
    code: Annotated[str | None, typer.Option(help="Only answers the router made itself with this code.")] = None,
    limit: Annotated[int | None, typer.Option(help="Stop after so many.", min=1)] = None,
    project: Project = None,
    json: Json = False,
) -> None:
    """Print the requests to a service until Ctrl-C; with --json one a line."""
    now = datetime.now(UTC)
    with connect(context, project, service=service) as api:
        for record in islice(_follow(api, service, Seen(ago(since, now) or now), status, code), limit):
            if json:
                show_line(record)
            else:
                print(line(record), flush=True)


def line(record: RequestRecord) -> str:
    """A request as one line."""
    why = f" {plain(record.code)}" if record.code else ""
    return (
        f"{plain(record.time)}\t{record.status or '-'}{why}\t{record.total_ms:.1f} ms\t"
        f"{plain(record.method)} {plain(record.path)}\t{plain(record.instance_id)}"
    )


def _follow(api: Client, service: str, seen: Seen, status: str | None, code: str | None) -> Iterator[RequestRecord]:
    while True:
        found = api.requests.list(service, since=seen.since, status=status, code=code, page=MOST // 2)
        yield from seen.new(list(islice(found, MOST)))
        time.sleep(POLL_S)
