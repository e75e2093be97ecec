"""When a stream of events that broke is taken up again, and how its messages read: the same for both clients."""

from collections.abc import Callable
from typing import TypeVar

import httpx2
from pydantic import BaseModel, ValidationError

from narthex.client.call import connection_failed
from narthex.client.errors import ApiError, ConnectionFailed
from narthex.client.retry import Retry
from narthex.contracts.api import EventRecord, LiveUpdate, RequestRecord
from narthex.contracts.errors import NarthexError

Model = TypeVar("Model", bound=BaseModel)


class Resumption:
    """Counts the tries of one stream. A stream that once stood is given `total_s` to come back."""

    def __init__(self, api_url: str, retry: Retry, monotonic: Callable[[], float]) -> None:
        self._api_url = api_url
        self._retry = retry
        self._monotonic = monotonic
        self._stood = False
        self._attempt = 0
        self._lost_at = monotonic()

    def stands(self) -> None:
        """The API has accepted the stream."""
        self._stood = True
        self._attempt = 0

    def pause(self, reason: NarthexError | httpx2.TransportError | None) -> tuple[NarthexError, float]:
        """Why the stream is lost and how long to wait before the next try; raises the reason to give up.

        None stands for a stream that the API ended.
        """
        error = reason if isinstance(reason, NarthexError) else self._failure(reason)
        if self._attempt == 0:
            self._lost_at = self._monotonic()
        elapsed = self._monotonic() - self._lost_at
        pause = self._retry.pause(error, repeatable=True, attempt=self._attempt, elapsed_s=elapsed)
        if pause is None:
            raise error
        self._attempt += 1
        return error, pause

    def _failure(self, reason: httpx2.TransportError | None) -> ConnectionFailed:
        if reason is None:
            return ConnectionFailed(self._api_url, "the stream of events ended", sent=True)
        failure = connection_failed(self._api_url, reason)
        # An API that was there a moment ago restarts: be patient, not quick.
        failure.sent = failure.sent or self._stood
        return failure


def read_event(message: httpx2.ServerSentEvent) -> EventRecord | None:
    """The event in a message of the stream; None when the message carries none."""
    _see_that_it_goes_on(message)
    return _read(EventRecord, message) if message.data and message.event != "reset" else None


def read_live(message: httpx2.ServerSentEvent) -> LiveUpdate | None:
    """How services stand, as a message says it; None when it says something else."""
    _see_that_it_goes_on(message)
    return _read(LiveUpdate, message) if message.event == "services" else None


def read_request(
    message: httpx2.ServerSentEvent, on_skipped: Callable[[int], None] | None = None
) -> RequestRecord | None:
    """The request in a message; `on_skipped` hears how many came faster than they were read."""
    _see_that_it_goes_on(message)
    if message.event == "skipped" and on_skipped is not None:
        on_skipped(_read(_Skipped, message).count)
    return _read(RequestRecord, message) if message.event == "request" else None


def _see_that_it_goes_on(message: httpx2.ServerSentEvent) -> None:
    """Raise when the API says that the caller may not have the stream any more."""
    if message.event == "end":
        raise ApiError(401, "unauthenticated", _read(_End, message).error)


class _End(BaseModel):
    error: str


class _Skipped(BaseModel):
    count: int


def _read(model: type[Model], message: httpx2.ServerSentEvent) -> Model:
    try:
        return model.model_validate_json(message.data)
    except ValidationError as error:
        raise ApiError(200, "bad_answer", f"the stream has an unreadable message: {error}") from None
