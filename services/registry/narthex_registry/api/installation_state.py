"""How the whole installation stands, for those who look after it: every part is asked at once, and what does not answer
says why.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import TypeVar

from aiohttp import web
from sqlalchemy import func, select, text

from narthex.bus import DEAD_LETTERS
from narthex.contracts import api
from narthex.contracts.errors import NarthexError
from narthex.contracts.queries import LOG_STORE_SUBJECT, CertificatesAnswer, LogStoreQuestion, LogStoreState
from narthex.runtime.release import VERSION
from narthex_registry import checkup, tables
from narthex_registry.api.certificates import ask_certs
from narthex_registry.api.endpoint import endpoint
from narthex_registry.api.needs import Standing
from narthex_registry.api.signature import r200
from narthex_registry.api.state import State, state

WITHIN_S = 3.0  # for each part's answer
SHOWN = 20  # certificates

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
        version=VERSION,
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
    return forecast(await ask_certs(registry.bus, WITHIN_S), now)


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


ROUTES = [web.get("/installation", get_installation)]
