"""Imported services: the pods behind each, instead of its one name in the cluster's DNS (decision 13)."""

import logging
from collections.abc import Awaitable, Callable
from typing import Any

from sqlalchemy import select

from narthex.contracts.errors import Unavailable
from narthex.runtime.clock import Clock
from narthex.runtime.tasks import Background, background
from narthex_registry import imported, tables
from narthex_registry.database import Database
from narthex_registry.discovery.found import Away, Snapshot, Target
from narthex_registry.discovery.kubernetes.api import Api, Missing
from narthex_registry.discovery.kubernetes.slices import SERVICE, Import, of_imported
from narthex_registry.discovery.kubernetes.watch import Watch

log = logging.getLogger(__name__)

Imports = Callable[[], Awaitable[tuple[Import, ...]]]

LOOK_EVERY_S = 5.0  # for other imported services
ASK_EVERY_S = 60.0  # for the ports of the cluster's services
MOST_NAMES = 100  # in a selector; with more all slices are watched


def imports_of(database: Database) -> Imports:
    """Reads which services import what."""

    async def read() -> tuple[Import, ...]:
        query = (
            select(tables.Service, tables.Deployment.name, tables.Project.name)
            .join(tables.Deployment, tables.Deployment.id == tables.Service.deployment_id)
            .join(tables.Project, tables.Project.id == tables.Service.project_id)
            .where(tables.Service.type == imported.TYPE)
            .order_by(tables.Service.id)
        )
        try:
            async with database.read() as session:
                rows = (await session.execute(query)).all()
        except Unavailable as error:
            raise Away(error.message) from None
        return tuple(
            Import(
                Target(project, deployment, imported.VERSION),
                f"{service.imported_namespace}/{service.imported_name}",
                service.port,
            )
            for service, deployment, project in rows
        )

    return read


class Imported:
    """Follows the services that are imported, whichever those are just now."""

    def __init__(self, api: Api, path: str, imports: Imports, clock: Clock, changed: Callable[[], None]) -> None:
        self._api = api
        self._path = path
        self._imports = imports
        self._clock = clock
        self._changed = changed
        self._wanted: tuple[Import, ...] = ()
        self._ports: dict[str, dict[int, str]] = {}  # by namespace/name, the names of the ports by number
        self._watch: Watch | None = None
        self.ready = False  # what is imported is known

    async def run(self) -> None:
        """For ever. Raises Away."""
        while True:
            self._wanted = await self._imports()
            self._ports = await self._ask_ports()
            self._watch = None
            async with background() as tasks:
                if self._wanted:
                    self._start_watch(tasks)
                self.ready = True
                self._changed()
                await self._until_others_are_wanted()

    def snapshot(self) -> Snapshot:
        if self._watch is None or not self._watch.listed:
            return of_imported((), self._wanted, {})
        seen = of_imported(self._watch.slices, self._wanted, self._ports)
        return Snapshot(seen.found, (*seen.refused, *self._watch.refused), seen.unknown)

    def _start_watch(self, tasks: Background) -> None:
        self._watch = Watch(self._api, self._path, selector(self._wanted), self._clock, self._changed)
        tasks.start(self._watch.run(), "slices of imported services")

    async def _until_others_are_wanted(self) -> None:
        asked = self._clock.monotonic()
        while await self._imports() == self._wanted:
            if self._clock.monotonic() - asked >= ASK_EVERY_S:
                self._ports, asked = await self._ask_ports(), self._clock.monotonic()
                self._changed()
            await self._clock.sleep(LOOK_EVERY_S)

    async def _ask_ports(self) -> dict[str, dict[int, str]]:
        """How the services of the cluster call their ports; one that cannot be asked is left out, and unknown."""
        known: dict[str, dict[int, str]] = {}
        for service in sorted({each.service for each in self._wanted}):
            namespace, _, name = service.partition("/")
            try:
                known[service] = _named_ports(await self._api.get(f"/api/v1/namespaces/{namespace}/services/{name}"))
            except Missing:
                known[service] = {}
            except Away as away:
                log.info("ports not known", extra={"fields": {"service": service, "reason": away.reason}})
        return known


def selector(wanted: tuple[Import, ...]) -> str:
    names = sorted({each.service.partition("/")[2] for each in wanted})
    return f"{SERVICE} in ({','.join(names)})" if len(names) <= MOST_NAMES else SERVICE


def _named_ports(service: dict[str, Any]) -> dict[int, str]:
    ports = (service.get("spec") or {}).get("ports") or ()
    return {int(each["port"]): str(each.get("name") or "") for each in ports if each.get("protocol", "TCP") == "TCP"}
