"""What those who look after an installation see of the bus: streams, how far behind each consumer is, dead letters.

A dead letter is the message that a consumer gave up, with its subject and the reason. Published again it reaches all
who listen to its subject: handlers do nothing with what they have had, so only those act that have not.
"""

import re
from dataclasses import dataclass
from datetime import datetime

from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.js.api import ConsumerInfo, RawStreamMsg, StreamInfo
from nats.js.errors import APIError, NotFoundError
from nats.js.errors import Error as JetStreamError

from narthex.bus.permissions import ROLES
from narthex.bus.streams import DAY_S, DEAD_LETTER_PREFIX, DEAD_LETTERS, EVENTS, REQUESTS, Extent, Stream
from narthex.contracts.errors import Conflict, NotFound, Unavailable
from narthex.contracts.events import BY_SUBJECT

TIMEOUT_S = 2.0
TROUBLE = (NatsError, JetStreamError, TimeoutError, OSError)
_READ_REQUESTS = frozenset(name for name, role in ROLES.items() if REQUESTS in role.consumes)


@dataclass(frozen=True)
class ConsumerState:
    """One who reads a stream."""

    name: str
    waiting: int  # messages that it has not been given yet
    unacknowledged: int  # given, and not dealt with yet
    redelivered: int  # of those: given more than once


@dataclass(frozen=True)
class StreamState:
    """A stream and who reads it."""

    name: str
    messages: int
    bytes: int
    limit_bytes: int | None  # over which it takes no more, or loses the oldest
    consumers: tuple[ConsumerState, ...]


@dataclass(frozen=True)
class DeadLetter:
    """A message that a consumer gave up."""

    number: int  # in the stream of dead letters
    consumer: str
    subject: str
    reason: str
    time: datetime | None
    body: bytes
    place: int  # the message's number in the stream of events, by its consumer's word; 0: it says none


class Inspection:
    """Reads the state of the streams; what it changes are dead letters. Raises Unavailable."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._jetstream = client.jsm(timeout=TIMEOUT_S)

    async def streams(self) -> list[StreamState]:
        try:
            return [
                _state(
                    await self._jetstream.stream_info(stream.name), await self._jetstream.consumers_info(stream.name)
                )
                for stream in (EVENTS, REQUESTS, DEAD_LETTERS)
            ]
        except TROUBLE as error:
            raise _away(error) from error

    async def extent(self, stream: Stream) -> Extent:
        """From which message to which a stream goes."""
        try:
            info = await self._jetstream.stream_info(stream.name)
        except TROUBLE as error:
            raise _away(error) from error
        return Extent(str(info.created), info.state.first_seq, info.state.last_seq)

    async def dead_letters(self, after: int, limit: int) -> list[DeadLetter]:
        """The dead letters behind a number, oldest first."""
        found: list[DeadLetter] = []
        while len(found) < limit:
            try:
                found.append(await self._letter(after + 1, following=True))
            except NotFound:
                break
            after = found[-1].number
        return found

    async def dead_letter(self, number: int) -> DeadLetter:
        return await self._letter(number, following=False)

    async def retry(self, number: int) -> DeadLetter:
        """Publish a dead letter again under its own subject; it is no dead letter any more then."""
        letter = await self.dead_letter(number)
        if letter.subject not in BY_SUBJECT:
            raise NotFound(f"dead letter {number} has the subject {letter.subject}, which nobody reads in this release")
        await self._see_that_it_was_said(letter)
        try:
            # Its own id: the stream would take the event's for one that it had lately, and drop it.
            headers = {"Nats-Msg-Id": f"dead-letter-{number}"}
            await self._client.jetstream().publish(letter.subject, letter.body, timeout=TIMEOUT_S, headers=headers)
        except TROUBLE as error:
            raise _away(error) from error
        await self.discard(number)
        return letter

    async def discard(self, number: int) -> None:
        """Forget a dead letter."""
        try:
            await self._jetstream.delete_msg(DEAD_LETTERS.name, number)
        except APIError as error:
            raise _gone(number) if _is_gone(error) else _away(error) from error
        except TROUBLE as error:
            raise _away(error) from error

    async def _see_that_it_was_said(self, letter: DeadLetter) -> None:
        """Raise unless somebody who may say such a thing has said it.

        A letter is no more than its consumer's word, and ours goes further: who can do nothing but bury messages must
        not have us publish one of its own making. Of requests there is no more than the letter; who reads them is
        alone with them.
        """
        if letter.subject in REQUESTS.subjects and letter.consumer in _READ_REQUESTS:
            return
        made_up = Conflict(
            f"dead letter {letter.number} is not the message that the stream has at its place: {letter.consumer} may "
            "have made it up"
        )
        if not letter.place:
            raise made_up
        try:
            said = await self._jetstream.get_msg(EVENTS.name, seq=letter.place)
        except APIError as error:
            if not _is_gone(error):
                raise _away(error) from error
            why = f"the stream does not have it any more: it keeps events for {EVENTS.max_age_s / DAY_S:.0f} days"
            raise NotFound(f"dead letter {letter.number} cannot be tried again, {why}") from None
        except TROUBLE as error:
            raise _away(error) from error
        if (said.subject, said.data or b"") != (letter.subject, letter.body):
            raise made_up

    async def _letter(self, number: int, *, following: bool) -> DeadLetter:
        """The letter with a number, or the next one that there is."""
        subject = f"{DEAD_LETTER_PREFIX}.>" if following else None
        try:
            message = await self._jetstream.get_msg(DEAD_LETTERS.name, seq=number, subject=subject, next=following)
        except APIError as error:
            raise _gone(number) if _is_gone(error) else _away(error) from error
        except TROUBLE as error:
            raise _away(error) from error
        return _read(message)


def _state(info: StreamInfo, consumers: list[ConsumerInfo]) -> StreamState:
    limit = info.config.max_bytes
    return StreamState(
        name=info.config.name or "",
        messages=info.state.messages,
        bytes=info.state.bytes,
        limit_bytes=limit if limit is not None and limit > 0 else None,
        consumers=tuple(
            ConsumerState(
                name=each.name,
                waiting=each.num_pending or 0,
                unacknowledged=each.num_ack_pending or 0,
                redelivered=each.num_redelivered or 0,
            )
            for each in sorted(consumers, key=lambda each: each.name)
        ),
    )


def _read(message: RawStreamMsg) -> DeadLetter:
    headers = message.headers or {}
    return DeadLetter(
        number=message.seq or 0,
        consumer=(message.subject or "").removeprefix(f"{DEAD_LETTER_PREFIX}."),
        subject=headers.get("Narthex-Subject", ""),
        reason=headers.get("Narthex-Reason", ""),
        time=message.time,
        body=message.data or b"",
        place=_place(headers.get("Nats-Msg-Id", "")),
    )


def _place(id: str) -> int:
    """Where a message was, by the id of its dead letter (see `Consumer._bury`)."""
    found = re.fullmatch(rf".+\.{EVENTS.name}\.([1-9][0-9]{{0,17}})", id)
    return int(found[1]) if found else 0


def _is_gone(error: APIError) -> bool:
    return isinstance(error, NotFoundError) or error.err_code in {10037, 10043}  # no message found; no such sequence


def _gone(number: int) -> NotFound:
    return NotFound(f"there is no dead letter {number}")


def _away(error: BaseException) -> Unavailable:
    return Unavailable(f"the event bus does not tell: {str(error) or type(error).__name__}")
