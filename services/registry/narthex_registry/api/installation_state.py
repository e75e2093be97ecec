"""How the whole installation stands, for those who look after it: every part is asked at once, and what does not answer
says why; and the messages that were given up, to be tried again or let go.
"""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from importlib import metadata
from typing import Annotated, TypeVar

from aiohttp import web
from pydantic import Field
from sqlalchemy import func, select, text

from narthex.bus import DEAD_LETTERS, DeadLetter
from narthex.contracts import api
from narthex.contracts.errors import NarthexError, NotFound
from narthex.contracts.queries import (
    CERTIFICATES_SUBJECT,
    LOG_STORE_SUBJECT,
    CertificatesAnswer,
    CertificatesQuestion,
    LogStoreQuestion,
    LogStoreState,
)
from narthex_registry import checkup, tables
from narthex_registry.api.endpoint import endpoint
from narthex_registry.api.needs import Standing
from narthex_registry.api.signature import r200, r204
from narthex_registry.api.state import State, cause, state

WITHIN_S = 3.0  # for each part's answer
SHOWN = 20  # certificates
CONTENT = 64 * 1024  # characters of a dead letter
Page = Annotated[int, Field(ge=1, le=200)]
Number = Annotated[int, Field(ge=0, le=2**62)]

Part = TypeVar("Part")


@endpoint(Standing.ADMINISTRATOR)
async def get_installation(request: web.Request) -> r200[api.InstallationState]:
    """Every part of the installation: what it does, how far behind it is, and what is wrong with it."""
    registry = state(request)
    now = registry.clock.now()
    bus, certificates, log_store, database = await asyncio.gather(
        _or_reason(lambda: _bus(registry), lambda reason: api.BusState(reason=reason)),
        _or_reason(lambda: _certificates(registry, now), lambda reason: api.CertificateForecast(reason=reason)),
        _or_reason(lambda: _log_store(registry), lambda reason: LogStoreState(reason=reason)),
        _database(registry),
    )
    stood = api.InstallationState(
        version=metadata.version("narthex"),
        time=now,
        sequence=await _sequence(registry),
        problems=[],
        routers=registry.workers.known(now),
        health_workers=registry.probers.known(now),
        bus=bus,
        dead_letters=next((each.messages for each in bus.streams if each.name == DEAD_LETTERS.name), 0),
        certificates=certificates,
        log_store=log_store,
        database=database,
    )
    return stood.model_copy(update={"problems": checkup.problems(stood, now)})


@endpoint(Standing.ADMINISTRATOR)
async def list_dead_letters(
    request: web.Request, after: Number = 0, limit: Page = 50
) -> r200[list[api.DeadLetterBrief]]:
    """The messages that consumers gave up, oldest first; the next page is `after` the last number."""
    return [_brief(each) for each in await state(request).bus.inspection().dead_letters(after, limit)]


@endpoint(Standing.ADMINISTRATOR)
async def get_dead_letter(request: web.Request, number: str, /) -> r200[api.DeadLetterDetail]:
    """A message that was given up, and what it says."""
    letter = await state(request).bus.inspection().dead_letter(_number(number))
    content = readable(letter.body)
    return api.DeadLetterDetail(**_brief(letter).model_dump(), content=content[:CONTENT], cut=len(content) > CONTENT)


@endpoint(Standing.ADMINISTRATOR)
async def retry_dead_letter(request: web.Request, number: str, /) -> r200[api.DeadLetterBrief]:
    """Publish a message again that was given up. Whoever had it does nothing with it; it is a dead letter no more,
    unless it fails again."""
    letter = await state(request).bus.inspection().retry(_number(number))
    await _note(request, letter, "was published again")
    return _brief(letter)


@endpoint(Standing.ADMINISTRATOR)
async def discard_dead_letter(request: web.Request, number: str, /) -> r204:
    """Forget a message that was given up."""
    inspection = state(request).bus.inspection()
    letter = await inspection.dead_letter(_number(number))
    await inspection.discard(letter.number)
    await _note(request, letter, "was discarded")


