"""The connection, and the verbs on it: publish, tell, consume, listen, ask, answer."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import nats.errors
import nats.js.errors
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.api import StreamConfig
from prometheus_client import Gauge
from pydantic import BaseModel, ValidationError

from narthex.bus.consumer import Consumer, Handler, OnDead, Reader, no_more
from narthex.bus.inspection import Inspection
from narthex.bus.settings import BusSettings
from narthex.bus.streams import DEAD_LETTERS, EVENTS, REQUESTS, Stream, stream_config
from narthex.contracts.errors import NarthexError, StoreFull, Unavailable
from narthex.contracts.events import BY_SUBJECT, Event
from narthex.contracts.queries import Refused
from narthex.runtime.tasks import background, backoff

log = logging.getLogger(__name__)

CONNECTED = Gauge("narthex_bus_connected", "Whether this process is connected to the event bus")

AnswerT = TypeVar("AnswerT", bound=BaseModel)
# The server's codes for: a limit of the stream (bytes, messages), storage, memory.
_NO_ROOM = frozenset({10077, 10047, 10028})
_REFUSES = "it does not take NARTHEX_NATS_USER and NARTHEX_NATS_PASSWORD"
PUBLISH_TIMEOUT_S = 2.0  # an ack takes under 10 ms; longer means the server is going away


class Bus:
    """A part's connection to NATS; made by `open_bus`."""

    def __init__(self, settings: BusSettings, part: str) -> None:
        self._settings = settings
        self._part = part
        self._client = Client()
        self._up = asyncio.Event()
        self._down = asyncio.Event()
        self._closed = asyncio.Event()
        self._last_error = ""
        self._begun = False
        self._over = False

    @property
    def connected(self) -> bool:
        return self._up.is_set()

    def problem(self) -> str:
        """Why nothing can be said or heard just now; empty when it can."""
        if self.connected:
            return ""
        return f"NATS at {self._place} is away: {self._last_error or 'no answer yet'}"

    @property
    def _place(self) -> str:
        return f"NARTHEX_NATS_URL={self._settings.url}"

    def inspection(self) -> Inspection:
        """What there is to see of the streams; raises Unavailable while the bus is away."""
        if not self.connected:
            raise Unavailable("the event bus is away")
        return Inspection(self._client)

    async def lost(self) -> None:
        """Return when the connection that is there now has been lost; at once when there is none."""
        if self.connected:
            await self._down.wait()

    async def publish(self, event: Event) -> None:
        """Store an event on its stream; returns when the stream has acknowledged it.

        The event's id is the message id, so publishing it again within two minutes stores nothing new.
        """
        await self.publish_raw(event.subject, event.model_dump_json().encode(), message_id=event.id)

    async def publish_raw(self, subject: str, body: bytes, message_id: str) -> None:
        """Store a body that is already encoded, as `publish` does."""
        if not self.connected:
            raise Unavailable("the event bus is away")
        try:
            await self._client.jetstream().publish(
                subject, body, timeout=PUBLISH_TIMEOUT_S, headers={"Nats-Msg-Id": message_id}
            )
        except nats.js.errors.APIError as error:
            kind = StoreFull if error.err_code in _NO_ROOM else Unavailable
            raise kind(f"the event bus did not take {subject}: {_sentence(error)}") from error
        except (nats.errors.Error, nats.js.errors.Error, TimeoutError, OSError) as error:
            raise Unavailable(f"the event bus did not take {subject}: {_sentence(error)}") from error

    async def tell(self, event: Event) -> None:
        """Send a volatile event to whoever listens now; lost if nobody does or the bus is away."""
        if not self.connected:
            return
        try:
            await self._client.publish(event.subject, event.model_dump_json().encode())
        except (nats.errors.Error, OSError) as error:
            log.debug("not told", extra={"fields": {"subject": event.subject, "error": _sentence(error)}})

    async def consume(
        self,
        stream: Stream,
        handlers: Mapping[type[Any], Handler],
        *,
        durable: str | None = None,
        on_connect: Callable[[], Awaitable[None]] | None = None,
        on_dead: OnDead = no_more,
        readers: Mapping[type[Any], Reader] | None = None,
    ) -> None:
        """Handle a stream's events one after another, for ever; see `narthex.bus.consumer`.

        The consumer is durable under `durable` (the part's name if left out): a part that was away gets what
        it missed. `on_connect` runs each time the consumer is bound, before the first message; `on_dead` before a
        message that nobody can handle becomes a dead letter. `readers` read events that come too fast for their models.
        """
        consumer = Consumer(self._client, stream, durable or self._part, handlers, on_connect, on_dead, readers)
        attempt = 0
        while True:
            await self._up.wait()
            try:
                await consumer.bind()
                attempt = 0
                await consumer.run()
            except (nats.errors.Error, nats.js.errors.Error, TimeoutError, OSError) as error:
                log.info(
                    "stream not available yet",
                    extra={"fields": {"stream": stream.name, "error": _sentence(error)}},
                )
                await asyncio.sleep(backoff(attempt, most_s=2.0))
                attempt += 1

    async def listen(
        self,
        kinds: Sequence[type[Event]],
        handler: Callable[[Event], Awaitable[None]],
        wanted: Callable[[type[Event]], bool] = lambda kind: True,
        on_connect: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        """Handle events as they are told or published, from now on and only while connected, for ever.

        What is not `wanted` when it comes is not even read. `on_connect` runs when listening has begun, and each time
        the connection is another: what was said in between is lost.
        """
        while True:
            await self._up.wait()
            try:
                subscriptions = [await self._client.subscribe(kind.subject) for kind in kinds]
            except nats.errors.Error:
                await asyncio.sleep(backoff(3))
                continue
            try:
                async with background() as tasks:
                    for subscription in subscriptions:
                        tasks.start(self._listen(subscription.messages, handler, wanted), "listen")
                    if on_connect is not None:
                        tasks.start(self._each_connection(on_connect), "connections")
                    await self._client_closed()
            finally:
                for subscription in subscriptions:
                    await _quietly(subscription.unsubscribe())

    async def _each_connection(self, on_connect: Callable[[], Awaitable[None]]) -> None:
        while True:
            await on_connect()
            await self.lost()
            await self._up.wait()

    async def overhear(self, kind: type[Event], handler: Callable[[bytes], Awaitable[None]]) -> None:
        """As `listen`, for events that are looked at before they are read, one after another."""
        while True:
            await self._up.wait()
            try:
                subscription = await self._client.subscribe(kind.subject)
            except nats.errors.Error:
                await asyncio.sleep(backoff(3))
                continue
            try:
                async for message in subscription.messages:
                    try:
                        await handler(message.data)
                    except Exception:
                        log.exception("listener failed", extra={"fields": {"subject": message.subject}})
            finally:
                await _quietly(subscription.unsubscribe())

    async def ask(self, subject: str, question: BaseModel, answer: type[AnswerT], timeout_s: float = 5.0) -> AnswerT:
        """Ask another part; raises Unavailable when nobody answers in time, NarthexError when it refuses."""
        if not self.connected:
            raise Unavailable("the event bus is away")
        try:
            message = await self._client.request(subject, question.model_dump_json().encode(), timeout=timeout_s)
        except (nats.errors.Error, TimeoutError, OSError) as error:
            raise Unavailable(f"no answer to {subject}: {_sentence(error)}") from error
        try:
            return answer.model_validate_json(message.data)
        except ValidationError:
            raise _refusal(subject, message.data) from None

    async def answer(self, subject: str, question: type[Any], answer: Callable[[Any], Awaitable[BaseModel]]) -> None:
        """Answer questions on a subject, for ever; several processes of one part share them."""
        while True:
            await self._up.wait()
            try:
                subscription = await self._client.subscribe(subject, queue=self._part)
            except nats.errors.Error:
                await asyncio.sleep(backoff(3))
                continue
            try:
                async with background() as tasks:
                    async for message in subscription.messages:
                        tasks.start(self._answer(message, question, answer), f"answer {subject}")
            finally:
                await _quietly(subscription.unsubscribe())

    async def ensure_streams(self) -> None:
        """Create the streams or bring them up to date; the registry does this, the others wait for it.

        Waits for a connection; raises Unavailable when it is lost on the way.
        """
        await self._up.wait()
        jetstream = self._client.jetstream()
        for stream, max_bytes in (
            (EVENTS, -1),
            (REQUESTS, self._settings.requests_max_bytes),
            (DEAD_LETTERS, -1),
        ):
            config = stream_config(stream, self._settings.replicas, max_bytes)
            try:
                await _put_stream(jetstream, config)
            except (nats.errors.Error, nats.js.errors.Error, TimeoutError, OSError) as error:
                raise Unavailable(f"the stream {stream.name} could not be set up: {_sentence(error)}") from error

    async def connect(self) -> None:
        """Connect, however long it takes; the client reconnects by itself afterwards."""
        self._begun = True
        try:
            await self._connect()
        except Exception:
            if not self._closed.is_set():
                raise
            return  # closed meanwhile: nats-py then trips over the transport that it has not got any more
        await self._on_connect()

    async def _connect(self) -> None:
        await self._client.connect(
            servers=[each.strip() for each in self._settings.url.split(",")],
            user=self._settings.user or None,
            password=self._settings.password.get_secret_value() or None,
            name=f"narthex-{self._part}",
            inbox_prefix=f"_INBOX_{self._part}",
            max_reconnect_attempts=-1,
            reconnect_time_wait=1,
            connect_timeout=2,
            ping_interval=5,  # with two outstanding: a hung server is noticed within 15 s
            max_outstanding_pings=2,
            error_cb=self._on_error,
            disconnected_cb=self._on_disconnect,
            reconnected_cb=self._on_connect,
            closed_cb=self._on_disconnect,
        )

    async def close(self) -> None:
        self._up.clear()
        self._closed.set()
        if self._begun:  # nats-py cannot close what it never tried to connect
            try:
                await self._client.close()
            except Exception as error:  # RuntimeError of uvloop when the server went first, and others
                log.debug("bus not closed in order", extra={"fields": {"error": _sentence(error)}})
        self._over = True

    async def _listen(
        self,
        messages: AsyncIterator[Msg],
        handler: Callable[[Event], Awaitable[None]],
        wanted: Callable[[type[Event]], bool],
    ) -> None:
        async for message in messages:
            kind = BY_SUBJECT[message.subject]
            if not wanted(kind):
                continue
            try:
                await handler(kind.model_validate_json(message.data))
            except Exception:
                log.exception("listener failed", extra={"fields": {"subject": message.subject}})

    async def _answer(self, message: Msg, question: type[Any], answer: Callable[[Any], Awaitable[BaseModel]]) -> None:
        try:
            reply = await answer(question.model_validate_json(message.data))
        except ValidationError as error:
            reply = Refused(error=f"bad question: {error}", code="invalid")
        except NarthexError as error:
            reply = Refused(error=error.message, code=error.code)
        except Exception:
            log.exception("question failed", extra={"fields": {"subject": message.subject}})
            reply = Refused(error=f"{self._part} failed to answer; its log says why")
        await _quietly(message.respond(reply.model_dump_json().encode()))

    async def _client_closed(self) -> None:
        await self._closed.wait()

    async def _on_connect(self) -> None:
        self._up.set()
        CONNECTED.set(1)
        self._down.clear()
        self._last_error = ""
        log.info("bus connected")

    async def _on_disconnect(self) -> None:
        if self._up.is_set():
            log.warning("bus disconnected")
        self._up.clear()
        CONNECTED.set(0)
        self._down.set()

    async def _on_error(self, error: Exception) -> None:
        if self._over:
            # nats-py lost its cancellation: Python 3.11's wait_for drops one that meets a failing connect. It
            # would go on trying for ever and keep the process from ending.
            raise asyncio.CancelledError
        sentence = _sentence(error)
        if "authorization" in sentence.lower():
            sentence = f"{_REFUSES}: {sentence}"
        elif self._last_error.startswith(_REFUSES) and isinstance(error, ConnectionError):
            return  # it closes the connection, after it has said why
        if sentence != self._last_error:  # a server that stays away is one line, not one a second
            self._last_error = sentence
            log.warning("bus error", extra={"fields": {"error": sentence, "bus": self._place}})


@asynccontextmanager
async def open_bus(settings: BusSettings, part: str) -> AsyncIterator[Bus]:
    """A bus that connects in the background: the part starts whether or not NATS is there."""
    bus = Bus(settings, part)
    async with background() as tasks:
        tasks.start(bus.connect(), "bus connect")
        try:
            yield bus
        finally:
            await bus.close()


async def _put_stream(jetstream: JetStreamContext, config: StreamConfig) -> None:
    try:
        await jetstream.add_stream(config)
    except nats.js.errors.BadRequestError:  # it is there, with another configuration
        await jetstream.update_stream(config)


def _refusal(subject: str, data: bytes) -> NarthexError:
    """The error that an answer amounts to which is none: what the other part said, under its code."""
    try:
        refused = Refused.model_validate_json(data)
    except ValidationError:
        return Unavailable(f"the answer to {subject} cannot be read")
    kinds = {kind.code: kind for kind in NarthexError.__subclasses__()}
    return kinds.get(refused.code, Unavailable)(refused.error)


def _sentence(error: BaseException) -> str:
    return str(error) or type(error).__name__


async def _quietly(work: Awaitable[Any]) -> None:
    """Await what may fail because the connection is gone already."""
    try:
        await work
    except (nats.errors.Error, OSError):
        pass
