"""Rollouts as they are stored and shown, and each way in which one goes on.

A rollout changes its service: the split, and at its end the version. Routers follow the service's facts and know
nothing else of it.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from narthex.contracts import api
from narthex.contracts.entities import Split
from narthex.contracts.errors import Conflict, Invalid, NotFound
from narthex.contracts.events import ServiceUpdated
from narthex.contracts.ids import new_id
from narthex_registry import imported, services, switching, tables, versions
from narthex_registry.database import Change
from narthex_registry.happenings import rollout_event
from narthex_registry.rollout_plan import ALLOWED, UNDER_WAY, Seen, seen_from

HISTORY = 200  # what happened to one rollout: more than its steps
State = api.RolloutState


async def find(session: AsyncSession, service: tables.Service, rollout_id: str) -> tables.Rollout:
    found = await session.get(tables.Rollout, rollout_id)
    if found is None or found.service_id != service.id:
        raise NotFound(f"there is no rollout {rollout_id} of service {service.name}")
    return found


async def listed(session: AsyncSession, service: tables.Service) -> Sequence[tables.Rollout]:
    """The rollouts of a service, newest first."""
    query = select(tables.Rollout).where(tables.Rollout.service_id == service.id).order_by(tables.Rollout.id.desc())
    return (await session.execute(query)).scalars().all()


async def under_way(session: AsyncSession) -> Sequence[tables.Rollout]:
    """All that have not ended, of all services."""
    query = select(tables.Rollout).where(tables.Rollout.state.in_(UNDER_WAY)).order_by(tables.Rollout.id)
    return (await session.execute(query)).scalars().all()


async def begin(
    change: Change,
    service: tables.Service,
    deployment: tables.Deployment,
    body: api.RolloutCreate,
    now: datetime,
    *,
    force: bool,
) -> tables.Rollout:
    """Send a first part of a service's requests to another version."""
    if service.type == imported.TYPE:
        raise Invalid("version: an imported service has no versions to go over to")
    if service.split is not None:
        raise Conflict(f"service {service.name} has a rollout under way; promote it or go back first")
    before = await services.version_behind(change.session, service, deployment)
    after = await versions.named_in_body(change.session, deployment, body.version)
    if before is None or before.id == after.id:
        raise Invalid(f"version: service {service.name} must have another version than {after.name} now")
    if not force:
        await switching.allow(change.session, "version", before.id, after.id)
    rollout = tables.Rollout(
        id=new_id(),
        project_id=service.project_id,
        service_id=service.id,
        before_id=before.id,
        before=before.name,
        version_id=after.id,
        version=after.name,
        state=State.RUNNING,
        steps=[step.model_dump() for step in body.steps],
        gates=body.gates.model_dump(),
        sticky=body.sticky,
        step_began=now,
        history=[],
    )
    change.session.add(rollout)
    enter(change, service, rollout, 0, now)
    await change.session.flush()
    return rollout


async def ask(
    change: Change,
    service: tables.Service,
    rollout: tables.Rollout,
    body: api.RolloutUpdate,
    now: datetime,
    *,
    force: bool,
) -> None:
    """What somebody wants of a rollout: another step, another state, or both."""
    if State(rollout.state) not in UNDER_WAY:
        raise Conflict(f"this rollout has ended: {rollout.state.replace('_', ' ')}; begin another one")
    if body.step is not None:
        if body.step > len(rollout.steps):
            raise Invalid(f"step: this rollout has {len(rollout.steps)} steps")
        enter(change, service, rollout, body.step - 1, now)
    if body.state is None or body.state == rollout.state:
        return
    wanted = State(body.state)
    assert wanted in ALLOWED[State(rollout.state)]
    if wanted is State.PROMOTED:
        if not force:
            await switching.allow(change.session, "state", rollout.before_id, rollout.version_id)
        promote(change, service, rollout, now, "somebody decided so")
    elif wanted is State.ROLLED_BACK:
        go_back(change, service, rollout, now, "somebody decided so")
    else:
        rollout.state, rollout.step_began = wanted, now
        rollout.waiting_for = ""
        said = "goes on" if wanted is State.RUNNING else "was stopped"
        _note(change, service, rollout, now, f"rollout_{wanted}", said)