async def _note(request: web.Request, letter: DeadLetter, what: str) -> None:
    """The audit trail says who did that."""
    by = cause(request)
    line = tables.AuditEvent(
        date=state(request).clock.now(),
        action="info",
        user_id=by.user_id,
        user_email=by.user_email,
        event=f"Dead letter {letter.number} of {letter.consumer} ({letter.subject}) {what}",
        object_type="installation",
        object_id="",
        object_name="",
        correlation_id=by.correlation_id,
    )
    async with state(request).database.change(by) as change:
        change.session.add(line)


async def _or_reason(ask: Callable[[], Awaitable[Part]], otherwise: Callable[[str], Part]) -> Part:
    """What a part answers, or what stands for it while it does not."""
    try:
        async with asyncio.timeout(2 * WITHIN_S):
            return await ask()
    except NarthexError as error:
        return otherwise(error.message)
    except TimeoutError:
        return otherwise(f"no answer within {2 * WITHIN_S:.0f} s")


async def _bus(registry: State) -> api.BusState:
    found = await registry.bus.inspection().streams()
    return api.BusState.model_validate({"streams": found}, from_attributes=True)


async def _certificates(registry: State, now: datetime) -> api.CertificateForecast:
    answer = await registry.bus.ask(
        CERTIFICATES_SUBJECT, CertificatesQuestion(), CertificatesAnswer, timeout_s=WITHIN_S
    )
    return forecast(answer, now)


def forecast(answer: CertificatesAnswer, now: datetime) -> api.CertificateForecast:
    """The certificates in the order in which something happens to them."""
    late = datetime.max.replace(tzinfo=UTC)
    states = sorted(answer.states, key=lambda each: (not each.failures, each.next_try or each.renew_at or late))
    return api.CertificateForecast(
        total=len(states),
        failing=sum(1 for each in states if each.failures),
        expired=sum(1 for each in states if each.certificate is not None and each.certificate.not_after <= now),
        next=states[:SHOWN],
    )


async def _log_store(registry: State) -> LogStoreState:
    return await registry.bus.ask(LOG_STORE_SUBJECT, LogStoreQuestion(), LogStoreState, timeout_s=WITHIN_S)


async def _database(registry: State) -> api.DatabaseState:
    counted = {
        "projects": select(func.count()).select_from(tables.Project),
        "services": select(func.count()).select_from(tables.Service),
        "instances": select(func.count()).select_from(tables.Instance).where(tables.Instance.remove_at.is_(None)),
        "users": select(func.count()).select_from(tables.User),
        "facts_waiting": select(func.count()).select_from(tables.Outbox).where(tables.Outbox.sent.is_(None)),
    }
    async with registry.database.read() as session:
        kind = session.get_bind().dialect.name
        numbers = {name: (await session.execute(query)).scalar_one() for name, query in counted.items()}
        size = (await session.execute(text(_SIZES[kind]))).scalar_one()
    return api.DatabaseState(kind=kind, size_bytes=int(size), **numbers)


async def _sequence(registry: State) -> int:
    async with registry.database.read() as session:
        found: int = (await session.execute(select(tables.Counter.value))).scalar_one()
    return found


_SIZES = {
    "sqlite": "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()",
    "postgresql": "SELECT pg_database_size(current_database())",
}


def readable(body: bytes) -> str:
    """A message as people read it: JSON with line breaks, text otherwise."""
    try:
        return json.dumps(json.loads(body), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return body.decode(errors="replace")


def _brief(letter: DeadLetter) -> api.DeadLetterBrief:
    return api.DeadLetterBrief(
        number=letter.number,
        consumer=letter.consumer,
        subject=letter.subject,
        reason=letter.reason,
        date=letter.time,
        size=len(letter.body),
    )


def _number(text: str) -> int:
    if not re.fullmatch(r"[1-9][0-9]{0,17}", text):
        raise NotFound(f"there is no dead letter {text}")
    return int(text)


_LETTERS = "/installation/dead-letters"
ROUTES = [
    web.get("/installation", get_installation),
    web.get(_LETTERS, list_dead_letters),
    web.get(_LETTERS + "/{number}", get_dead_letter),
    web.post(_LETTERS + "/{number}/retry", retry_dead_letter),
    web.delete(_LETTERS + "/{number}", discard_dead_letter),
]
