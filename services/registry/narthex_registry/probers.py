"""The health workers that were heard of lately, and what each has to do. Pure."""

from datetime import datetime, timedelta

from narthex.contracts.api import HealthWorker
from narthex.contracts.events import ProberAlive

SILENCE = timedelta(seconds=5)  # they speak twice a second


class Probers:
    """Remembers what health workers say."""

    def __init__(self) -> None:
        self._heard: dict[str, tuple[datetime, ProberAlive]] = {}

    def heard(self, event: ProberAlive, now: datetime) -> None:
        self._heard[event.key] = (now, event)
        if event.leaving:
            del self._heard[event.key]

    def known(self, now: datetime) -> list[HealthWorker]:
        """Those that spoke lately, by name, with their shares."""
        self._heard = {name: held for name, held in self._heard.items() if now - held[0] <= SILENCE}
        together = sum(event.instances for _, event in self._heard.values())
        return [
            HealthWorker(
                name=name,
                instances=event.instances,
                share=round(event.instances / together, 4) if together else 0.0,
                seen=seen,
                version=event.version,
            )
            for name, (seen, event) in sorted(self._heard.items())
        ]
