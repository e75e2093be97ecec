"""The asynchronous client: the same operations as `Client`, awaited; lists and streams are `async for`.

async with AsyncClient.from_profile() as narthex:
    async for instance in narthex.instances.list("hello", "v1"):
        print(instance.address, instance.health)
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Self, TypeVar

import httpx2

from narthex.client import connection
from narthex.client.call import Call, Link, Listing, Operation, Pause, Reply, Send, Stream, address, raise_for_status
from narthex.client.errors import ApiError
from narthex.client.methods import Awaited
from narthex.client.nouns import Nouns
from narthex.client.profiles import Flags, Profile, resolve
from narthex.client.retry import Retry
from narthex.client.stream import Resumption
from narthex.contracts.errors import NarthexError
from narthex.runtime.clock import Clock, SystemClock

R = TypeVar("R")
Item = TypeVar("Item")


class AsyncClient(Nouns[Awaited]):
    """An asynchronous client of the API. Close it, or use it as a context manager."""

    def __init__(
        self,
        api_url: str,
        token: str | None,
        *,
        project: str = "default",
        ca_file: Path | None = None,
        retry: Retry | None = None,
        timeout: httpx2.Timeout = connection.TIMEOUT,
        transport: httpx2.AsyncBaseTransport | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._clock = clock or SystemClock()
        api_url = connection.checked(api_url)
        self._link = Link(api_url, project, connection.headers(token), retry or Retry(), self._clock.monotonic)
        self._http = httpx2.AsyncClient(
            verify=connection.tls(api_url, ca_file),
            trust_env=connection.through_proxies(api_url),
            timeout=timeout,
            transport=transport,
        )
        super().__init__(self)

    @classmethod
    def from_profile(cls, profile: Profile | str | None = None, **options: Any) -> Self:
        """A client for a resolved profile, one of the user's by name, or the one that applies here."""
        if not isinstance(profile, Profile):
            profile = resolve(Flags(profile=profile))
        return cls(profile.api_url, profile.token, project=profile.project, ca_file=profile.ca_file, **options)

    @property
    def api_url(self) -> str:
        return self._link.api_url

    @property
    def project(self) -> str:
        return self._link.project

    async def run(self, operation: Operation[R]) -> R:
        """Carry out an operation of `narthex.client.operations`."""
        steps, reply = operation.steps(self._link), None
        while True:
            try:
                step = steps.send(reply)
            except StopIteration as done:
                result: R = done.value
                return result
            reply = await self._do(step)

    async def iterate(self, listing: Listing[Any, Item]) -> AsyncIterator[Item]:
        """Go through a list page by page."""
        call: Call[Any] | None = listing.first
        while call is not None:
            page = await self.run(call)
            for item in listing.items(page):
                yield item
            call = listing.after(call, page)

    async def follow(self, stream: Stream[Item]) -> AsyncIterator[Item]:
        """Go through a stream as it comes; a connection that breaks is taken up again."""
        resumption = Resumption(self.api_url, self._link.retry, self._clock.monotonic)
        while True:
            reason: NarthexError | httpx2.TransportError | None = None
            try:
                async with self._open(stream) as messages:
                    resumption.stands()
                    async for message in messages:
                        if (item := stream.read(message)) is not None:
                            yield item
            except (ApiError, httpx2.TransportError) as error:
                reason = error
            lost, pause = resumption.pause(reason)
            if stream.on_lost is not None:
                stream.on_lost(lost)
            await self._clock.sleep(pause)

    @asynccontextmanager
    async def _open(self, stream: Stream[Any]) -> AsyncIterator[httpx2.EventSource]:
        url = address(self._link, stream.path, stream.query)
        headers = {**self._link.headers, "accept": "text/event-stream"}
        async with self._http.stream("GET", url, headers=headers, timeout=connection.STREAM_TIMEOUT) as response:
            if not response.is_success:
                await response.aread()
                raise_for_status(response)
            yield httpx2.EventSource(response)

    async def _do(self, step: Send | Pause) -> Reply:
        if isinstance(step, Pause):
            await self._clock.sleep(step.seconds)
            return None
        try:
            timeout = connection.patience(self._http.timeout, step.waits_s)
            return await self._http.request(
                step.method, step.url, headers=dict(step.headers), content=step.content, timeout=timeout
            )
        except httpx2.TransportError as reason:
            return reason

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()
