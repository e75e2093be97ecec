"""The settings of certs."""

from pydantic import Field
from pydantic_settings import BaseSettings

from narthex.bus import BusSettings
from narthex.runtime.settings import ProcessSettings, SealingSettings, TableSettings, group


class IssuingSettings(BaseSettings):
    """How long certificates live and how often they are looked after."""

    model_config = group("NARTHEX_CERTS_")

    leaf_days: float = Field(7.0, gt=0, le=90)  # short: nobody need be told when a key is thrown away
    check_interval_s: float = Field(600.0, gt=0)  # a tenth more or less; renewal has a third of the life to succeed
    table_interval_s: float = Field(3.0, gt=0)  # an emptied Valkey has the certificate again after this


class Config:
    """All groups of this service, read from the environment."""

    def __init__(self) -> None:
        self.process = ProcessSettings()
        self.bus = BusSettings()
        self.table = TableSettings()
        self.sealing = SealingSettings()
        self.issuing = IssuingSettings()
