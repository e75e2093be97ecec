"""Settings that several parts have in common. Each is a small frozen group read from `NARTHEX_*` variables.

A part's own groups are in its `config.py`. A component gets the values it uses, never a whole group tree.
"""

from pathlib import Path

from pydantic import SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from narthex.contracts.names import parse_domain
from narthex.contracts.reach import Reach, parse_reach


def group(prefix: str) -> SettingsConfigDict:
    """The configuration of a settings group whose variables start with `prefix`."""
    return SettingsConfigDict(env_prefix=prefix, frozen=True, extra="ignore")


class ProcessSettings(BaseSettings):
    """What every process of Narthex has."""

    model_config = group("NARTHEX_")

    data_dir: Path = Path(".narthex")  # everything that must survive a restart of this process
    domain: str = "localhost"  # services live at <id>.services.<domain>
    log_level: str = "info"
    admin_bind: str = "127.0.0.1"  # /healthz, /readyz and /metrics are never public
    admin_port: int = 0  # 0: any free port, printed in the log

    @field_validator("domain")
    @classmethod
    def _domain(cls, text: str) -> str:
        return parse_domain(text)


class TableSettings(BaseSettings):
    """Where the shared routing table is."""

    model_config = group("NARTHEX_REDIS_")

    url: SecretStr = SecretStr("redis://127.0.0.1:6379/0")  # secret: it carries user and password
    timeout_s: float = 2.0  # an answer takes under 1 ms; longer means the server hangs


class SealingSettings(BaseSettings):
    """Where the key is under which secrets are kept at rest; see `narthex.runtime.sealing`."""

    model_config = group("NARTHEX_SEALING_")

    key_file: Path = Path(".narthex/sealing.key")


class InstanceSettings(BaseSettings):
    """Where instances may be, beyond the rule of `narthex.contracts.reach`."""

    model_config = group("NARTHEX_INSTANCES_")

    allow: str = ""  # networks that are refused otherwise, e.g. `169.254.0.0/16`
    deny: str = ""  # networks, and addresses with a port, of this installation's own: `10.9.0.0/16, 127.0.0.1:4222`

    @field_validator("deny")
    @classmethod
    def _deny(cls, text: str) -> str:
        parse_reach("", text)
        return text

    @field_validator("allow")
    @classmethod
    def _allow(cls, text: str) -> str:
        parse_reach(text, "")
        return text

    def reach(self) -> Reach:
        return parse_reach(self.allow, self.deny)
