"""What is to be done about each certificate, and when. Pure."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from narthex_certs.certificate import Issued
from narthex_certs.order import Trouble
from narthex_certs.renewal import chance_of, spread_renewal_time
from narthex_certs.wanted import Wanted


@dataclass(frozen=True)
class Due:
    """A certificate to obtain at a time, and why."""

    wanted: Wanted
    when: datetime
    why: str


def due(
    wanted: Mapping[str, Wanted],
    held: Mapping[str, Issued],
    troubles: Mapping[str, Trouble],
    opinions: Mapping[str, datetime],
    begun: Collection[str],
    now: datetime,
) -> list[Due]:
    """Every certificate with its time: first those that end soonest, then those that are not there.

    `begun`: those with an order under way, or that somebody asked for.
    """
    found = []
    for id, each in wanted.items():
        issued, trouble = held.get(id), troubles.get(id)
        when, why = now, "there is none yet"
        if id in begun:
            why = "it was begun, or asked for"
        elif issued is not None and issued.hosts != each.hosts:
            why = "it covers other hosts"
        elif issued is not None:
            when, why = renewal_of(issued, opinions.get(id))
        if trouble is not None:
            when = max(when, trouble.next_try)
        found.append(Due(each, when, why))
    never = datetime.max.replace(tzinfo=now.tzinfo)
    return sorted(found, key=lambda each: held[each.wanted.id].not_after if each.wanted.id in held else never)


def renewal_of(issued: Issued, opinion: datetime | None) -> tuple[datetime, str]:
    """When a certificate is renewed: as the CA says, but never later than we would ourselves."""
    ours = spread_renewal_time(issued.not_before, issued.not_after, chance_of(issued.chain))
    if opinion is not None and opinion < ours:
        return opinion, "the CA asks for it (renewal information)"
    return ours, "two thirds of its life are over"
