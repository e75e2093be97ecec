"""`narthex installation`, `narthex doctor`: how the whole installation stands, and messages that were given up."""

from collections.abc import Iterator
from typing import Annotated, NamedTuple

import typer

from narthex.cli.exits import Exit
from narthex.cli.options import Json
from narthex.cli.output import Column, notice, printable, show_json, show_list, show_one
from narthex.cli.session import connect
from narthex.contracts.api import DeadLetterBrief, InstallationState
from narthex.contracts.entities import WorkerLoad

app = typer.Typer(no_args_is_help=True, help="The whole installation: its parts, and what is wrong with them.")
letters = typer.Typer(no_args_is_help=True, help="Messages that a part gave up, to be tried again or let go.")
app.add_typer(letters, name="dead-letters")

Number = Annotated[int, typer.Argument(metavar="NUMBER", min=1, help="As the list says it.")]
MIB = 1024**2


class Said(NamedTuple):
    """What a part does, in a line."""

    part: str
    name: str
    state: str


COLUMNS: list[Column[Said]] = [
    Column("PART", lambda said: said.part),
    Column("NAME", lambda said: said.name),
    Column("STATE", lambda said: said.state, flexible=True),
]
LETTERS: list[Column[DeadLetterBrief]] = [
    Column("NUMBER", lambda letter: letter.number),
    Column("DATE", lambda letter: letter.date),
    Column("CONSUMER", lambda letter: letter.consumer),
    Column("SUBJECT", lambda letter: letter.subject),
    Column("REASON", lambda letter: letter.reason, flexible=True),
    Column("BYTES", lambda letter: letter.size, wide=True),
]


@app.command("show")
def show(context: typer.Context, json: Json = False) -> None:
    """Every part of the installation: what it does, and how far behind it is."""
    with connect(context) as api:
        state = api.installation.state()
    if json:
        show_one(state, json)
    else:
        show_list(list(lines(state)), COLUMNS, json)


def doctor(context: typer.Context, json: Json = False) -> None:
    """What is wrong with the installation, in sentences; exit code 1 if anything is."""
    with connect(context) as api:
        problems = api.installation.state().problems
    if json:
        show_json(problems)
    for problem in problems if not json else ():
        print(printable(problem))
    if problems:
        raise typer.Exit(Exit.FAILED)
    if not json:
        notice("nothing is wrong")


@letters.command("list")
def list_letters(context: typer.Context, json: Json = False) -> None:
    """The messages that were given up, oldest first."""
    with connect(context) as api:
        found: list[DeadLetterBrief] = []
        while page := api.installation.dead_letters(after=found[-1].number if found else 0, limit=200):
            found += page
        show_list(found, LETTERS, json)


@letters.command("show")
def show_letter(context: typer.Context, number: Number, json: Json = False) -> None:
    """A message that was given up, and what it says."""
    with connect(context) as api:
        letter = api.installation.dead_letter(number)
    if json:
        show_one(letter, json)
        return
    show_one(DeadLetterBrief(**letter.model_dump(exclude={"content", "cut"})), json)
    print("\n".join(printable(line) for line in letter.content.split("\n")))


@letters.command("retry")
def retry(context: typer.Context, number: Number) -> None:
    """Publish a message again. Parts that had it already do nothing with it."""
    with connect(context) as api:
        letter = api.installation.retry_dead_letter(number)
    notice(f"{letter.subject} was published again; it comes back to this list if it fails again")


@letters.command("discard")
def discard(context: typer.Context, number: Number) -> None:
    """Forget a message that was given up."""
    with connect(context) as api:
        api.installation.discard_dead_letter(number)
    notice(f"dead letter {number} is gone")


def lines(state: InstallationState) -> Iterator[Said]:
    """The parts, a line each."""
    yield Said("registry", state.version, f"at change {state.sequence}")
    for worker in state.routers:
        yield Said("router worker", worker.worker, _worker(worker.applied_sequence, state.sequence, worker.load))
    for prober in state.health_workers:
        yield Said("health worker", prober.name, f"probes {prober.instances} instances, {prober.share:.0%}")
    for stream in state.bus.streams:
        yield Said("stream", stream.name, f"{stream.messages} messages, {stream.bytes / MIB:.1f} MiB")
        for consumer in stream.consumers:
            told = f"{consumer.waiting} waiting, {consumer.unacknowledged} under way"
            yield Said("consumer", f"{stream.name}/{consumer.name}", told)
    if state.bus.reason:
        yield Said("bus", "", state.bus.reason)
    known = state.certificates
    soonest = next((each.renew_at for each in known.next if each.renew_at is not None), None)
    renewed = f", the next is renewed at {soonest:%Y-%m-%d %H:%M} UTC" if soonest is not None else ""
    yield Said("certificates", "", known.reason or f"{known.total}, {known.failing} failing{renewed}")
    store, data = state.log_store, state.database
    held = f"{store.requests} requests, {store.size_bytes / MIB:.0f} MiB"
    yield Said("log store", store.kind, store.reason or held)
    waiting = f", {data.facts_waiting} changes wait for the bus" if data.facts_waiting else ""
    yield Said("database", data.kind, f"{data.size_bytes / MIB:.0f} MiB, {data.services} services{waiting}")
    yield Said("dead letters", "", str(state.dead_letters))


def _worker(applied: int, newest: int, load: WorkerLoad | None) -> str:
    behind = f"{newest - applied} changes behind" if applied < newest else "up to date"
    if load is None:
        return behind
    if load.waiting_for:
        return f"waits for {load.waiting_for}"
    return (
        f"{behind}, {load.requests_per_second:.1f} requests/s, {load.in_flight} in flight, "
        f"loop {load.loop_lag_ms:.0f} ms late at most, {load.memory_bytes / MIB:.0f} MiB"
    )
