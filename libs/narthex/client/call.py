"""One call of the API as data, and the one way it is carried out.

Nothing here sends or waits: `Call.steps` and `Wait.steps` are generators that say what to do next (`Send` this
request, `Pause` so long) and are told what came of it. The blocking and the asynchronous client differ only in
how they do the steps.
"""

import json
import re
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import count
from typing import Any, Generic, NoReturn, Protocol, TypeVar, cast
from urllib.parse import quote, urlsplit

import httpx2
from pydantic import BaseModel, TypeAdapter, ValidationError

from narthex.client.errors import ApiError, ConnectionFailed, TimedOut
from narthex.client.retry import Retry
from narthex.contracts.errors import Invalid, NarthexError

R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)
Page = TypeVar("Page")
Item = TypeVar("Item")

# A part of a path that stands for the client's own project.
CURRENT_PROJECT = None

POLL_FIRST_S = 0.05
POLL_MOST_S = 0.5


@dataclass(frozen=True)
class Send:
    """Send this request. The answer is the response with its body read, or why there was none."""

    method: str
    url: str
    headers: Mapping[str, str]
    content: bytes | None
    waits_s: float = 0.0  # the API may take so much longer than usual, because it was asked to wait


@dataclass(frozen=True)
class Pause:
    """Wait so long."""

    seconds: float


Reply = httpx2.Response | httpx2.TransportError | None
Steps = Generator[Send | Pause, Reply, R]


@dataclass(frozen=True)
class Link:
    """What a call needs to know about where it goes."""

    api_url: str
    project: str
    headers: Mapping[str, str]
    retry: Retry
    monotonic: Callable[[], float]


class Operation(Protocol[R_co]):
    """Something a client can carry out and that has a result."""

    def steps(self, link: Link) -> Steps[R_co]: ...


@dataclass(frozen=True)
class Call(Generic[R]):
    """Method, path, query, body and the type of the answer."""

    method: str
    path: Sequence[str | None]  # not yet encoded; CURRENT_PROJECT stands for the client's project
    answer: type[R]
    query: Mapping[str, str | int | None] = field(default_factory=dict)
    body: BaseModel | None = None
    absent: bool = False  # True: 404 is an answer too, namely None
    once: bool = False  # True: each time makes something new, whatever the method says
    if_match: str | None = None  # the ETag that the thing must still have
    waits_s: float = 0.0  # as in `Send`

    @property
    def repeatable(self) -> bool:
        """Whether doing it twice is as good as once. Our PATCHes set values; only POST makes something new. A PATCH
        that was done changes the ETag, so that its repetition would be refused."""
        return self.method != "POST" and not self.once and not (self.method == "PATCH" and self.if_match)

    def request(self, link: Link) -> Send:
        """The request on the wire."""
        content = None
        if self.body is not None:
            # Only what the caller set: in an update an absent key means "unchanged", null means "clear".
            content = self.body.model_dump_json(exclude_unset=True).encode()
        url = address(link, self.path, self.query)
        headers = link.headers if self.if_match is None else {**link.headers, "if-match": self.if_match}
        return Send(self.method, url, headers, content, self.waits_s)

    def steps(self, link: Link) -> Steps[R]:
        """Send the request, again where that can help, and read the answer."""
        reply = yield from self.exchange(link)
        return cast("R", None if reply is None else decode(self.answer, reply))

    def exchange(self, link: Link) -> Steps[httpx2.Response | None]:
        """Send the request, again where that can help; the good answer, or None where there is nothing."""
        request, began = self.request(link), link.monotonic()
        for attempt in count():
            reply = yield request
            try:
                return self._check(reply, link, attempt)
            except NarthexError as error:
                elapsed = link.monotonic() - began
                pause = link.retry.pause(error, repeatable=self.repeatable, attempt=attempt, elapsed_s=elapsed)
                if pause is None:
                    raise
                yield Pause(pause)
        raise AssertionError("unreachable: count() does not end")

    def _check(self, reply: Reply, link: Link, attempt: int) -> httpx2.Response | None:
        if not isinstance(reply, httpx2.Response):
            raise connection_failed(link.api_url, reply)
        done_before = self.method == "DELETE" and attempt > 0  # an earlier try did it, and its answer was lost
        if reply.status_code == 404 and (self.absent or done_before):
            return None
        if not reply.is_success:
            raise_for_status(reply)
        return reply


@dataclass(frozen=True)
class Tagged(Generic[R]):
    """A thing with the ETag of the state it is in. Given as `if_match`, a change is made only to that state."""

    value: R
    etag: str


