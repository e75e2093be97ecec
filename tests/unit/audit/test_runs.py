"""What arrived of a run and what the bus lost of it: whatever happens on the way, each record is one or the other."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from narthex.contracts.ids import new_id, uuid7
from narthex_audit.runs import KEPT_DAYS, Hole, Runs, Span, is_over, missing, united

NOW = 1_790_000_000.0
RUN = str(uuid7(int(NOW * 1000)))
ANYTHING = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=20)


@dataclass(frozen=True)
class Stream:
    created: str
    first: int
    last: int


def numbers(spans: Iterable[Span]) -> set[int]:
    return {number for first, past in spans for number in range(first, past)}


@given(ANYTHING)
def test_united_spans_have_the_same_numbers_with_something_missing_between_any_two(spans: list[Span]) -> None:
    found = united(spans)

    assert numbers(found) == numbers(spans)
    assert all(first < past for first, past in found)
    assert all(one[1] < other[0] for one, other in pairwise(found))


@given(ANYTHING)
def test_what_is_missing_is_everything_below_the_end_that_is_not_there(spans: list[Span]) -> None:
    there = numbers(spans)

    assert numbers(missing(united(spans))) == set(range(max(there, default=0))) - there


@given(ANYTHING, ANYTHING)
def test_what_two_processes_noted_is_the_same_whoever_reads_the_other(mine: list[Span], theirs: list[Span]) -> None:
    assert united((*united(mine), *united(theirs))) == united((*theirs, *mine))


def test_a_stream_is_over_when_nothing_is_left_of_what_it_had() -> None:
    then = Stream("monday", 3, 7)

    assert not is_over(then, Stream("monday", 7, 20))
    assert is_over(then, Stream("monday", 8, 20))
    assert is_over(then, Stream("monday", 8, 7))


def test_a_stream_that_was_made_anew_numbers_anew_and_is_over_only_when_it_is_empty() -> None:
    then = Stream("monday", 3, 7)

    assert not is_over(then, Stream("tuesday", 9, 12))
    assert is_over(then, Stream("tuesday", 1, 0))


def test_a_hole_that_nobody_knew_of_when_the_stream_was_asked_is_not_lost() -> None:
    runs = Runs()
    asked = runs.holes()
    runs.arrived(RUN, "r", (5, 9), NOW)

    assert runs.lost(asked, Stream("monday", 1, 0)) == []
    assert runs.lost(runs.holes(), Stream("monday", 1, 0)) == [Hole("r", RUN, 0, 5)]


def test_of_a_run_that_began_before_anything_was_noted_only_later_holes_are_known() -> None:
    runs = Runs(since=NOW + 1)
    runs.arrived(RUN, "r", (50, 60), NOW + 2)
    runs.arrived(RUN, "r", (65, 70), NOW + 2)

    assert runs.holes() == [Hole("r", RUN, 60, 65)]


def test_a_run_that_was_forgotten_and_speaks_again_has_lost_nothing() -> None:
    runs = Runs()
    runs.arrived(RUN, "r", (0, 60), NOW)
    later = NOW + (KEPT_DAYS + 1) * 86_400
    runs.forget(later)
    runs.arrived(RUN, "r", (60, 70), later)

    assert runs.holes() == []


def test_a_run_without_a_readable_id_is_not_held_to_anything_before_its_first_batch() -> None:
    runs = Runs()
    runs.arrived("x", "r", (60, 70), NOW)

    assert runs.holes() == []


@dataclass
class Bus:
    """A stream that hands its messages to audit at least once, in about any order, and may lose them all."""

    kept: dict[int, Span] = field(default_factory=dict)
    last: int = 0
    created: int = 0
    sent: int = 0

    def publish(self, records: int) -> None:
        self.last += 1
        self.kept[self.last] = (self.sent, self.sent + records)
        self.sent += records

    def empty(self, *, anew: bool) -> None:
        self.kept = {}
        if anew:
            self.created, self.last = self.created + 1, 0

    @property
    def extent(self) -> Stream:
        return Stream(str(self.created), min(self.kept, default=self.last + 1), self.last)


@dataclass
class Auditor:
    """Audit: what is in its store survives, the rest does not."""

    bus: Bus
    stored: list[Span] = field(default_factory=list)  # the table of arrivals
    losses: dict[str, Hole] = field(default_factory=dict)  # by their token
    arrived: set[int] = field(default_factory=set)
    runs: Runs = field(default_factory=Runs)
    asked: list[Hole] = field(default_factory=list)
    stream: Stream | None = None

    def handle(self, which: int, *, acknowledged: bool) -> None:
        if not self.bus.kept:
            return
        number = sorted(self.bus.kept)[which % len(self.bus.kept)]
        span = self.bus.kept[number]
        self.arrived |= numbers([span])
        self.runs.arrived(RUN, "r", span, NOW)
        self.stored += self.runs.known[RUN].spans
        if acknowledged:
            del self.bus.kept[number]

    def notice(self) -> None:
        self.asked, self.stream = self.runs.holes(), None

    def ask(self) -> None:
        self.stream = self.bus.extent

    def judge(self, *, killed: bool) -> None:
        if self.stream is None:
            return
        for hole in self.runs.lost(self.asked, self.stream):
            self.losses[hole.token] = hole
            if killed:
                self.restart()
                return
            self.runs.adopt(RUN, "r", ((hole.first, hole.past),), NOW)
            self.stored += self.runs.known[RUN].spans
        self.asked, self.stream = [], None

    def restart(self) -> None:
        self.runs, self.asked, self.stream = Runs(), [], None
        if self.stored:
            self.runs.adopt(RUN, "r", united(self.stored), NOW)


STEPS = st.one_of(
    st.tuples(st.just("publish"), st.integers(1, 9)),
    st.tuples(st.just("handle"), st.integers(0, 9)),
    st.tuples(st.just("handle, not acknowledged"), st.integers(0, 9)),
    st.tuples(st.sampled_from(["notice", "ask", "judge", "judge, killed", "restart", "purge", "anew"]), st.just(0)),
)


@given(st.lists(STEPS, max_size=60))
def test_every_record_before_the_last_that_arrived_is_stored_or_counted_once(steps: list[tuple[str, int]]) -> None:
    bus = Bus()
    audit = Auditor(bus)
    for step, number in steps:
        match step:
            case "publish":
                bus.publish(number)
            case "handle":
                audit.handle(number, acknowledged=True)
            case "handle, not acknowledged":
                audit.handle(number, acknowledged=False)
            case "notice":
                audit.notice()
            case "ask":
                audit.ask()
            case "judge" | "judge, killed":
                audit.judge(killed=step != "judge")
            case "restart":
                audit.restart()
            case _:
                bus.empty(anew=step == "anew")
    while bus.kept:
        audit.handle(0, acknowledged=True)
    for _ in range(2):
        audit.notice()
        audit.ask()
        audit.judge(killed=False)

    counted = [number for hole in audit.losses.values() for number in range(hole.first, hole.past)]
    assert len(counted) == len(set(counted))
    assert audit.arrived.isdisjoint(counted)
    assert audit.arrived | set(counted) == set(range(max(audit.arrived, default=-1) + 1))


def test_each_run_has_its_own_numbers() -> None:
    runs, other = Runs(), new_id()
    runs.arrived(RUN, "r", (0, 5), NOW)
    runs.arrived(other, "r", (3, 5), NOW)

    assert runs.holes() == [Hole("r", other, 0, 3)]
