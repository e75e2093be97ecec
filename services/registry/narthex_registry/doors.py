"""Names and passwords of a service, and links that let in whoever has them."""

import secrets
from datetime import datetime, timedelta

from narthex.contracts import api
from narthex.contracts.digest import password_digest
from narthex.contracts.events import ServiceUpdated
from narthex.contracts.ids import new_id
from narthex.contracts.passes import Pass, PassKind, sign
from narthex_registry import tables
from narthex_registry.database import Change
from narthex_registry.facts import Cause
from narthex_registry.passwords import Passwords
from narthex_registry.service_views import Address
from narthex_registry.trail import remark

SHARE_PATH = "/.narthex/share"  # routers answer there themselves


def new_passwords(held: dict[str, str], wanted: dict[str, str | None]) -> dict[str, str]:
    """The passwords that are made here: for names that are new and come without one."""
    return {name: secrets.token_urlsafe(24) for name, given in wanted.items() if given is None and name not in held}


async def hashes(
    passwords: Passwords, key: bytes, wanted: dict[str, str | None], made: dict[str, str]
) -> dict[str, str]:
    """What is kept of the passwords that were given or made. It travels in events: worth nothing without the key."""
    texts = {name: given for name, given in wanted.items() if given is not None} | made
    return {name: await passwords.hash(password_digest(key, text.encode())) for name, text in texts.items()}


def set_basic_users(
    change: Change, service: tables.Service, wanted: dict[str, str | None], kept: dict[str, str]
) -> None:
    """Let in these names and no others; a name without another password keeps its own."""
    held = service.basic_users
    service.basic_users = {name: kept.get(name) or held[name] for name in wanted if name in kept or name in held}
    if change.session.is_modified(service):
        change.facts.record(ServiceUpdated, service)


def share(
    service: tables.Service, body: api.ShareCreate, key: bytes, address: Address, now: datetime
) -> api.ShareDetail:
    """A link."""
    expires = now + timedelta(seconds=body.expires_in)
    ticket = Pass(
        PassKind.SHARE,
        service.id,
        int(expires.timestamp()),
        share_id=new_id(),
        generation=service.share_generation,
        target=body.path or "/",
    )
    url = f"{address.of(service.id)}{SHARE_PATH}?ticket={sign(key, ticket)}"
    return api.ShareDetail(id=ticket.share_id, url=url, expires=expires)


def withdraw_shares(change: Change, service: tables.Service) -> None:
    """Make all links of a service void, and the sessions that were begun by them."""
    service.share_generation += 1
    change.facts.record(ServiceUpdated, service)


def shared(service: tables.Service, link: api.ShareDetail, cause: Cause, now: datetime) -> tables.AuditEvent:
    """What the audit trail says of a link: it is kept nowhere itself."""
    return remark(
        cause,
        now,
        f"Service {service.name} was shared by link {link.id} until {link.expires:%Y-%m-%d %H:%M} UTC",
        object_type=service.noun,
        object_id=service.id,
        object_name=service.name,
        project_id=service.project_id,
        deployment_id=service.deployment_id,
    )