@dataclass(frozen=True)
class Tagging(Generic[R]):
    """A call whose answer comes with its ETag."""

    call: Call[R]

    def steps(self, link: Link) -> Steps[Tagged[R]]:
        """As the call's."""
        reply = yield from self.call.exchange(link)
        assert reply is not None, "only a call with `absent` has no answer"
        return Tagged(cast("R", decode(self.call.answer, reply)), reply.headers.get("etag", "*"))


@dataclass(frozen=True)
class Wait(Generic[R]):
    """Ask again and again until the answer is the one that is waited for; TimedOut when it does not come."""

    call: Call[R]
    done: Callable[[R], bool]
    timeout_s: float
    what: Callable[[R | None], str]  # a sentence on what was waited for, given the last answer

    def steps(self, link: Link) -> Steps[R]:
        began, answer = link.monotonic(), None
        for attempt in count():
            left = self.timeout_s - (link.monotonic() - began)
            if left <= 0 and attempt > 0:
                break
            patience = replace(link.retry, total_s=min(link.retry.total_s, max(left, 0.0)))
            answer = yield from self.call.steps(replace(link, retry=patience))
            if self.done(answer):
                return answer
            yield Pause(min(POLL_MOST_S, POLL_FIRST_S * (1 << min(attempt, 10))))
        raise TimedOut(f"{self.what(answer)} within {self.timeout_s:g} s")


@dataclass(frozen=True)
class Listing(Generic[Page, Item]):
    """A list that comes in pages: the first call, what a page holds, and the call for the page after it."""

    first: Call[Page]
    items: Callable[[Page], Sequence[Item]]
    after: Callable[[Call[Page], Page], Call[Page] | None]


@dataclass(frozen=True)
class Stream(Generic[Item]):
    """Something that is told as it happens, without end; `read` makes of a message an item, or nothing."""

    path: Sequence[str | None]
    read: Callable[[httpx2.ServerSentEvent], Item | None]
    on_lost: Callable[[NarthexError], None] | None = None  # called whenever the connection broke
    query: Mapping[str, str | int | None] = field(default_factory=dict)


def address(link: Link, path: Sequence[str | None], query: Mapping[str, str | int | None]) -> str:
    """The URL of a path and a query, without the parameters that are None."""
    given = {key: value for key, value in query.items() if value is not None}
    return link.api_url + encode_path(path, link.project) + (f"?{httpx2.QueryParams(given)}" if given else "")


def encode_path(parts: Sequence[str | None], project: str) -> str:
    """The path of the parts, each percent-encoded, so that no name can reach another path than its own."""
    return "".join("/" + _encode_part(project if part is CURRENT_PROJECT else part) for part in parts)


def _encode_part(part: str) -> str:
    if part in ("", ".", ".."):
        raise Invalid(f"{part!r} is not a name")
    return quote(part, safe="")


def decode(answer: Any, reply: httpx2.Response) -> Any:
    """The answer as its model."""
    if answer is type(None):
        return None
    if answer is bytes:
        return reply.content
    try:
        return _adapter(answer).validate_json(reply.content)
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ApiError(
            reply.status_code, "bad_answer", f"{_host(reply)} gave an unexpected answer: {where}: {first['msg']}"
        ) from None


@cache
def _adapter(answer: Any) -> TypeAdapter[Any]:
    return TypeAdapter(answer)


def raise_for_status(reply: httpx2.Response) -> NoReturn:
    """ApiError with what the API said; a proxy's HTML page becomes its status line."""
    body: Any = None
    try:
        body = json.loads(reply.content)
    except ValueError:
        pass
    if not isinstance(body, dict):
        body = {}
    message = body.get("error") or f"{_host(reply)} answered {reply.status_code} {reply.reason_phrase}".rstrip()
    raise ApiError(reply.status_code, str(body.get("code", "")), str(message), retry_after(reply.headers))


def retry_after(headers: Mapping[str, str]) -> float | None:
    """The seconds that a 429 or 503 asks to wait; a date or nonsense counts as not said."""
    for name in ("x-ratelimit-reset", "retry-after"):
        text = headers.get(name, "").strip()
        if text.isascii() and text.isdigit() and len(text) < 7:
            return float(text)
    return None


def connection_failed(api_url: str, reason: httpx2.TransportError | None) -> ConnectionFailed:
    """Why there was no answer, in words for a person."""
    unsent = isinstance(reason, httpx2.ConnectError | httpx2.ConnectTimeout | httpx2.PoolTimeout)
    if isinstance(reason, httpx2.ConnectTimeout):
        text = "it does not accept the connection in time"
    elif isinstance(reason, httpx2.TimeoutException):
        text = "it does not answer in time"
    else:
        text = re.sub(r"^\[Errno -?[0-9]+\] ", "", str(reason or "")) or "the connection broke"
    return ConnectionFailed(api_url, text, sent=not unsent)


def _host(reply: httpx2.Response) -> str:
    return urlsplit(str(reply.request.url)).netloc
