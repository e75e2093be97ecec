"""A durable consumer: one message after another, in stream order, acknowledged when its handler has it.

What happens when a handler raises is decided here and nowhere else:

* `retryable` (Unavailable): the thing the handler needs is away. The message is held and tried again until it
  succeeds; nothing overtakes it, nothing is counted against it.
* anything else: tried again later, `MAX_DELIVERIES` times in all, then the message goes to the dead letters
  with its error, and the stream goes on. A body that cannot be read goes there at once.

Messages are pulled with one standing request of our own: nats-py's `fetch(n)` holds the first message back
until n have come or its timeout has passed (read in 2.16), which would cost seconds.
"""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.errors import Error as NatsError
from nats.errors import NoRespondersError
from nats.errors import TimeoutError as NatsTimeoutError
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy
from prometheus_client import Counter

from narthex.bus.streams import DEAD_LETTER_PREFIX, Stream
from narthex.contracts.errors import NarthexError
from narthex.runtime.logs import CORRELATION
from narthex.runtime.tasks import backoff
from narthex.runtime.traces import span

log = logging.getLogger(__name__)

Handler = Callable[[Any], Awaitable[None]]
Reader = Callable[[bytes], Any]  # of a message's body; ValueError when it cannot be read
# What is done with a message that is given up, before it becomes a dead letter: its body, and an id of its own.
OnDead = Callable[[bytes, str], Awaitable[None]]


async def no_more(body: bytes, id: str) -> None:
    """A dead letter is enough."""


BATCH = 256  # messages asked for at a time; they arrive as they come
PULL_EXPIRES_S = 30
HEARTBEAT_S = 5
SILENCE_S = 2 * HEARTBEAT_S + 1  # no message and no heartbeat for so long: the pull was lost
LOOK_S = 0.5  # how long a wait for a message goes on before the connection is looked at
ACK_WAIT_S = 30.0
RESET_TIMEOUT_S = 2.0  # the answer takes 1 ms; a server that does not know the request stays silent
_PULL_IS_OVER = {"404", "408"}  # nothing there, or its time has passed
MAX_DELIVERIES = 5
RETRY_DELAY_S = 0.5  # times the number of the delivery

HANDLED = Counter("narthex_events_handled_total", "Events handled", ["subject"])
FAILED = Counter("narthex_event_failures_total", "Handler failures that will be tried again", ["subject"])
DEAD = Counter("narthex_dead_letters_total", "Events given up and kept as dead letters", ["subject"])


