"""What the page of one service shows at a glance: its requests over time, and the certificates of its hosts."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Annotated

from aiohttp import web
from pydantic import Field

from narthex.contracts import api
from narthex.contracts.errors import Invalid
from narthex.contracts.names import service_host
from narthex.contracts.queries import CHART_SUBJECT, CertificateState, ChartAnswer, ChartQuestion
from narthex_registry import domains, samples, services
from narthex_registry.api.certificates import ask_certs
from narthex_registry.api.endpoint import endpoint
from narthex_registry.api.moments import in_utc
from narthex_registry.api.signature import r200
from narthex_registry.api.state import PROJECT_ID, state
from narthex_registry.series import LONGEST, PERIODS, Span, span

Points = Annotated[int, Field(ge=10, le=1500)]


@endpoint("services.get")
async def get_chart(
    request: web.Request,
    project: str,
    service: str,
    /,
    since: datetime | None = None,
    until: datetime | None = None,
    points: Points = 120,
) -> r200[api.ServiceChart]:
    """A service's requests over time in so many points at most, the last 15 minutes unless said otherwise: by status,
    how long they took, how many were under way, and how many instances were ready."""
    registry = state(request)
    async with registry.database.read() as session:
        found = await services.find(session, request[PROJECT_ID], service)
    over = chosen(in_utc(since), in_utc(until), registry.clock.now(), points)
    question = ChartQuestion(
        project_id=found.project_id,
        service_id=found.id,
        since=over.start,
        until=over.end,
        period_s=over.period_s,
        instances_series=samples.of(samples.OF_SERVICES, found.id),
    )
    answer = await registry.bus.ask(CHART_SUBJECT, question, ChartAnswer)
    columns = answer.model_dump(exclude={"durations_ms"})
    return api.ServiceChart(period_s=over.period_s, **columns, **answer.durations_ms)


def chosen(since: datetime | None, until: datetime | None, now: datetime, points: int) -> Span:
    """The stretch in the shortest periods that give so many points at most."""
    until = until or now
    since = since or until - timedelta(minutes=15)
    if since >= until:
        raise Invalid("since: must be before until")
    if until - since > LONGEST:
        raise Invalid(f"since: must be at most {LONGEST.days} days before until")
    seconds = (until - since).total_seconds()
    return span(since, until, next((each for each in PERIODS if seconds / each <= points), PERIODS[-1]))


@endpoint("services.get")
async def list_certificates(request: web.Request, project: str, service: str, /) -> r200[list[api.ServiceCertificate]]:
    """The certificates that a service is served with: under its own host, and under each domain that was verified."""
    registry = state(request)
    async with registry.database.read() as session:
        found = await services.find(session, request[PROJECT_ID], service)
        own = [domain.host for domain in await domains.listed(session, found) if domain.verified]
    answer = await ask_certs(registry.bus)
    now = registry.clock.now()
    host = service_host(found.id, registry.domain)
    return [certificate_of(each, answer.states, now, own_domain=each != host) for each in (host, *own)]


def certificate_of(
    host: str, states: Iterable[CertificateState], now: datetime, *, own_domain: bool
) -> api.ServiceCertificate:
    """How things stand with a host's certificate; one that is held counts before one that is wanted."""
    covering = [each for each in states if covers(each.hosts, host)]
    held = max(covering, key=lambda each: (each.certificate is not None, host in each.hosts), default=None)
    if held is None:
        return api.ServiceCertificate(host=host, own_domain=own_domain, status="waiting")
    certificate = held.certificate
    return api.ServiceCertificate(
        host=host,
        own_domain=own_domain,
        status=_status(held, now),
        issuer=certificate.issuer if certificate is not None else held.issuer,
        not_after=certificate.not_after if certificate is not None else None,
        renew_at=held.renew_at,
        next_try=held.next_try,
        failures=held.failures,
        reason=held.reason,
    )


def covers(names: Iterable[str], host: str) -> bool:
    return not {host, f"*.{host.partition('.')[2]}"}.isdisjoint(names)


def _status(state: CertificateState, now: datetime) -> str:
    if state.certificate is not None and state.certificate.not_after > now:
        return "failing" if state.failures else "good"
    if state.failures:
        return "failing"
    if state.certificate is not None:
        return "expired"
    return "obtaining" if state.step else "waiting"


_SERVICE = "/projects/{project}/services/{service}"
ROUTES = [
    web.get(_SERVICE + "/chart", get_chart),
    web.get(_SERVICE + "/certificates", list_certificates),
]
