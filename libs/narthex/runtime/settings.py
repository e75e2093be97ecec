"""Settings that several parts have in common. Each is a small frozen group read from `NARTHEX_*` variables.

A part's own groups are in its `config.py`. A component gets the values it uses, never a whole group tree.
"""

from pathlib import Path
from urllib.parse import quote, urlsplit

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from narthex.contracts.names import parse_domain
from narthex.contracts.reach import Reach, parse_reach
from narthex.runtime.secret_files import SecretFiles


def group(prefix: str) -> SettingsConfigDict:
    """The configuration of a settings group whose variables start with `prefix`."""
    return SettingsConfigDict(env_prefix=prefix, title=prefix, frozen=True, extra="ignore")


def with_password(url: str, password: SecretStr) -> str:
    """A URL with a password that is kept apart from it; unchanged when there is none, or nobody to give it to."""
    parts = urlsplit(url)
    if not password.get_secret_value() or not parts.hostname:
        return url
    credentials, _, place = parts.netloc.rpartition("@")
    user = credentials.partition(":")[0]
    return parts._replace(netloc=f"{user}:{quote(password.get_secret_value(), safe='')}@{place}").geturl()


class ProcessSettings(BaseSettings):
    """What every process of Narthex has."""

    model_config = group("NARTHEX_")

    data_dir: Path = Path(".narthex")  # everything that must survive a restart of this process
    domain: str = "localhost"  # services live at <id>.services.<domain>
    log_level: str = "info"
    admin_bind: str = "127.0.0.1"  # /healthz, /readyz and /metrics are never public
    admin_port: int = 0  # 0: any free port, printed in the log
    # After SIGTERM it goes on for so long, not ready any more, so that what sends requests here looks elsewhere first.
    stop_delay_s: float = Field(0.0, ge=0, le=60)

    @field_validator("domain")
    @classmethod
    def _domain(cls, text: str) -> str:
        return parse_domain(text)


class SecretSettings(BaseSettings):
    """A group with secrets: each may be in a file that `<variable>_FILE` names (`narthex.runtime.secret_files`)."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (init_settings, SecretFiles(settings_cls), env_settings)


class TableSettings(SecretSettings):
    """Where the shared routing table is."""

    model_config = group("NARTHEX_REDIS_")

    url: SecretStr = SecretStr("redis://127.0.0.1:6379/0")  # secret: it may carry a password
    password: SecretStr = SecretStr("")  # instead of one in the URL
    timeout_s: float = 2.0  # an answer takes under 1 ms; longer means the server hangs

    @property
    def address(self) -> str:
        """The URL, with the password."""
        return with_password(self.url.get_secret_value(), self.password)


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
