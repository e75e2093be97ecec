"""Follows labelled services and imported ones, each by watches of their EndpointSlices."""

import asyncio
from collections.abc import Callable

from narthex.runtime.clock import Clock
from narthex.runtime.tasks import background
from narthex_registry.discovery.found import Snapshot
from narthex_registry.discovery.kubernetes.api import open_api
from narthex_registry.discovery.kubernetes.cluster import open_cluster
from narthex_registry.discovery.kubernetes.imports import Imported, Imports
from narthex_registry.discovery.kubernetes.slices import of_labelled
from narthex_registry.discovery.kubernetes.watch import Watch
from narthex_registry.discovery.labels import DEPLOYMENT
from narthex_registry.discovery.settings import KubernetesSettings

SLICES = "/apis/discovery.k8s.io/v1/endpointslices"
SLICES_OF = "/apis/discovery.k8s.io/v1/namespaces/{}/endpointslices"


class KubernetesProvider:
    """The services of one cluster. `imports` tells which of ours are imported ones; None: they are not followed."""

    name = "kubernetes"
    retry_within_s = 15.0

    def __init__(self, settings: KubernetesSettings, imports: Imports | None, clock: Clock) -> None:
        self._settings = settings
        self._imports = imports
        self._clock = clock

    async def follow(self, tell: Callable[[Snapshot], None]) -> None:
        cluster = open_cluster(self._settings.config, self._settings.context)
        news = asyncio.Event()
        async with open_api(cluster) as api, background() as tasks:
            labelled = [Watch(api, path, DEPLOYMENT, self._clock, news.set) for path in self._paths()]
            for watch in labelled:
                tasks.start(watch.run(), "labelled services")
            imported = None
            if self._imports is not None:
                imported = Imported(api, SLICES, self._imports, self._clock, news.set)
                tasks.start(imported.run(), "imported services")
            while True:
                await news.wait()
                news.clear()
                if all(watch.listed for watch in labelled) and (imported is None or imported.ready):
                    tell(self._snapshot(labelled, imported))

    def _paths(self) -> list[str]:
        """All namespaces at once, or only those that have a project: the account needs to see no others."""
        if "*" in self._settings.namespaces:
            return [SLICES]
        return [SLICES_OF.format(namespace) for namespace in self._settings.namespaces]

    def _snapshot(self, labelled: list[Watch], imported: Imported | None) -> Snapshot:
        slices = [each for watch in labelled for each in watch.slices]
        seen = of_labelled(slices, self._settings.namespaces)
        broken = [refused for watch in labelled for refused in watch.refused]
        if imported is None:
            return Snapshot(seen.found, (*seen.refused, *broken), seen.unknown)
        other = imported.snapshot()
        return Snapshot(
            seen.found + other.found, (*seen.refused, *broken, *other.refused), seen.unknown | other.unknown
        )
