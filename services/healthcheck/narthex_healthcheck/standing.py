"""How all instances stand, by version: whether an instance that goes leaves others. Pure."""

from narthex.contracts.entities import Health
from narthex_healthcheck.verdict import FIT


class Standing:
    """The instances of each version that may get requests, whoever probes them."""

    def __init__(self) -> None:
        self._version_of: dict[str, str] = {}
        self._fit: dict[str, set[str]] = {}  # version id -> instance ids

    def put(self, instance_id: str, version_id: str, health: Health) -> None:
        self.forget(instance_id)
        if health in FIT:
            self._version_of[instance_id] = version_id
            self._fit.setdefault(version_id, set()).add(instance_id)

    def forget(self, instance_id: str) -> None:
        version_id = self._version_of.pop(instance_id, None)
        if version_id is not None:
            self._fit[version_id].discard(instance_id)
            if not self._fit[version_id]:
                del self._fit[version_id]

    def others(self, instance_id: str, version_id: str) -> int:
        """How many instances of the version may get requests besides this one."""
        fit = self._fit.get(version_id, set())
        return len(fit) - (instance_id in fit)
