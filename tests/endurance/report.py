"""What a run found about each promise, in lines that begin with KEPT or BROKEN. Pure."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from faults.ledger import Change, Changer, wrong_chain, wrong_order

from endurance.account import Accounts
from endurance.books import Books
from endurance.limit import over_limit
from endurance.trend import Trend, trend
from narthex.testing.lag import LoopLag

SHOWN = 12  # violations in the report; all that were kept are in violations.txt
STALL_S = 0.020
DESCRIPTORS = 10  # more after the traffic than before it
IN_BUS = "bus_lost"  # in the log's counts of what it could not keep: not of one service, but of all
FEW = 3  # examples of what is wrong


@dataclass(frozen=True)
class Finding:
    """One promise, and how things stood."""

    promise: str
    kept: bool
    figures: str

    def line(self) -> str:
        return f"{'KEPT  ' if self.kept else 'BROKEN'} {self.promise}: {self.figures}"


def text(found: Sequence[Finding]) -> str:
    broken = sum(not each.kept for each in found)
    verdict = "ALL KEPT" if not broken else f"{broken} BROKEN"
    return "\n".join([verdict, *(each.line() for each in found), ""])


def about_requests(accounts: Accounts) -> Iterator[Finding]:
    for kind, each in sorted(accounts.kinds.items()):
        settled = each.answered + each.aborted + each.failed + each.wrong + each.refused.total() + each.excused.total()
        good = each.failed == each.wrong == 0 and settled == each.sent
        said = (
            f"{each.sent:,} sent, {each.answered:,} answered, {each.aborted:,} aborted on purpose, "
            f"{each.failed} failed, {each.wrong} wrong, refused {dict(each.refused)}, excused {dict(each.excused)}; "
            f"p99 up to {each.p99_s() * 1000:.0f} ms"
        )
        yield Finding(f"traffic {kind}", good, said)
    shown = "\n       ".join(each.said() for each in accounts.violations[:SHOWN])
    yield Finding("nothing happened that must not", accounts.count == 0, f"{accounts.count} violations\n       {shown}")


def about_records(
    books: Sequence[Books], lost: dict[str, dict[str, int]], passed: list[float], limits: list[tuple[float, int]]
) -> Iterator[Finding]:
    for each in books:
        missing = len(each.due) + len(each.late)
        said = (
            f"{each.requests:,} requests, {each.records:,} records; {missing} answered without one, lost by the log's "
            f"own count {lost[each.service] or 0}, records of nothing or twice {len(each.strange)} {each.strange[:FEW]}"
        )
        good = missing == 0 and not lost[each.service] and not each.strange
        yield Finding(f"request log of {each.service}", good, said)
    over = over_limit(passed, limits)
    yield Finding("no minute had more than the limit", not over, f"{len(passed):,} passed, {len(over)} over {over[:2]}")


def about_unrecorded(
    books: Sequence[Books], died: Sequence[Set[str]], lost: Sequence[Mapping[str, int]]
) -> Iterator[Finding]:
    """Where parts die: every answered request is stored once or counted, or died with who had its record in memory.

    `died` are the paths of those, `lost` is what the log counts. What the bus lost every service shows, and it excuses
    once.
    """
    in_bus = lost[0].get(IN_BUS, 0) if lost else 0
    nobodys = in_bus
    for each, dead, counts in zip(books, died, lost, strict=True):
        missing = [
            f"{path} of {datetime.fromtimestamp(sent.at, UTC):%H:%M:%S} at {sent.port}"
            for path, sent in each.late.items()
            if path not in dead
        ]
        counted = sum(number for reason, number in counts.items() if reason != IN_BUS)
        unexplained = max(0, len(missing) - counted)
        said = (
            f"{each.requests:,} requests, {each.records:,} records, {counted} counted as lost and {in_bus} of all "
            f"services in the bus, {len(each.late) - len(missing)} died with a router or a worker; "
            f"{len(missing)} missing {missing[:FEW]}{missing[-FEW:]}, {len(each.strange)} twice {each.strange[:FEW]}"
        )
        yield Finding(f"request log of {each.service}", unexplained <= nobodys and not each.strange, said)
        nobodys -= min(unexplained, nobodys)


def about_changes(
    changers: Sequence[Changer], trail: Sequence[Sequence[Change]], told: Sequence[Sequence[int]]
) -> Finding:
    """The audit trail and the facts of each changer's service have every change once, in order."""
    wrong = [
        f"{each.name}: {what}"
        for each, changes, facts in zip(changers, trail, told, strict=True)
        for what in _wrong_changes(each, changes, facts)
    ]
    tried, sure = sum(each.tried for each in changers), sum(each.number_confirmed for each in changers)
    said = f"{tried:,} tried, {sure:,} confirmed; {wrong or 'none lost or doubled'}"
    return Finding("confirmed changes", not wrong, said)


def _wrong_changes(changer: Changer, changes: Sequence[Change], facts: Sequence[int]) -> Iterator[str]:
    # By what they changed to: the trail's own order is by the clock, which was wrong for some.
    changes = sorted(changes, key=lambda change: change[1] or 0)
    after = [to for _, to in changes]
    if lost := sorted(set(changer.confirmed) - set(after)):
        yield f"{len(lost):,} confirmed and not in the trail {lost[:FEW]}"
    if broken := wrong_chain(changes):
        yield f"not one after the other in the trail {broken[:FEW]}"
    if disordered := wrong_order(facts):
        yield f"facts twice or out of order {disordered[:FEW]}"
    if after != list(facts):
        there = set(facts)
        untold = [number for number in after if number not in there]
        yield f"{len(after):,} in the trail and {len(facts):,} facts, {len(untold):,} without a fact {untold[:FEW]}"


def about_memory(entries: Sequence[dict[str, Any]]) -> Iterator[Finding]:
    """Of each process that was there throughout the second half. The first sample is from before the traffic, the last
    from after it."""
    before, *during, after = entries
    half = during[len(during) // 2 :]
    for name, series in sorted(_series(half, "anonymous").items()):
        memory = trend(series)
        flat = memory.flat_memory() or name.startswith("load:")  # of what this run itself holds nothing is promised
        yield Finding(f"memory of {name}", flat, _said(memory, " MB"))
    for name, series in sorted(_series(half, "descriptors").items()):
        held = trend(series)
        left = [each["processes"].get(name, {}).get("descriptors", 0) for each in (before, after)]
        good = held.flat_number() and (not left[0] or left[1] - left[0] <= DESCRIPTORS)
        said = f"{_said(held, '')}; {left[0]:.0f} before the traffic, {left[1]:.0f} after it"
        yield Finding(f"descriptors of {name}", good or name.startswith("load:"), said)
    for name, series in sorted(_series(half, "threads").items()):
        threads = trend(series)
        yield Finding(f"threads of {name}", threads.flat_number(), _said(threads, ""))


def about_lag(lag: LoopLag) -> Iterator[Finding]:
    """Where the routers say how late their loops are."""
    if lag.looks:
        yield Finding("event loops stand still for under 20 ms (p99.9)", lag.p999_s() <= STALL_S, lag.said())


def _said(found: Trend, unit: str) -> str:
    note = "" if found.judged else "; too short to judge growth"
    return f"{found.first:.1f} to {found.last:.1f}{unit}, {found.per_hour:+.2f} an hour{note}"


def _series(entries: Sequence[dict[str, Any]], what: str) -> dict[str, list[tuple[float, float]]]:
    found: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for entry in entries:
        for name, state in entry["processes"].items():
            if what in state:
                found[name].append((entry["seconds"], state[what]))
    return {name: series for name, series in found.items() if len(series) == len(entries)}
