"""Names of their owners' own under which services are reached too. Pure."""

from narthex_router.facts import Domain


class Domains:
    """Host to service, and back. Only what was shown to be somebody's counts, and nothing below the platform's own."""

    __slots__ = ("_hosts_of", "_service_of", "_suffix")

    def __init__(self, suffix: bytes) -> None:
        self._suffix = suffix
        self._service_of: dict[bytes, str] = {}
        self._hosts_of: dict[str, tuple[bytes, ...]] = {}

    def service_of(self, host: bytes) -> str:
        """The service that is reached under a host; "" when none is."""
        return self._service_of.get(host, "")

    def hosts_of(self, service_id: str) -> tuple[bytes, ...]:
        return self._hosts_of.get(service_id, ())

    def change(self, before: Domain | None, after: Domain | None) -> list[bytes]:
        """Take a change over; returns the hosts that may lead somewhere else now."""
        changed = []
        for domain, there in ((before, False), (after, True)):
            if domain is None or domain.verified is not True:
                continue
            host, service_id = domain.host.encode("ascii", "replace"), domain.service_id
            if host.endswith(self._suffix):
                continue
            others = tuple(each for each in self._hosts_of.get(service_id, ()) if each != host)
            self._hosts_of[service_id] = (*others, host) if there else others
            if not self._hosts_of[service_id]:
                del self._hosts_of[service_id]
            if there:
                self._service_of[host] = service_id
            elif self._service_of.get(host) == service_id:
                del self._service_of[host]
            changed.append(host)
        return changed