class Consumer:
    """Hands a stream's events to their handlers, in order, one at a time."""

    def __init__(
        self,
        client: Client,
        stream: Stream,
        durable: str,
        handlers: Mapping[type[Any], Handler],
        on_connect: Callable[[], Awaitable[None]] | None,
        on_dead: OnDead = no_more,
        readers: Mapping[type[Any], Reader] | None = None,
    ) -> None:
        self._on_dead = on_dead
        self._client = client
        self._stream = stream
        self._durable = durable
        self._handlers: dict[str, tuple[Reader, Handler]] = {
            kind.subject: ((readers or {}).get(kind, kind.model_validate_json), handler)
            for kind, handler in handlers.items()
        }
        self._on_connect = on_connect
        self._pulled_on = 0  # the connection that pulls go out on

    async def bind(self) -> None:
        """Create the durable consumer, or change it to the subjects that are handled now."""
        await self._client.jetstream().add_consumer(
            self._stream.name,
            ConsumerConfig(
                durable_name=self._durable,
                ack_policy=AckPolicy.EXPLICIT,
                deliver_policy=DeliverPolicy.ALL,
                ack_wait=ACK_WAIT_S,
                max_deliver=-1,  # giving up is ours: a message is never dropped before it is a dead letter
                max_ack_pending=BATCH,
                filter_subjects=sorted(self._handlers),
            ),
        )
        await self._take_back()
        if self._on_connect is not None:
            await self._on_connect()

    async def _take_back(self) -> None:
        """Have what was delivered and never acknowledged delivered again now, in stream order.

        A process that was killed, or a connection that broke, leaves up to a batch of them behind. The server
        would hold these back for `ACK_WAIT_S` and send what is newer first. (Servers from 2.14 on; on older
        ones it stays at that.)
        """
        subject = f"$JS.API.CONSUMER.RESET.{self._stream.name}.{self._durable}"
        try:
            answer = await self._client.request(subject, b"", timeout=RESET_TIMEOUT_S)
        except (NatsTimeoutError, NoRespondersError) as error:
            log.warning("consumer not reset", extra={"fields": {"durable": self._durable, "error": str(error)}})
            return
        if refusal := json.loads(answer.data).get("error"):
            log.warning("consumer not reset", extra={"fields": {"durable": self._durable, "error": refusal}})

    async def run(self) -> None:
        """Pull and handle until the connection fails, or was lost and is there again: bind anew then."""
        inbox = self._client.new_inbox()
        subscription = await self._client.subscribe(inbox)
        self._pulled_on = self._connection
        try:
            while self._connection == self._pulled_on:
                await self._pull(inbox)
                await self._handle_batch(subscription)
        finally:
            if not self._client.is_closed:
                await subscription.unsubscribe()

    @property
    def _connection(self) -> int:
        """Which connection of the client's this is: it makes new ones by itself, and no pull survives that."""
        return int(self._client.stats["reconnects"])

    async def _pull(self, inbox: str) -> None:
        question = {
            "batch": BATCH,
            "expires": PULL_EXPIRES_S * 10**9,
            "idle_heartbeat": HEARTBEAT_S * 10**9,
        }
        subject = f"$JS.API.CONSUMER.MSG.NEXT.{self._stream.name}.{self._durable}"
        await self._client.publish(subject, json.dumps(question).encode(), reply=inbox)

    async def _handle_batch(self, subscription: Subscription) -> None:
        """Handle what one pull brings: until it is used up, expires, or the server falls silent."""
        taken = 0
        while taken < BATCH:
            message = await self._next(subscription)
            if message is None:
                return
            status = (message.headers or {}).get("Status")
            if status == "100":
                continue
            if status in _PULL_IS_OVER:
                return
            if status is not None:  # 409, 503: the consumer is gone or moving; pulling again would spin
                raise NatsError(f"pull refused: {status} {(message.headers or {}).get('Description', '')}".rstrip())
            taken += 1
            await self._handle(message)

    async def _next(self, subscription: Subscription) -> Msg | None:
        """What the server sends next; None when the pull was lost: it fell silent, or the connection is another."""
        for _ in range(int(SILENCE_S / LOOK_S)):
            try:
                return await subscription.next_msg(timeout=LOOK_S)
            except NatsTimeoutError:
                if self._connection != self._pulled_on:
                    return None
        return None

    async def _handle(self, message: Msg) -> None:
        found = self._handlers.get(message.subject)
        if found is None:  # a subject that this release no longer handles
            await message.ack()
            return
        read, handler = found
        try:
            event = read(message.data)
        except ValueError as error:  # pydantic's ValidationError is one, and every other reader's
            await self._bury(message, f"unreadable: {error}")
            return
        CORRELATION.set(getattr(event, "correlation_id", "") or event.id)
        attempt = 0
        while True:
            try:
                with span(f"handle {message.subject}", getattr(event, "traceparent", ""), "CONSUMER"):
                    await handler(event)
            except NarthexError as error:
                if not error.retryable:
                    await self._try_later(message, error)
                    return
                if attempt == 0:
                    log.warning("event held", extra={"fields": {"subject": message.subject, "error": str(error)}})
                await message.in_progress()
                await asyncio.sleep(backoff(attempt, most_s=2.0))
                attempt += 1
            except Exception as error:
                await self._try_later(message, error)
                return
            else:
                HANDLED.labels(message.subject).inc()
                await message.ack()
                return

    async def _try_later(self, message: Msg, error: Exception) -> None:
        deliveries = message.metadata.num_delivered or 1
        log.error(
            "event handler failed",
            exc_info=error,
            extra={"fields": {"subject": message.subject, "deliveries": deliveries}},
        )
        if deliveries >= MAX_DELIVERIES:
            await self._bury(message, f"{type(error).__name__}: {error}")
            return
        FAILED.labels(message.subject).inc()
        await message.nak(delay=RETRY_DELAY_S * deliveries)

    async def _bury(self, message: Msg, reason: str) -> None:
        """Keep the message as a dead letter, then let the stream go on."""
        id = f"{self._durable}.{self._stream.name}.{message.metadata.sequence.stream}"
        try:
            await self._on_dead(message.data, id)
        except NarthexError as error:  # it needs something that is away: the message comes again
            log.warning("dead letter held", extra={"fields": {"subject": message.subject, "error": str(error)}})
            await message.nak(delay=RETRY_DELAY_S)
            return
        DEAD.labels(message.subject).inc()
        log.error(
            "event given up",
            extra={
                "fields": {
                    "subject": message.subject,
                    "reason": reason,
                    "payload": message.data[:2048].decode(errors="replace"),
                }
            },
        )
        await self._client.jetstream().publish(
            f"{DEAD_LETTER_PREFIX}.{self._durable}",
            message.data,
            headers={
                "Narthex-Subject": message.subject,
                "Narthex-Reason": reason.replace("\r", " ").replace("\n", " ")[:1024],
                "Nats-Msg-Id": id,
            },
        )
        await message.term()
