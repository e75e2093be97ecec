"""The blocking client.

    from narthex.client import Client
    from narthex.contracts.api import ServiceCreate

    with Client.from_profile() as narthex:
        service = narthex.services.create(ServiceCreate(name="hello", deployment="hello", port=9000))
        narthex.services.wait_until_applied("hello")
        print(service.endpoint)

Every method raises ApiError when the API says no, ConnectionFailed when it does not answer. What can be repeated
is, with back-off, within `Retry.total_s`.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol, Self, TypeVar

import httpx2

from narthex.client import connection
from narthex.client.call import Call, Link, Listing, Operation, Pause, Reply, Send, Stream, address, raise_for_status
from narthex.client.errors import ApiError
from narthex.client.methods import Blocking
from narthex.client.nouns import Nouns
from narthex.client.profiles import Flags, Profile, resolve
from narthex.client.retry import Retry
from narthex.client.stream import Resumption
from narthex.contracts.errors import NarthexError

R = TypeVar("R")
Item = TypeVar("Item")


class BlockingClock(Protocol):
    """What the client waits by; a test turns its own."""

    def monotonic(self) -> float: ...

    def sleep(self, seconds: float) -> None: ...


class Client(Nouns[Blocking]):
    """A blocking client of the API. Close it, or use it as a context manager. Not safe to share by threads."""

    def __init__(
        self,
        api_url: str,
        token: str | None,
        *,
        project: str = "default",
        ca_file: Path | None = None,
        retry: Retry | None = None,
        timeout: httpx2.Timeout = connection.TIMEOUT,
        transport: httpx2.BaseTransport | None = None,
        clock: BlockingClock = time,
    ) -> None:
        self._clock = clock
        api_url = connection.checked(api_url)
        self._link = Link(api_url, project, connection.headers(token), retry or Retry(), clock.monotonic)
        self._http = httpx2.Client(
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

    def run(self, operation: Operation[R]) -> R:
        """Carry out an operation of `narthex.client.operations`."""
        steps, reply = operation.steps(self._link), None
        while True:
            try:
                step = steps.send(reply)
            except StopIteration as done:
                result: R = done.value
                return result
            reply = self._do(step)

    def iterate(self, listing: Listing[Any, Item]) -> Iterator[Item]:
        """Go through a list page by page."""
        call: Call[Any] | None = listing.first
        while call is not None:
            page = self.run(call)
            yield from listing.items(page)
            call = listing.after(call, page)

    def follow(self, stream: Stream[Item]) -> Iterator[Item]:
        """Go through a stream as it comes; a connection that breaks is taken up again."""
        resumption = Resumption(self.api_url, self._link.retry, self._clock.monotonic)
        while True:
            reason: NarthexError | httpx2.TransportError | None = None
            try:
                with self._open(stream) as messages:
                    resumption.stands()
                    for message in messages:
                        if (item := stream.read(message)) is not None:
                            yield item
            except (ApiError, httpx2.TransportError) as error:
                reason = error
            lost, pause = resumption.pause(reason)
            if stream.on_lost is not None:
                stream.on_lost(lost)
            self._clock.sleep(pause)

    @contextmanager
    def _open(self, stream: Stream[Any]) -> Iterator[httpx2.EventSource]:
        url = address(self._link, stream.path, stream.query)
        headers = {**self._link.headers, "accept": "text/event-stream"}
        with self._http.stream("GET", url, headers=headers, timeout=connection.STREAM_TIMEOUT) as response:
            if not response.is_success:
                response.read()
                raise_for_status(response)
            yield httpx2.EventSource(response)

    def _do(self, step: Send | Pause) -> Reply:
        if isinstance(step, Pause):
            self._clock.sleep(step.seconds)
            return None
        try:
            timeout = connection.patience(self._http.timeout, step.waits_s)
            return self._http.request(
                step.method, step.url, headers=dict(step.headers), content=step.content, timeout=timeout
            )
        except httpx2.TransportError as reason:
            return reason

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
