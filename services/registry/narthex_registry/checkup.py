"""What is wrong with an installation, in sentences that say what to look at. Pure."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from narthex.contracts.api import CertificateState, InstallationState

BEHIND = 1000  # facts that a worker has not applied: more than a burst
WAITING = 10_000  # messages of a consumer
FACTS_WAITING = 1000
LAG_MS = 500.0
STALE_S = 30
SOON = timedelta(days=7)


def problems(state: InstallationState, now: datetime) -> list[str]:
    return [
        *_routers(state),
        *_health(state),
        *_bus(state),
        *_certificates(state, now),
        *_stores(state),
        *_parts(state),
    ]


def _routers(state: InstallationState) -> Iterator[str]:
    if not state.routers:
        yield "no router was heard of: nothing is served, or the event bus is away"
    for worker in state.routers:
        name, load = f"router worker {worker.worker}", worker.load
        if state.sequence - worker.applied_sequence > BEHIND:
            yield f"{name} is {state.sequence - worker.applied_sequence} changes behind"
        if load is None:
            continue
        if load.waiting_for:
            yield f"{name} does not serve: it waits for {load.waiting_for}"
        if load.loop_lag_ms > LAG_MS:
            yield f"{name} is overloaded: its event loop was {load.loop_lag_ms:.0f} ms late"
        if load.table_stale_s > STALE_S:
            yield f"{name} has not heard of the shared table for {load.table_stale_s} s; it serves by what it knew"


def _health(state: InstallationState) -> Iterator[str]:
    if not state.health_workers:
        yield "no health worker was heard of: instances that fail stay in service until requests show it"


def _bus(state: InstallationState) -> Iterator[str]:
    if state.bus.reason:
        yield f"the event bus cannot be seen: {state.bus.reason}"
    for stream in state.bus.streams:
        for consumer in stream.consumers:
            if consumer.waiting > WAITING:
                yield f"{consumer.name} is {consumer.waiting} messages behind on {stream.name}"
        if stream.limit_bytes and stream.bytes > 0.9 * stream.limit_bytes:
            yield f"the stream {stream.name} is {100 * stream.bytes // stream.limit_bytes} % full"
    if state.dead_letters:
        yield f"{state.dead_letters} messages were given up; see `narthex installation dead-letters`"


def _certificates(state: InstallationState, now: datetime) -> Iterator[str]:
    if state.certificates.reason:
        yield f"certificates cannot be seen: {state.certificates.reason}"
    for each in state.certificates.next:
        hosts = ", ".join(each.hosts[:2])
        if each.failures:
            yield f"the certificate for {hosts} failed {each.failures} times: {each.reason}"
        elif _is_late(each, now):
            yield f"the certificate for {hosts} ends soon, and nothing is done about it"


def _is_late(each: CertificateState, now: datetime) -> bool:
    """Whether a certificate ends soon and is not being renewed."""
    if each.certificate is None or each.certificate.not_after > now + SOON:
        return False
    return not each.step and (each.renew_at is None or each.renew_at < now)


def _stores(state: InstallationState) -> Iterator[str]:
    if state.log_store.reason:
        yield f"the log store cannot be used: {state.log_store.reason}"
    if state.database.facts_waiting > FACTS_WAITING:
        yield f"{state.database.facts_waiting} changes wait for the event bus"


def _parts(state: InstallationState) -> Iterator[str]:
    loads = (worker.load for worker in state.routers if worker.load is not None)
    versions = {state.version, state.log_store.version}
    versions |= {each.version for each in state.health_workers} | {load.version for load in loads}
    versions.discard("")
    if len(versions) > 1:
        yield f"parts of different versions run: {', '.join(sorted(versions))}"
