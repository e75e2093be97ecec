"""The request log, read page by page behind the traffic, and held against the books."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

from endurance.books import Books
from narthex.testing.installation import Installation, P

BEHIND_S = 90.0  # a request's record has its beginning's time, and is written at its end: by then all have ended
LIMITED = "limited"
ASKED, PAUSE_S = 10, 3.0  # where the log says that it cannot answer now
SLACK_S = 5.0  # between a client's clock at sending and the router's at the head's arrival


class LogReader:
    """Reads each minute of each service's log once."""

    def __init__(self, here: Installation, began: float) -> None:
        self._here = here
        self._began = began
        self._read_upto: dict[str, float] = {}
        self.passed: list[float] = []  # when requests to the limited service passed its limit

    async def catch_up(self, books: list[Books], upto: float) -> None:
        for each in books:
            since = self._read_upto.get(each.service, self._began)
            records = [record async for record in self.records(each.service, since, upto)]
            self._read_upto[each.service] = upto
            each.found((record["path"] for record in records), upto - SLACK_S)
            if each.service == LIMITED:
                passed = (record["time"] for record in records if record["status"] == 200)
                self.passed.extend(sorted(datetime.fromisoformat(time).timestamp() for time in passed))

    async def records(self, service: str, since: float, upto: float) -> AsyncIterator[dict[str, Any]]:
        query = {"since": moment(since), "until": moment(upto), "limit": "500", "cursor": ""}
        while True:
            page = await self._page(service, query)
            for record in page["results"]:
                yield record
            if page["next"] is None:
                return
            query["cursor"] = page["next"]

    async def _page(self, service: str, query: dict[str, str]) -> dict[str, Any]:
        """The log may be busy: it says so, and is asked again."""
        for _ in range(ASKED):
            status, page = await self._here.api.get(f"{P}/services/{service}/requests", **query)
            if status != 503:
                break
            await asyncio.sleep(PAUSE_S)
        assert status == 200, page
        return dict(page)

    async def look_again(self, books: Books) -> None:
        """For records that came after their minute was read."""
        for path, sent in list(books.late.items()):
            window = self.records(books.service, sent.at - SLACK_S, sent.at + BEHIND_S)
            if path in {record["path"] async for record in window}:
                del books.late[path]
                books.records += 1

    async def lost(self, books: Books) -> dict[str, int]:
        """What the log says that it could not keep, by reason."""
        return dict((await self._page(books.service, {"limit": "1"}))["lost"])


def moment(unix: float) -> str:
    return datetime.fromtimestamp(unix, UTC).isoformat()
