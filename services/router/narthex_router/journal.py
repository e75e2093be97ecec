"""The journal: what is written down of each request, handed on in batches. What does not fit is counted.

The hot path appends a finished exchange and nothing more; it is counted and its record made when a batch is taken,
where the same code runs over hundreds of them while it is warm. Records made a few at a time between requests cost
3 us more each (measured).
"""

from collections import Counter, deque
from collections.abc import Callable
from json.encoder import encode_basestring_ascii as quoted

from narthex_router.capture import Room, content_types, contents
from narthex_router.evidence import Evidence
from narthex_router.exchange import ANSWERED, COMPLETE, Exchange
from narthex_router.recording import USUAL
from narthex_router.shape import Shape
from narthex_router.stats import Stats
from narthex_router.table import Route, Target

CAPACITY = 20_000  # exchanges held while nobody takes them: about 10 s at full load
SLICE = 25  # records made at a time: 0.04 ms, so that no request waits long for them
FEW = 4  # with headers and bodies a record may take 0.5 ms, and be 700 KB long
BATCH = 64 * 1024  # bytes handed on at a time, and a slice at most: 0.04 ms of CPU; 256 KiB took 0.2 to 0.4 (measured)
TEXT_KEPT = 2048  # bytes of what a client chooses: the log keeps no more either


class Journal:
    """A bounded queue of finished exchanges."""

    def __init__(self, router: str, capacity: int = CAPACITY) -> None:
        self._router = quoted(router)
        self._capacity = capacity
        self._ended: deque[Exchange] = deque()
        self._dropped: Counter[tuple[str, str]] = Counter()  # by project and service
        self.ended = 0  # requests, since the start
        self.news: Callable[[], None] = lambda: None  # told when there is something to take again
        self.room = Room()  # for what is held of requests beside their exchanges
        self.stats = Stats()
        self.evidence = Evidence()

    def add(self, exchange: Exchange) -> None:
        held = len(self._ended)
        if held >= self._capacity:
            self._dropped[exchange.route.project_id, exchange.route.service_id] += 1
            self.ended += 1
            self.stats.count_all((exchange,))
            if exchange.capture is not None:
                exchange.capture.let_go()
        else:
            self._ended.append(exchange)
            if not held:
                self.news()

    def take(self) -> str:
        """The next few records, JSON objects with commas between them; empty when there are none."""
        few = [self._ended.popleft() for _ in range(min(FEW if self.room.held else SLICE, len(self._ended)))]
        self.ended += len(few)
        self.stats.count_all(few)
        self.evidence.answered(few)
        return ",".join([record(exchange, self._router) for exchange in few])

    @property
    def dropped(self) -> bool:
        """Whether exchanges found no room and nobody was told yet."""
        return bool(self._dropped)

    def take_dropped(self) -> list[tuple[str, str, int]]:
        """How many exchanges of which project and service found no room since this was asked last."""
        dropped, self._dropped = self._dropped, Counter()
        return [(*owner, count) for owner, count in dropped.items()]


def record(exchange: Exchange, router: str) -> str:
    """The fields of `entities.RequestRecord` for one exchange, as JSON; `router` is quoted already.

    One format string in place of a dict and `json.dumps`: 2 us a record in place of 18 (measured). What is as the
    entity's default says is left out. Ids are ours and need no quoting; what a client sent is quoted. Times are
    whole microseconds with an exponent: a float with six places takes four times as long to write.
    """
    recording, capture, shape = exchange.route.recording, exchange.capture, exchange.shape
    if not recording.usual:
        path = exchange.target.partition(b"?")[0]
        if not recording.logs(exchange.id, path, content_types(exchange, capture)):
            return _counted(exchange, router)
    started, answered, ended, unusual = exchange.started, exchange.answered_at, exchange.ended_at, ""
    if exchange.connected_at > started:
        unusual = f'"connect_ms":{int((exchange.connected_at - started) * 1e6)}e-3,'
    if exchange.request_bytes:
        unusual += f'"request_bytes":{exchange.request_bytes},'
    if exchange.code or exchange.outcome != COMPLETE:
        unusual += f'"code":"{exchange.code}","outcome":"{exchange.outcome}",'
    if exchange.traced:
        unusual += '"traced":true,'  # no field of the record: for `spans`
    if capture is not None:
        unusual += contents(exchange, capture)
    total = int((ended - started) * 1e6)
    first_byte = total if answered is ended else int((answered - started) * 1e6) if answered else 0
    return (
        f'{{"id":"{exchange.id.decode("ascii")}","time":{int(exchange.started_at * 1e6)}e-6,'
        f"{shape.record or _in_common(shape, exchange.route, router)},{unusual}"
        f"{shape.wanted if shape.wanted_by is exchange.target else _wanted(exchange)}"
        f'"status":{exchange.status},"response_bytes":{exchange.response_bytes},'
        f'"first_byte_ms":{first_byte}e-3,"total_ms":{total}e-3{_attempts(exchange) if exchange.attempts else EMPTY}'
    )


