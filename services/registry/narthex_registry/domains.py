"""Domains of services: claimed, shown to be somebody's, let go of."""

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from narthex.contracts import api
from narthex.contracts.errors import Conflict, NotFound
from narthex.contracts.events import DomainAdded, DomainRemoved, DomainVerified
from narthex_registry import tables
from narthex_registry.database import Change
from narthex_registry.domain_names import allowed, related
from narthex_registry.domain_proof import file_url, record_name, secret_text

KEPT_FOR_ITS_OWNER = timedelta(days=30)  # longer than what was cached of it, e.g. cookies, lives on (T38)
MOST = 100  # of one service
TOKEN_BYTES = 24


def detail(domain: tables.Domain, service: str) -> api.DomainDetail:
    return api.DomainDetail(
        id=domain.id,
        host=domain.host,
        service=service,
        verified=domain.verified,
        verified_at=domain.verified_at,
        created=domain.created,
        txt_name=record_name(domain.host),
        file_url=file_url(domain.host, domain.token),
        text=secret_text(domain.token),
        problem=domain.problem or None,
    )


async def listed(session: AsyncSession, service: tables.Service) -> Sequence[tables.Domain]:
    query = _of_service(service).order_by(tables.Domain.host)
    return (await session.execute(query)).scalars().all()


async def find(session: AsyncSession, service: tables.Service, host: str) -> tables.Domain:
    query = _of_service(service).where(tables.Domain.host == host.lower().removesuffix("."))
    found = (await session.execute(query)).scalar_one_or_none()
    if found is None:
        raise NotFound(f"service {service.name} has no domain {host}")
    return found


async def add(change: Change, service: tables.Service, text: str, platform: str) -> tables.Domain:
    """Claim a name for a service; it is served when it was shown to be theirs."""
    host = allowed(text, platform)
    await _nobody_elses(change.session, service.project_id, host, tables.now())
    if len(await listed(change.session, service)) >= MOST:
        raise Conflict(f"host: a service has at most {MOST} domains")
    query = select(tables.Domain).where(tables.Domain.project_id == service.project_id, tables.Domain.host == host)
    domain = (await change.session.execute(query)).scalar_one_or_none()
    if domain is not None and domain.released_at is None:
        raise Conflict(f"host: this project has the domain {host} already")
    if domain is None:
        domain = tables.Domain(project_id=service.project_id, host=host)
        change.session.add(domain)
    domain.service_id = service.id
    domain.token = secrets.token_urlsafe(TOKEN_BYTES)
    domain.verified_at = domain.released_at = domain.held = None
    domain.problem = ""
    await change.session.flush()
    change.facts.record(DomainAdded, domain)
    return domain


async def settle(change: Change, domain: tables.Domain, problem: str) -> None:
    """Write down what the look for a proof came to. Who has shown it once need not keep the proof."""
    if domain.verified:
        return
    domain.problem = problem
    if not problem:
        await _nobody_elses(change.session, domain.project_id, domain.host, tables.now())
        domain.verified_at, domain.held = tables.now(), domain.host
        change.facts.record(DomainVerified, domain)
    await change.session.flush()


async def remove(change: Change, domain: tables.Domain) -> None:
    """Let go of a name; one that was shown to be theirs is kept for them for a while."""
    change.facts.record(DomainRemoved, domain)
    if domain.verified:
        domain.released_at, domain.held = tables.now(), None
    else:
        await change.session.delete(domain)
    await change.session.flush()


async def remove_all(change: Change, service: tables.Service) -> None:
    """Let go of the names of a service that is deleted."""
    for domain in await listed(change.session, service):
        await remove(change, domain)


def _of_service(service: tables.Service) -> Select[tables.Domain]:
    return select(tables.Domain).where(tables.Domain.service_id == service.id, tables.Domain.released_at.is_(None))


async def _nobody_elses(session: AsyncSession, project_id: str, host: str, now: datetime) -> None:
    """Refuse a name that is another project's, above or below one of theirs, or was theirs until lately (T38, T39)."""
    labels = host.split(".")
    above = [".".join(labels[at:]) for at in range(len(labels) - 1)]
    query = select(tables.Domain).where(
        tables.Domain.project_id != project_id,
        tables.Domain.verified_at.is_not(None),
        tables.Domain.host.in_(above) | tables.Domain.host.endswith(f".{host}", autoescape=True),
    )
    for other in (await session.execute(query)).scalars():
        lately = other.released_at is None or now - other.released_at < KEPT_FOR_ITS_OWNER
        if lately and related(other.host, host):
            raise Conflict(f"host: {host}, or a name above or below it, is another project's")
