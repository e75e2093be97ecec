"""The settings of healthcheck."""

from pydantic_settings import BaseSettings

from narthex.bus import BusSettings
from narthex.runtime.settings import InstanceSettings, ProcessSettings, group


class ProbingSettings(BaseSettings):
    """How instances are probed; what belongs to an application is in its version's health check."""

    model_config = group("NARTHEX_HEALTHCHECK_")

    name: str = ""  # unique among health workers; empty: host name and process id
    probes_at_once: int = 256  # each holds a socket for up to its timeout


class Config:
    """All groups of this service, read from the environment."""

    def __init__(self) -> None:
        self.process = ProcessSettings()
        self.bus = BusSettings()
        self.probing = ProbingSettings()
        self.instances = InstanceSettings()
