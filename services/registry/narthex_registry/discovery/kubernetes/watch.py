"""A view of some EndpointSlices that is kept by list and watch, as the API conventions of Kubernetes ask for.

Everything is listed once; then changes are watched from the list's resource version on. A watch that ends is taken up
at the last version seen, which bookmarks move on where nothing happens. 410 Gone means to list again: until the new
list is there the view stays as it was.
"""

from collections.abc import Callable, Iterable
from typing import Any

from narthex.runtime.clock import Clock
from narthex.runtime.tasks import backoff
from narthex_registry.discovery.found import Away, Refused
from narthex_registry.discovery.kubernetes.api import Api, Gone, Lost
from narthex_registry.discovery.kubernetes.slices import EndpointSlice, parse

LISTS = 3  # that may be overtaken before something is wrong


class Watch:
    """The slices under one path that a selector fits; `changed` is called when they are different."""

    def __init__(self, api: Api, path: str, selector: str, clock: Clock, changed: Callable[[], None]) -> None:
        self.listed = False
        self._api = api
        self._path = path
        self._selector = selector
        self._clock = clock
        self._changed = changed
        self._slices: dict[str, EndpointSlice] = {}
        self._broken: dict[str, str] = {}
        self._version = ""
        self._idle = 0  # watches in a row that ended without an event

    @property
    def slices(self) -> Iterable[EndpointSlice]:
        return self._slices.values()

    @property
    def refused(self) -> list[Refused]:
        return [Refused(key, f"the EndpointSlice is not understood: {why}") for key, why in self._broken.items()]

    async def run(self) -> None:
        """For ever. Raises Away."""
        while True:
            if not self._version:
                await self._list()
            try:
                await self._follow()
            except Gone:
                self._version = ""
            except Lost:
                self._idle += 1
            if self._idle:
                await self._clock.sleep(backoff(self._idle - 1, first_s=0.05, most_s=5.0))

    async def _list(self) -> None:
        for _ in range(LISTS):
            try:
                items, self._version = await self._api.pages(self._path, self._selector)
            except Gone:  # the pages took longer than the server remembers
                continue
            self._slices, self._broken = {}, {}
            for item in items:
                self._put(item)
            self.listed = True
            self._changed()
            return
        raise Away("the API server forgets lists faster than they can be read")

    async def _follow(self) -> None:
        async for event in self._api.watch(self._path, self._selector, self._version):
            kind, told = event.get("type"), event.get("object") or {}
            if kind == "ERROR":
                if told.get("code") == 410:
                    raise Gone
                raise Away(f"the watch ended: {str(told.get('message'))[:200]}")
            self._idle = 0
            self._version = str(told["metadata"]["resourceVersion"])
            if kind == "BOOKMARK":
                continue
            if kind == "DELETED":
                self._drop(_key(told))
            else:
                self._put(told)
            self._changed()

    def _put(self, raw: dict[str, Any]) -> None:
        key = _key(raw)
        self._drop(key)
        try:
            self._slices[key] = parse(raw)
        except ValueError as error:
            self._broken[key] = str(error)

    def _drop(self, key: str) -> None:
        self._slices.pop(key, None)
        self._broken.pop(key, None)


def _key(raw: dict[str, Any]) -> str:
    metadata = raw.get("metadata") or {}
    return f"{metadata.get('namespace', '')}/{metadata.get('name', '')}"