def enter(change: Change, service: tables.Service, rollout: tables.Rollout, at: int, now: datetime) -> None:
    """Go to a step: from now on its part of the requests goes to the new version."""
    rollout.step, rollout.step_began, rollout.observed, rollout.waiting_for = at, now, {}, ""
    weight = rollout.steps[at]["weight"]
    split = Split(rollout_id=rollout.id, version_id=rollout.version_id, weight=weight, sticky=rollout.sticky)
    service.split = split.model_dump()
    change.facts.record(ServiceUpdated, service)
    said = f"is at step {at + 1} of {len(rollout.steps)}: {weight:g} % of the requests"
    _note(change, service, rollout, now, "rollout_step", said)


def promote(change: Change, service: tables.Service, rollout: tables.Rollout, now: datetime, reason: str) -> None:
    """Give the service to the new version. One that followed the default is pinned: others follow it too."""
    service.version_id = rollout.version_id
    _end(change, service, rollout, now, State.PROMOTED, reason)


def go_back(change: Change, service: tables.Service, rollout: tables.Rollout, now: datetime, reason: str) -> None:
    """Let the old version have all requests again."""
    _end(change, service, rollout, now, State.ROLLED_BACK, reason)


def watch_anew(change: Change, service: tables.Service, rollout: tables.Rollout, now: datetime) -> None:
    """Begin a step's time and evidence again: nobody has watched it for a while."""
    rollout.step_began, rollout.observed = now, {}
    _note(change, service, rollout, now, "rollout_step", "begins its step anew, because nobody watched it meanwhile")


def detail(service: tables.Service, rollout: tables.Rollout) -> api.RolloutDetail:
    going = State(rollout.state) in UNDER_WAY
    seen = {
        name: seen_from(rollout.observed[key]) if key in rollout.observed else Seen()
        for key, name in ((rollout.before_id, rollout.before), (rollout.version_id, rollout.version))
    }
    return api.RolloutDetail(
        id=rollout.id,
        service=service.name,
        before=rollout.before,
        version=rollout.version,
        state=rollout.state,
        step=rollout.step + 1,
        weight=rollout.steps[rollout.step]["weight"] if going else 100.0 * (rollout.state == State.PROMOTED),
        waiting_for=rollout.waiting_for if going else "",
        reason=rollout.reason,
        steps=[api.RolloutStep.model_validate(step) for step in rollout.steps],
        gates=api.RolloutGates.model_validate(rollout.gates),
        sticky=rollout.sticky,
        step_began=rollout.step_began,
        seen=[_shown(name, each) for name, each in seen.items()],
        events=[api.RolloutEvent.model_validate(event) for event in rollout.history],
        time_created=rollout.created,
        time_updated=rollout.updated,
    )


def age_s(rollout: tables.Rollout, now: datetime) -> float:
    """How long its step has lasted."""
    return (now - rollout.step_began) / timedelta(seconds=1)


def _end(
    change: Change, service: tables.Service, rollout: tables.Rollout, now: datetime, state: State, reason: str
) -> None:
    rollout.state, rollout.reason, rollout.waiting_for = state, reason, ""
    service.split = None
    change.facts.record(ServiceUpdated, service)
    said = f"was {state.replace('_', ' ')}"
    _note(change, service, rollout, now, f"rollout_{state}", said, reason)


def _note(
    change: Change, service: tables.Service, rollout: tables.Rollout, now: datetime, kind: str, said: str, why: str = ""
) -> None:
    """Write down what happened: with the rollout, and among the project's events."""
    text = f"{said}: {why}" if why else said
    rollout.history = [*rollout.history, {"time": now.isoformat(), "type": kind, "text": text}][-HISTORY:]
    change.facts.happenings.append(rollout_event(service, kind, f"The rollout of {rollout.version} {text}"))


def _shown(name: str, seen: Seen) -> api.RolloutSeen:
    return api.RolloutSeen(
        version=name, requests=seen.requests, errors=seen.errors, error_rate=seen.error_rate, p95_ms=seen.p95_ms
    )