def _wanted(exchange: Exchange) -> str:
    """What was asked for; held by the shape, since requests in a row often ask for the same."""
    shape, redaction = exchange.shape, exchange.route.recording.redaction
    path, _, query = exchange.target.partition(b"?")
    if len(exchange.target) > TEXT_KEPT:
        path, query = path[:TEXT_KEPT], query[:TEXT_KEPT]
    text = f'"method":"{exchange.method.decode("ascii")}","path":{quoted(path.decode("latin-1"))},'
    if query:
        text += f'"query":{quoted(redaction.query(query.decode("latin-1")))},'
    shape.wanted_by, shape.wanted = exchange.target, text
    return text


EMPTY = "}"


def _counted(exchange: Exchange, router: str) -> str:
    """The record of a request that is not written down: enough to count it."""
    if exchange.capture is not None:
        exchange.capture.let_go()
    route, caller, started, answered = exchange.route, exchange.shape.caller, exchange.started, exchange.answered_at
    whose = f'"subject_id":"{caller.subject_id}",' if caller else ""
    return (
        f'{{"id":"{exchange.id.decode("ascii")}","time":{int(exchange.started_at * 1e6)}e-6,"router":{router},'
        f'"project_id":"{route.project_id}","service_id":"{route.service_id}",'
        f'"deployment_id":"{route.deployment_id}","version_id":"{route.version_id}",{whose}"logged":false,'
        f'"code":"{exchange.code}","outcome":"{exchange.outcome}",'
        f'"status":{exchange.status},"request_bytes":{exchange.request_bytes},'
        f'"response_bytes":{exchange.response_bytes},'
        f'"first_byte_ms":{int((answered - started) * 1e6) if answered else 0}e-3,'
        f'"total_ms":{int((exchange.ended_at - started) * 1e6)}e-3}}'
    )


def _attempts(exchange: Exchange) -> str:
    """The end of a record: which instances had the request."""
    ends, started, attempts = exchange.shape.attempts, exchange.started, exchange.attempts
    last = attempts[-1]
    if last.at is started and last.outcome == ANSWERED:  # the first, at once: nearly all of them
        return ends.get(last.target.instance_id) or _at_once(last.target, ends)
    listed = []
    for attempt in attempts:
        reason = f'"reason":{quoted(attempt.reason)},' if attempt.reason else ""
        at = int((attempt.at - started) * 1e6)
        listed.append(f'{_text(attempt.target)}"outcome":"{attempt.outcome}",{reason}"at_ms":{at}e-3}}')
    return f',"instance_id":"{last.target.instance_id}","attempts":[{",".join(listed)}]}}'


def _at_once(target: Target, ends: dict[str, str]) -> str:
    text = f',"instance_id":"{target.instance_id}","attempts":[{_text(target)}"outcome":"{ANSWERED}","at_ms":0.0}}]}}'
    ends[target.instance_id] = text
    return text


def _text(target: Target) -> str:
    """What all attempts at an instance have in common."""
    address = quoted(f"{target.address}:{target.port}")
    return f'{{"instance_id":"{target.instance_id}","address":{address},'


def _in_common(shape: Shape, route: Route, router: str) -> str:
    """The fields that all records of a shape have in common."""
    caller, fields = shape.caller, shape.fields
    whose = f'"subject_id":"{caller.subject_id}","token_id":"{caller.token_id}",' if caller else ""
    user_agent = route.recording.redaction.header("user-agent", fields.user_agent[:TEXT_KEPT].decode("latin-1"))
    trace_id = _trace_id(fields.traceparent)
    shape.record = (
        f'"router":{router},"project_id":"{route.project_id}","service_id":"{route.service_id}",'
        f'"deployment_id":"{route.deployment_id}","version_id":"{route.version_id}",'
        f'{whose}"client":"{shape.peer}","user_agent":{quoted(user_agent)}'
    )
    if route.made_at:
        shape.record += f',"route_sequence":{route.made_at}'
    if route.recording.keep_s != USUAL.keep_s:
        shape.record += f',"keep_s":{route.recording.keep_s}'
    if trace_id:
        shape.record += f',"trace_id":{quoted(trace_id)},"parent":{quoted(fields.traceparent[:55].decode("latin-1"))}'
    return shape.record


def _trace_id(traceparent: bytes) -> str:
    """The trace id of a W3C traceparent (`00-<32 hex>-<16 hex>-<2 hex>`), or empty."""
    parts = traceparent.split(b"-")
    return parts[1].decode("latin-1") if len(parts) >= 4 and len(parts[1]) == 32 else ""
